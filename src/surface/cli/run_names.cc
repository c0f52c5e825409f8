#include <array>
#include <utility>

#include "surface/cli/run_words.h"

namespace lifeboat::cli {

std::string_view status_name(runbook::StepStatus status) {
    static constexpr std::array<std::string_view, 14> names = {
        "pending",    "awaiting_approval", "starting",     "operating", "probing",
        "cancelling", "backing_off",       "needs_person", "done",      "recorded",
        "skipped",    "bypassed",          "failed",       "cancelled"};
    return names.at(static_cast<std::size_t>(std::to_underlying(status)));
}

std::string_view status_name(runbook::RunStatus status) {
    static constexpr std::array<std::string_view, 7> names = {
        "none", "running", "waiting", "pausing", "paused", "aborting", "finished"};
    return names.at(static_cast<std::size_t>(std::to_underlying(status)));
}

std::string_view outcome_name(runbook::Outcome outcome) {
    static constexpr std::array<std::string_view, 5> names = {"done", "partial", "failed",
                                                              "aborted", "refused"};
    return names.at(static_cast<std::size_t>(std::to_underlying(outcome)));
}

}  // namespace lifeboat::cli

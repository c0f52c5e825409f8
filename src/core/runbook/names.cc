#include "core/runbook/names.h"

#include <array>
#include <utility>

namespace lifeboat::runbook {
namespace {

template <class E, std::size_t N>
using Names = std::array<std::pair<E, std::string_view>, N>;

constexpr Names<RunMode, 3> modes{{
    {RunMode::real, "real"},
    {RunMode::drill, "drill"},
    {RunMode::preview, "preview"},
}};
constexpr Names<Conduct, 4> conducts{{
    {Conduct::act, "act"},
    {Conduct::record, "record"},
    {Conduct::refuse, "refuse"},
    {Conduct::skip, "skip"},
}};
constexpr Names<ProbeVerdict, 4> verdicts{{
    {ProbeVerdict::done, "done"},
    {ProbeVerdict::absent, "absent"},
    {ProbeVerdict::running, "running"},
    {ProbeVerdict::undecided, "undecided"},
}};
constexpr Names<Outcome, 5> outcomes{{
    {Outcome::done, "done"},
    {Outcome::partial, "partial"},
    {Outcome::failed, "failed"},
    {Outcome::aborted, "aborted"},
    {Outcome::refused, "refused"},
}};
constexpr Names<StepStatus, 14> step_names{{
    {StepStatus::pending, "pending"},
    {StepStatus::awaiting_approval, "awaiting_approval"},
    {StepStatus::starting, "starting"},
    {StepStatus::operating, "operating"},
    {StepStatus::probing, "probing"},
    {StepStatus::cancelling, "cancelling"},
    {StepStatus::backing_off, "backing_off"},
    {StepStatus::needs_person, "needs_person"},
    {StepStatus::done, "done"},
    {StepStatus::recorded, "recorded"},
    {StepStatus::skipped, "skipped"},
    {StepStatus::bypassed, "bypassed"},
    {StepStatus::failed, "failed"},
    {StepStatus::cancelled, "cancelled"},
}};
constexpr Names<RunStatus, 7> run_names{{
    {RunStatus::none, "none"},
    {RunStatus::running, "running"},
    {RunStatus::waiting, "waiting"},
    {RunStatus::pausing, "pausing"},
    {RunStatus::paused, "paused"},
    {RunStatus::aborting, "aborting"},
    {RunStatus::finished, "finished"},
}};
constexpr Names<plan::Safety, 3> safeties{{
    {plan::Safety::idempotent, "idempotent"},
    {plan::Safety::probeable, "probeable"},
    {plan::Safety::once, "once"},
}};
constexpr Names<plan::OnFailure, 3> failures{{
    {plan::OnFailure::stop, "stop"},
    {plan::OnFailure::carry_on, "carry_on"},
    {plan::OnFailure::roll_back, "roll_back"},
}};

template <class E, std::size_t N>
std::string_view name_of(const Names<E, N>& names, E value) {
    for (const auto& [candidate, name] : names)
        if (candidate == value) return name;
    CHECK(false && "every enumerator has a name");
    return {};
}

template <class E, std::size_t N>
std::optional<E> value_of(const Names<E, N>& names, std::string_view text) {
    for (const auto& [value, name] : names)
        if (name == text) return value;
    return std::nullopt;
}

}  // namespace

std::string_view to_string(RunMode mode) { return name_of(modes, mode); }
std::string_view to_string(Conduct conduct) { return name_of(conducts, conduct); }
std::string_view to_string(ProbeVerdict verdict) { return name_of(verdicts, verdict); }
std::string_view to_string(Outcome outcome) { return name_of(outcomes, outcome); }
std::string_view to_string(StepStatus status) { return name_of(step_names, status); }
std::string_view to_string(RunStatus status) { return name_of(run_names, status); }
std::string_view to_string(plan::Safety safety) { return name_of(safeties, safety); }
std::string_view to_string(plan::OnFailure on_failure) { return name_of(failures, on_failure); }

std::optional<RunMode> run_mode_from(std::string_view name) { return value_of(modes, name); }
std::optional<Conduct> conduct_from(std::string_view name) { return value_of(conducts, name); }
std::optional<ProbeVerdict> probe_verdict_from(std::string_view name) {
    return value_of(verdicts, name);
}
std::optional<Outcome> outcome_from(std::string_view name) { return value_of(outcomes, name); }
std::optional<plan::Safety> safety_from(std::string_view name) { return value_of(safeties, name); }
std::optional<plan::OnFailure> on_failure_from(std::string_view name) {
    return value_of(failures, name);
}

}  // namespace lifeboat::runbook

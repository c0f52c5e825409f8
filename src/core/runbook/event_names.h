#pragma once
/// The stable names of the types of events, in the order of Body. Only add, at the end.

#include <array>
#include <string_view>

#include "core/runbook/event.h"

namespace lifeboat::runbook {

constexpr std::array<std::string_view, std::variant_size_v<Body>> event_names{
    "run_started",     "step_intended",  "step_operating", "poll_intended",   "step_progressed",
    "step_succeeded",  "step_failed",    "probe_intended", "step_probed",     "cancel_intended",
    "step_cancelled",  "timer_set",      "timer_fired",    "approved",        "denied",
    "retry_requested", "step_skipped",   "step_bypassed",  "pause_requested", "resume_requested",
    "abort_requested", "step_recorded",  "engine_started", "request_taken",   "run_finished",
    "graph_extended",  "approval_asked", "approval_met",   "poll_failed",     "probe_failed",
    "step_held",       "step_given_up",  "step_abandoned",
};

}  // namespace lifeboat::runbook

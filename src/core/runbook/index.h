#pragma once
/// Inside of apply(): finding steps, and changing a status with all that is derived from it. Pure.

#include "core/runbook/machine.h"

namespace lifeboat::runbook {

StepState* find_step(RunState& state, const StepId& id);
/// Adds nodes from `first` on to the steps and to the index.
void index_nodes(RunState& state, std::size_t first);
void set_status(RunState& state, StepState& step, StepStatus status);
/// Running, waiting, pausing, …: follows from the steps and from what was asked.
void refresh_status(RunState& state);

/// Done, failed for good, …: nothing more happens with it.
bool is_settled(StepStatus status);

/// A timer's name taken apart.
struct TimerName {
    std::string_view purpose;  ///< timeout cancel probe | poll backoff reprobe approval wait
    StepId step;
    /// Ends something, rather than wakes the step.
    bool is_deadline() const {
        return purpose == "timeout" || purpose == "cancel" || purpose == "probe";
    }
};
TimerName parse_timer(std::string_view timer);

}  // namespace lifeboat::runbook

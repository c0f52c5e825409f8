#pragma once
/// The words for runs and steps, and finding a run by what people type.

#include <string>
#include <string_view>

#include "core/runbook/machine.h"
#include "platform/state/state.h"

namespace lifeboat::cli {

std::string_view status_name(runbook::StepStatus status);
std::string_view status_name(runbook::RunStatus status);
std::string_view outcome_name(runbook::Outcome outcome);

/// The run with this id, or whose id ends with it; "" and "latest": the newest. Errors: not_found.
Result<RunId> find_run(State& state, const std::string& text);
/// For what only an open run can take: with no name, or 'latest', the newest that is not over; when
/// all are over, the newest.
Result<RunId> find_open_run(State& state, const std::string& text);

}  // namespace lifeboat::cli

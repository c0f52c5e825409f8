#pragma once
/// The stable names of the runbook's enumerations: in journals, `--json` and on the terminal. Pure.

#include <optional>
#include <string_view>

#include "core/runbook/machine.h"

namespace lifeboat::runbook {

std::string_view to_string(RunMode mode);          ///< "real", "drill", "preview"
std::string_view to_string(Conduct conduct);       ///< "act", "record", "refuse", "skip"
std::string_view to_string(ProbeVerdict verdict);  ///< "done", "absent", "running", "undecided"
std::string_view to_string(Outcome outcome);       ///< "done", "partial", "failed", …
std::string_view to_string(StepStatus status);     ///< "awaiting_approval", "backing_off", …
std::string_view to_string(RunStatus status);      ///< "running", "waiting", …
std::string_view to_string(plan::Safety safety);   ///< "idempotent", "probeable", "once"
std::string_view to_string(plan::OnFailure on_failure);  ///< "stop", "carry_on", "roll_back"

std::optional<RunMode> run_mode_from(std::string_view name);
std::optional<Conduct> conduct_from(std::string_view name);
std::optional<ProbeVerdict> probe_verdict_from(std::string_view name);
std::optional<Outcome> outcome_from(std::string_view name);
std::optional<plan::Safety> safety_from(std::string_view name);
std::optional<plan::OnFailure> on_failure_from(std::string_view name);

}  // namespace lifeboat::runbook

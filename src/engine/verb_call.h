#pragma once
/// From a step of a run to the call that its provider gets: templates filled, instances looked up.

#include <map>
#include <optional>
#include <string>

#include "core/runbook/machine.h"
#include "engine/instances.h"

namespace lifeboat::engine {

/// The provider that carries out a node, and what it is told.
struct PreparedCall {
    providers::Provider* provider = nullptr;
    providers::VerbCall call;
};

/// What a step may know of its run, taken when its command was decided: the run goes on meanwhile.
/// Small, so that a run of thousands of steps is not copied for each of them.
struct StepView {
    runbook::Node node;
    RunId run;
    runbook::RunMode mode = runbook::RunMode::real;
    Instant disaster_at{};
    Result<Json> arguments;                  ///< with their templates filled
    std::map<std::string, Json> candidates;  ///< runbook::candidates()
    bool fenced = false;
};
StepView view_of(const runbook::RunState& run, const runbook::Node& node);

/// Errors: unsupported (no provider for the kind or verb), invalid (template, settings, a component
/// that the plan no longer has), corrupt.
Result<PreparedCall> prepare(Workspace& workspace, Instances& instances, const StepView& step,
                             unsigned attempt);

/// Makes the candidates that this step switches to the current instances. Real runs only; in a
/// drill nothing outside its scope is switched. Durable.
Result<void> adopt(Instances& instances, const StepView& step);

}  // namespace lifeboat::engine

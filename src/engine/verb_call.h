#pragma once
/// From a step of a run to the call that its provider gets: templates filled, instances looked up.

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

/// Errors: unsupported (no provider for the kind or verb), invalid (template, settings, a component
/// that the plan no longer has), corrupt.
Result<PreparedCall> prepare(Workspace& workspace, Instances& instances,
                             const runbook::RunState& run, const runbook::Node& node,
                             unsigned attempt);

/// Makes the candidates that this step switches to the current instances. Real runs only; in a
/// drill nothing outside its scope is switched. Durable.
Result<void> adopt(Instances& instances, const runbook::RunState& run, const runbook::Node& node);

}  // namespace lifeboat::engine

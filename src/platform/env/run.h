#pragma once
/// Processes::run for real: one command, its streams, its end. Internal to env; thread-safe.

#include "platform/env/processes.h"

namespace lifeboat {

/// See Processes::run.
Result<Exit> run_command(const Context& context, const Command& command);

}  // namespace lifeboat

#pragma once
/// Processes::start_daemon for real. Internal to env; thread-safe.

#include "platform/env/processes.h"

namespace lifeboat {

/// See Processes::start_daemon.
Result<ProcessIdentity> launch_daemon(const Context& context, const Daemon& daemon);

}  // namespace lifeboat

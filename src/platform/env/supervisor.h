#pragma once
/// The process between lifeboat and a command that it runs. Internal to env.
///
/// It is the subreaper of the command: whatever the command starts stays below it, also what leaves
/// the session or forks twice. So it can end all of it, and does when told to, and when lifeboat
/// dies.

#include "platform/env/spawn.h"

namespace lifeboat {

/// From lifeboat to the supervisor, one byte each.
enum class SupervisorOrder : char {
    stop = 's',     ///< SIGTERM to all, SIGKILL after 2 s
    clear_up = 'c'  ///< the command has ended: the same to what it left behind, after 200 ms
};

/// From the supervisor to lifeboat. The end of the connection says that nothing is left.
struct SupervisorReport {
    int wait_status = 0;  ///< of the command, as waitpid(2) gives it
};

constexpr long stop_grace_milliseconds = 2000;
constexpr long clear_up_grace_milliseconds = 200;

/// Forked child only: starts the command and looks after it to the end. `control` is a
/// SOCK_SEQPACKET connection to lifeboat. Async-signal-safe.
[[noreturn]] void supervise(const Prepared& prepared, const ChildDescriptors& descriptors,
                            int control);

}  // namespace lifeboat

#pragma once
/// The way from a Command to execve(2). Internal to env.
///
/// Lifeboat has threads, so between fork and exec a child may only make async-signal-safe calls:
/// everything that allocates is done before, in prepare(). Thread-safe.

#include <sys/types.h>

#include <memory>

#include "platform/env/processes.h"

namespace lifeboat {

/// A command with its program found, its user looked up, and its argument arrays built.
struct Prepared {
    std::string program;  ///< as execve takes it
    std::vector<std::string> arguments;
    std::vector<std::string> environment;  ///< NAME=value
    std::vector<char*> argv;               ///< into `arguments`, ending in a null pointer
    std::vector<char*> envp;
    std::string directory;  ///< empty: ours
    bool change_user = false;
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;
    bool private_files = false;  ///< umask 077 instead of ours
};

/// Errors: invalid (no arguments), not_found (program not in PATH).
Result<std::unique_ptr<Prepared>> prepare(const Command& command);

/// Standard streams of the child, and where it writes an ExecFailure (close-on-exec).
struct ChildDescriptors {
    int input = -1;
    int output = -1;
    int error = -1;
    int report = -1;
};

enum class ExecStage : int { session, descriptors, user, directory, program };

struct ExecFailure {
    ExecStage stage = ExecStage::program;
    int error_number = 0;
};

/// Forked child only: a session of its own, streams, no other descriptors, default signals, user,
/// directory, exec. Reports and exits when one of them fails. Async-signal-safe.
[[noreturn]] void exec_in_child(const Prepared& prepared, const ChildDescriptors& descriptors);

/// Forked child only: every signal has its default action again. Async-signal-safe.
void reset_signal_actions();

/// What the caller of run() and start_daemon() is told.
Error exec_error(const Prepared& prepared, const ExecFailure& failure);

/// fork(2) with all signals blocked around it, so that no handler of ours runs in the child, where
/// they stay blocked until exec_in_child(). Returns as fork does.
pid_t fork_quietly();

}  // namespace lifeboat

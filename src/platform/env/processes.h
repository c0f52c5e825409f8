#pragma once
/// Child processes and the identity of processes that are not our children.
///
/// A pid alone is never an identity: it is reused. ProcessIdentity adds start time and boot id.
/// Implementations are thread-safe.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/base/bytes.h"
#include "platform/env/files.h"
#include "platform/task/context.h"

namespace lifeboat {

/// Names one process for ever: pid + start time (clock ticks since boot) + boot id.
struct ProcessIdentity {
    std::int64_t pid = 0;
    std::uint64_t start_ticks = 0;
    std::string boot_id;
    bool operator==(const ProcessIdentity&) const = default;
};

/// A user to run as. Some servers refuse root.
struct RunAs {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
};

struct Command {
    std::vector<std::string> arguments;  ///< arguments[0] is the program (looked up in PATH)
    std::map<std::string, std::string> environment;  ///< added to (overrides) the inherited one
    bool clear_environment = false;                  ///< start from PATH, HOME, LANG only
    Path directory;                                  ///< working directory; ours when empty
    std::optional<RunAs> run_as;
    std::string input;  ///< given on standard input
    std::size_t output_limit = std::size_t{1}
                               << 20U;  ///< kept bytes per stream; the rest is counted
    /// Called with each piece of output as it comes (`error` true for standard error); may be
    /// empty.
    std::function<void(bool error, std::string_view text)> on_output;
};

struct Exit {
    int code = 0;    ///< exit status, or 128 + signal
    int signal = 0;  ///< 0 when it exited by itself
    std::string output;
    std::string error;
    std::uint64_t output_dropped = 0;  ///< bytes beyond output_limit, both streams
    Duration took{};
};

struct Daemon {
    Command command;  ///< input, on_output, output_limit unused
    Path log;         ///< both streams are appended here
};

class Processes {
public:
    virtual ~Processes() = default;

    /// Runs to its end in a session of its own; on stop or deadline the whole session is killed
    /// (SIGTERM, then SIGKILL after 2 s), with children that left the process group as well.
    /// Errors: not_found (program), cancelled, timeout. A non-zero exit is not an Error.
    virtual Result<Exit> run(const Context& context, const Command& command) = 0;

    /// Starts a process that outlives us: own session, closed descriptors, reparented to init.
    virtual Result<ProcessIdentity> start_daemon(const Context& context, const Daemon& daemon) = 0;

    /// The identity of a live pid. Errors: not_found (gone, or a zombie: a zombie is dead).
    virtual Result<ProcessIdentity> identify(std::int64_t pid) = 0;
    /// True while exactly this process lives (a zombie does not).
    bool is_alive(const ProcessIdentity& identity) {
        auto found = identify(identity.pid);
        return found.has_value() && *found == identity;
    }
    /// Signals exactly this process. Errors: not_found (gone or another one now), denied.
    virtual Result<void> signal(const ProcessIdentity& identity, int signal_number) = 0;
    /// Every live process of the session that `identity` leads or led, and their descendants.
    virtual Result<std::vector<ProcessIdentity>> group(const ProcessIdentity& identity) = 0;
    /// SIGTERM to the whole group, SIGKILL after `grace`; returns when all are dead.
    /// Success when nothing was alive. Errors: timeout (still alive after SIGKILL), denied.
    virtual Result<void> stop_group(const Context& context, const ProcessIdentity& identity,
                                    Duration grace) = 0;
    /// Uid and gid of a user name. Errors: not_found.
    virtual Result<RunAs> user(const std::string& name) = 0;
    virtual std::int64_t own_pid() = 0;
    virtual std::uint32_t own_uid() = 0;
    virtual std::string own_user() = 0;
    virtual std::string host_name() = 0;
    virtual std::string boot_id() = 0;
    /// Absolute path of the running program, for commands that call it back (restore_command).
    virtual Path own_program() = 0;
    virtual std::optional<std::string> environment(const std::string& name) = 0;
};

}  // namespace lifeboat

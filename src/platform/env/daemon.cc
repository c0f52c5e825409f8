#include "platform/env/daemon.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <csignal>

#include "platform/env/fd.h"
#include "platform/env/proc_table.h"
#include "platform/env/spawn.h"
#include "platform/env/wake.h"

namespace lifeboat {
namespace {

// From fork to exec; longer means the program lies on a file system that hangs.
constexpr Duration start_limit = std::chrono::seconds(30);

/// The connection to a daemon that is about to exec. First it says its pid and waits for one byte:
/// so its identity is read while it certainly lives. Then it sends an ExecFailure, or nothing: the
/// connection is close-on-exec.
struct Connection {
    Fd ours;
    Fd theirs;
};

Result<Connection> connect_to_child() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return from_errno("create a socket pair", errno);
    }
    return Connection{Fd(ends[0]), Fd(ends[1])};
}

/// Waits for the next message; its size, 0 at the end of the connection.
Result<std::size_t> receive(const Context& context, const Fd& connection, void* to,
                            std::size_t size, std::string_view what) {
    const StopSignal stop(context.stop_token());
    for (;;) {
        TRY(context.check(what));
        pollfd waited[] = {{.fd = connection.get(), .events = POLLIN, .revents = 0},
                           {.fd = stop.fd(), .events = POLLIN, .revents = 0}};
        const int ready = ::poll(waited, 2, poll_timeout(context, std::chrono::milliseconds(200)));
        if (ready <= 0 || waited[0].revents == 0) continue;
        const ssize_t count = uninterrupted([&] { return ::recv(connection.get(), to, size, 0); });
        return count > 0 ? static_cast<std::size_t>(count) : std::size_t{0};
    }
}

/// Forked child only: the daemon-to-be. Async-signal-safe.
[[noreturn]] void become_daemon(const Prepared& prepared, const ChildDescriptors& descriptors,
                                int other_end) {
    ::close(other_end);  // else it would hold the connection open that it waits on
    const pid_t self = ::getpid();
    char go = 0;
    if (::send(descriptors.report, &self, sizeof self, MSG_NOSIGNAL) != sizeof self ||
        ::recv(descriptors.report, &go, 1, 0) != 1) {
        ::_exit(127);
    }
    exec_in_child(prepared, descriptors);
}

/// Forks twice, so that the daemon's parent is init from the start.
Result<void> fork_twice(const Prepared& prepared, const ChildDescriptors& descriptors,
                        int other_end) {
    const pid_t between = fork_quietly();
    if (between == 0) {
        const pid_t daemon = ::_Fork();
        if (daemon == 0) become_daemon(prepared, descriptors, other_end);
        ::_exit(daemon < 0 ? errno : 0);
    }
    if (between < 0) return from_errno("start a process", errno);
    int status = 0;
    (void)uninterrupted([&] { return ::waitpid(between, &status, 0); });
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
        return from_errno("start a process", WEXITSTATUS(status));
    }
    return ok();
}

/// Lets the daemon go on to exec, and waits until it has.
Result<void> release(const Context& context, const Fd& connection, const Prepared& prepared,
                     std::string_view what) {
    const char go = 'g';
    if (::send(connection.get(), &go, 1, MSG_NOSIGNAL) != 1) {
        return from_errno(fmt::format("start '{}'", prepared.arguments.front()), errno);
    }
    ExecFailure failure;
    const std::size_t count = TRY(receive(context, connection, &failure, sizeof failure, what));
    if (count == sizeof failure) return exec_error(prepared, failure);
    return ok();
}

}  // namespace

Result<ProcessIdentity> launch_daemon(const Context& context, const Daemon& daemon) {
    const Context bounded = context.within(start_limit);
    const auto prepared = TRY(prepare(daemon.command));
    prepared->private_files = true;
    const std::string what = fmt::format("starting '{}'", prepared->arguments.front());
    TRY(bounded.check(what));

    const Fd input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!input.valid()) return from_errno("open '/dev/null'", errno);
    const Fd log(uninterrupted([&] {
        return ::open(daemon.log.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
                      0600);
    }));
    if (!log.valid()) {
        return from_errno(fmt::format("open the log '{}'", daemon.log.string()), errno);
    }
    auto connection = TRY(connect_to_child());
    const ChildDescriptors descriptors{.input = input.get(),
                                       .output = log.get(),
                                       .error = log.get(),
                                       .report = connection.theirs.get()};
    TRY(fork_twice(*prepared, descriptors, connection.ours.get()));
    connection.theirs.reset();

    pid_t pid = 0;
    const std::size_t count = TRY(receive(bounded, connection.ours, &pid, sizeof pid, what));
    const auto process = count == sizeof pid ? read_process(pid) : std::nullopt;
    if (!process) return unavailable(fmt::format("{}: the process was killed", what));
    auto released = release(bounded, connection.ours, *prepared, what);
    if (!released.has_value()) {
        // It may hang before exec: nothing may start after we have said that nothing did.
        (void)::kill(pid, SIGKILL);
        return std::move(released).error();
    }
    return identity_of(*process);
}

}  // namespace lifeboat

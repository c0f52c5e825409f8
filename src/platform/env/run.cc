#include "platform/env/run.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>

#include "platform/env/fd.h"
#include "platform/env/real.h"
#include "platform/env/spawn.h"
#include "platform/env/supervisor.h"
#include "platform/env/wake.h"

namespace lifeboat {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// How long output may still come when the command has ended but somebody holds its pipes.
constexpr Duration leftover_patience = milliseconds(200);
// How long the supervisor may need to end everything; longer means a process hangs in the kernel.
constexpr Duration kill_patience = seconds(10);
// With a deadline we look at the clock at least this often: it may be another one than poll's.
constexpr Duration glance = milliseconds(200);

struct Pipe {
    Fd read;
    Fd write;
};

Result<Pipe> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return from_errno("create a pipe", errno);
    return Pipe{Fd(ends[0]), Fd(ends[1])};
}

/// A descriptor from which `text` can be read. A file of memory, not a pipe: of any size, without
/// a writer to serve and without SIGPIPE when the command does not read it.
Result<Fd> make_input(std::string_view text) {
    if (text.empty()) {
        Fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        if (!nothing.valid()) return from_errno("open '/dev/null'", errno);
        return nothing;
    }
    Fd memory(::memfd_create("input", MFD_CLOEXEC));
    if (!memory.valid()) return from_errno("create a file of memory", errno);
    while (!text.empty()) {
        const ssize_t count =
            uninterrupted([&] { return ::write(memory.get(), text.data(), text.size()); });
        if (count < 0) return from_errno("write the input of a command", errno);
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    if (::lseek(memory.get(), 0, SEEK_SET) != 0) return from_errno("rewind an input", errno);
    return memory;
}

/// One output stream of the command: kept up to a limit, counted beyond, passed on as it comes.
class Stream {
public:
    Stream(Fd fd, bool is_error, const Command& command)
        : fd_(std::move(fd)), is_error_(is_error), command_(&command) {
        (void)::fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
    }

    int fd() const { return fd_.get(); }
    bool open() const { return fd_.valid(); }
    std::uint64_t dropped() const { return dropped_; }
    std::string take_text() { return std::move(text_); }

    /// Reads what is there now, at most `pieces` buffers of it: the other stream wants its turn.
    void read_some(int pieces = 4) {
        std::array<char, 65536> buffer;  // NOLINT: filled by read
        for (; pieces > 0 && open(); --pieces) {
            const ssize_t count =
                uninterrupted([&] { return ::read(fd_.get(), buffer.data(), buffer.size()); });
            if (count < 0 && errno == EAGAIN) return;
            if (count <= 0) {
                fd_.reset();
                return;
            }
            accept(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
        }
    }

private:
    void accept(std::string_view piece) {
        if (command_->on_output) command_->on_output(is_error_, piece);
        const std::size_t room =
            command_->output_limit - std::min(command_->output_limit, text_.size());
        const std::size_t kept = std::min(room, piece.size());
        text_.append(piece.substr(0, kept));
        dropped_ += piece.size() - kept;
    }

    Fd fd_;
    bool is_error_;
    const Command* command_;
    std::string text_;
    std::uint64_t dropped_ = 0;
};

/// What the parent holds while a command runs.
struct Connections {
    pid_t supervisor = -1;
    Fd control;  ///< to and from the supervisor
    Fd report;   ///< an ExecFailure, or the end of file at exec
    Fd output;
    Fd error;
};

Result<Connections> start_supervised(const Prepared& prepared, std::string_view input) {
    auto in = TRY(make_input(input));
    auto out = TRY(make_pipe());
    auto err = TRY(make_pipe());
    auto report = TRY(make_pipe());
    int control[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0) {
        return from_errno("create a socket pair", errno);
    }
    const Fd theirs(control[1]);
    Connections ours{.supervisor = -1,
                     .control = Fd(control[0]),
                     .report = std::move(report.read),
                     .output = std::move(out.read),
                     .error = std::move(err.read)};
    const ChildDescriptors descriptors{.input = in.get(),
                                       .output = out.write.get(),
                                       .error = err.write.get(),
                                       .report = report.write.get()};
    ours.supervisor = fork_quietly();
    if (ours.supervisor == 0) supervise(prepared, descriptors, theirs.get());
    if (ours.supervisor < 0) return from_errno("start a process", errno);
    return ours;
}

/// The course of one command, from its start until nothing of it is left.
class Running {
public:
    Running(const Context& context, const Command& command, Connections connections)
        : context_(context),
          name_(command.arguments.front()),
          connections_(std::move(connections)),
          output_(std::move(connections_.output), false, command),
          error_(std::move(connections_.error), true, command),
          stop_(context.stop_token()),
          started_(clock_.monotonic()) {}

    Result<Exit> finish(const Prepared& prepared) {
        while (connections_.control.valid()) {
            wait();
            if (given_up() || context_ended_) continue;
            if (auto check = context_.check(fmt::format("running '{}'", name_));
                !check.has_value() && !wait_status_) {
                context_ended_ = std::move(check).error();
                order(SupervisorOrder::stop);
            }
            if (wait_status_ && !clearing_ && nothing_to_wait_for()) {
                clearing_ = true;
                order(SupervisorOrder::clear_up);
            }
        }
        int ignored = 0;
        (void)uninterrupted([&] { return ::waitpid(connections_.supervisor, &ignored, 0); });
        // What the pipes still hold, but no more than they can: a stranger may go on writing.
        constexpr int pieces_of_a_pipe = 32;
        output_.read_some(pieces_of_a_pipe);
        error_.read_some(pieces_of_a_pipe);
        read_report();
        return outcome(prepared);
    }

private:
    bool nothing_to_wait_for() const {
        return (!output_.open() && !error_.open()) || context_.stopped() ||
               clock_.monotonic() - ended_ >= leftover_patience;
    }

    void order(SupervisorOrder order) {
        ordered_ = clock_.monotonic();
        const char byte = static_cast<char>(order);
        // Ignored: without a supervisor the next poll says so.
        (void)::send(connections_.control.get(), &byte, 1, MSG_NOSIGNAL);
    }

    /// True when the supervisor does not get done; it is killed, and what it cannot kill is left.
    bool given_up() {
        if (!ordered_ || clock_.monotonic() - *ordered_ < kill_patience) return false;
        (void)::kill(connections_.supervisor, SIGKILL);
        connections_.control.reset();
        return true;
    }

    void wait() {
        const bool looking = !context_ended_ && !wait_status_;
        std::array<pollfd, 5> waited = {
            pollfd{.fd = connections_.control.get(), .events = POLLIN, .revents = 0},
            pollfd{.fd = connections_.report.get(), .events = POLLIN, .revents = 0},
            pollfd{.fd = output_.fd(), .events = POLLIN, .revents = 0},
            pollfd{.fd = error_.fd(), .events = POLLIN, .revents = 0},
            pollfd{.fd = looking ? stop_.fd() : -1, .events = POLLIN, .revents = 0}};
        if (::poll(waited.data(), waited.size(), timeout(looking)) <= 0) return;
        if (waited[1].revents != 0) read_report();
        if (waited[2].revents != 0) output_.read_some();
        if (waited[3].revents != 0) error_.read_some();
        if (waited[0].revents != 0) read_control();
    }

    int timeout(bool looking) const {
        if (looking && !context_.remaining()) return -1;
        if (looking) return poll_timeout(context_, glance);
        if (!ordered_) return 20;  // for the end of leftover_patience
        return static_cast<int>(glance / milliseconds(1));
    }

    void read_report() {
        if (!connections_.report.valid()) return;
        ExecFailure failure;
        const ssize_t count = uninterrupted(
            [&] { return ::read(connections_.report.get(), &failure, sizeof failure); });
        if (count == static_cast<ssize_t>(sizeof failure)) exec_failure_ = failure;
        connections_.report.reset();
    }

    void read_control() {
        SupervisorReport report;
        const ssize_t count = uninterrupted(
            [&] { return ::recv(connections_.control.get(), &report, sizeof report, 0); });
        if (count == static_cast<ssize_t>(sizeof report)) {
            wait_status_ = report.wait_status;
            ended_ = clock_.monotonic();
        } else {
            connections_.control.reset();
        }
    }

    Result<Exit> outcome(const Prepared& prepared) {
        if (exec_failure_) return exec_error(prepared, *exec_failure_);
        if (context_ended_) return *context_ended_;
        if (!wait_status_) {
            return unknown(
                fmt::format("the end of '{}' is not known: its supervisor was killed", name_));
        }
        Exit exit;
        exit.signal = WIFSIGNALED(*wait_status_) ? WTERMSIG(*wait_status_) : 0;
        exit.code = exit.signal != 0 ? 128 + exit.signal : WEXITSTATUS(*wait_status_);
        exit.output = output_.take_text();
        exit.error = error_.take_text();
        exit.output_dropped = output_.dropped() + error_.dropped();
        exit.took = ended_ - started_;
        return exit;
    }

    Clock& clock_ = real_clock();
    const Context& context_;
    const std::string name_;
    Connections connections_;
    Stream output_;
    Stream error_;
    StopSignal stop_;
    const Monotonic started_;
    Monotonic ended_{};
    std::optional<Monotonic> ordered_;
    std::optional<int> wait_status_;
    std::optional<ExecFailure> exec_failure_;
    std::optional<Error> context_ended_;
    bool clearing_ = false;
};

}  // namespace

Result<Exit> run_command(const Context& context, const Command& command) {
    const auto prepared = TRY(prepare(command));
    TRY(context.check(fmt::format("running '{}'", command.arguments.front())));
    auto connections = TRY(start_supervised(*prepared, command.input));
    return Running(context, command, std::move(connections)).finish(*prepared);
}

}  // namespace lifeboat

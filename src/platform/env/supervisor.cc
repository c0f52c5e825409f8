#include "platform/env/supervisor.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>

#include "platform/env/descendants.h"

namespace lifeboat {
namespace {

// While things are being killed, new ones may appear: looked at again this often.
constexpr int kill_round_milliseconds = 10;
// What resists for so long (a process of root's, or one that hangs in the kernel) is not worth the
// processor any more, but still to be ended when it can be.
constexpr long kill_hurry_milliseconds = 5000;
constexpr int kill_slow_round_milliseconds = 1000;

long now_milliseconds() {
    timespec now{};
    (void)::clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

/// The state of a supervisor. No destructor matters: the process leaves by _exit.
class Supervisor {
public:
    Supervisor(int control, int child_ended, pid_t command)
        : control_(control), child_ended_(child_ended), command_(command) {}

    [[noreturn]] void run() {
        for (;;) {
            if (!reap()) ::_exit(0);
            if (stopping_ && now_milliseconds() >= kill_at_) (void)signal_descendants(SIGKILL);
            wait_for_news();
        }
    }

private:
    /// Collects who has ended; false when no child is left.
    bool reap() {
        for (;;) {
            int status = 0;
            const pid_t ended = ::waitpid(-1, &status, WNOHANG);
            if (ended == 0) return true;
            if (ended < 0) return errno == EINTR;
            if (ended != command_) continue;
            const SupervisorReport report{.wait_status = status};
            (void)::send(control_, &report, sizeof report, MSG_NOSIGNAL);
        }
    }

    int timeout() const {
        if (!stopping_) return -1;
        const long left = kill_at_ - now_milliseconds();
        if (left > 0) return static_cast<int>(left);
        return left > -kill_hurry_milliseconds ? kill_round_milliseconds
                                               : kill_slow_round_milliseconds;
    }

    void wait_for_news() {
        pollfd waited[] = {{.fd = child_ended_, .events = POLLIN, .revents = 0},
                           {.fd = control_, .events = POLLIN, .revents = 0}};
        if (::poll(waited, 2, timeout()) <= 0) return;
        if (waited[0].revents != 0) {
            signalfd_siginfo ignored;  // waitpid says who
            (void)!::read(child_ended_, &ignored, sizeof ignored);
        }
        if (waited[1].revents != 0) obey();
    }

    void obey() {
        char order = 0;
        const ssize_t count = ::recv(control_, &order, 1, MSG_DONTWAIT);
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
        // No lifeboat, no command: whoever resumes must not find the old one still at work.
        if (count <= 0) control_ = -1;
        const bool clear_up = count > 0 && order == static_cast<char>(SupervisorOrder::clear_up);
        stop(clear_up ? clear_up_grace_milliseconds : stop_grace_milliseconds);
    }

    void stop(long grace) {
        const long kill_at = now_milliseconds() + grace;
        kill_at_ = stopping_ && kill_at_ < kill_at ? kill_at_ : kill_at;
        if (stopping_) return;
        stopping_ = true;
        (void)signal_descendants(SIGTERM);
        (void)signal_descendants(SIGCONT);  // what is stopped could not obey
    }

    int control_;
    const int child_ended_;
    const pid_t command_;
    bool stopping_ = false;
    long kill_at_ = 0;
};

/// Closes all descriptors but `control`, which gets the number 3: an open copy of somebody's pipe
/// or lock in here would keep it alive.
void keep_only(int control) {
    const int copy = ::fcntl(control, F_DUPFD_CLOEXEC, 10);
    if (copy < 0 || ::dup2(copy, 3) != 3) ::_exit(127);
    if (::syscall(SYS_close_range, 4U, ~0U, 0U) != 0) {
        constexpr int descriptors_max = 65536;  // before Linux 5.9
        for (int fd = 4; fd < descriptors_max; ++fd) ::close(fd);
    }
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; ++fd) (void)::dup2(nothing, fd);
}

}  // namespace

void supervise(const Prepared& prepared, const ChildDescriptors& descriptors, int control) {
    // Out of reach of the terminal's Ctrl-C: lifeboat decides what becomes of the command.
    (void)::setsid();
    (void)::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    (void)::prctl(PR_SET_NAME, "lifeboat-run", 0, 0, 0);
    reset_signal_actions();  // an ignored SIGCHLD would lose exit statuses

    // This process is lifeboat's copy, with all its pages: a second copy of them would cost more
    // than many a command. The child only makes system calls until it execs; this frame stays.
    const pid_t command = ::vfork();  // NOLINT(clang-analyzer-security.insecureAPI.vfork)
    if (command == 0) exec_in_child(prepared, descriptors);
    if (command < 0) {
        const ExecFailure failure{.stage = ExecStage::program, .error_number = errno};
        (void)!::write(descriptors.report, &failure, sizeof failure);
        ::_exit(127);
    }
    keep_only(control);
    sigset_t child;
    ::sigemptyset(&child);
    ::sigaddset(&child, SIGCHLD);
    const int child_ended = ::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    Supervisor(3, child_ended, command).run();
}

}  // namespace lifeboat

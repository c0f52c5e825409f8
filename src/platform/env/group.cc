#include "platform/env/group.h"

#include <fmt/core.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <set>

#include "platform/env/fd.h"

namespace lifeboat {
namespace {

using std::chrono::milliseconds;

constexpr Duration look_again = milliseconds(20);
// A killed process that is still there then hangs in the kernel.
constexpr Duration kill_patience = std::chrono::seconds(5);

// By number: sys/pidfd.h of glibc 2.36 does not link from C++ (it lacks extern "C").
int open_pidfd(std::int64_t pid) {
    return static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0U));
}

int signal_pidfd(const Fd& process, int signal_number) {
    return static_cast<int>(
        ::syscall(SYS_pidfd_send_signal, process.get(), signal_number, nullptr, 0U));
}

bool lives(const ProcessIdentity& identity) {
    const auto process = read_process(identity.pid);
    return process && !process->dead() && identity_of(*process) == identity;
}

/// A group while it is being stopped: everyone seen in it, as orphans leave the chain of parents.
class Group {
public:
    explicit Group(const ProcessIdentity& leader) : leader_(leader) {}

    /// Looks again; true while somebody lives.
    Result<bool> look() {
        const auto found = TRY(find_group(leader_));
        std::erase_if(members_, [](const ProcessIdentity& member) { return !lives(member); });
        for (const ProcessIdentity& member : found) {
            // Were we started by what we stop, we would not live to see it stopped.
            if (member.pid == ::getpid()) continue;
            if (std::ranges::find(members_, member) == members_.end()) members_.push_back(member);
        }
        return !members_.empty();
    }

    /// Signals all, even if some refuse. Errors: denied.
    Result<void> signal(int number) {
        Result<void> refused;
        for (const ProcessIdentity& member : members_) {
            auto sent = signal_process(member, number);
            const bool gone = !sent.has_value() && sent.error().kind == ErrorKind::not_found;
            if (!sent.has_value() && !gone) refused = std::move(sent);
        }
        return refused;
    }

    /// Waits until all are dead: true, or `limit` has passed: false. With SIGKILL in `again`, those
    /// that were forked meanwhile get it, too.
    Result<bool> wait(const Context& context, Duration limit, int again) {
        const Context bounded = context.within(limit);
        for (;;) {
            const bool living = TRY(look());
            if (!living) return true;
            if (again != 0) TRY(signal(again));
            if (bounded.remaining() == Duration::zero()) {
                TRY(context.check("stopping a group of processes"));
                return false;
            }
            (void)bounded.sleep(look_again);  // Ignored: the next line and the next round say why.
            if (bounded.stopped()) TRY(context.check("stopping a group of processes"));
        }
    }

    std::size_t size() const { return members_.size(); }

private:
    const ProcessIdentity& leader_;
    std::vector<ProcessIdentity> members_;
};

}  // namespace

std::vector<ProcessIdentity> members_of(const ProcessIdentity& leader,
                                        std::span<const ProcessStat> processes) {
    // The kernel keeps a pid from reuse while a session has its number: a stranger under the
    // leader's pid means that the leader's session is gone.
    const auto same = std::ranges::find(processes, leader.pid, &ProcessStat::pid);
    if (same != processes.end() && same->start_ticks != leader.start_ticks) return {};

    std::set<std::int64_t> pids;
    const auto belongs = [&](const ProcessStat& process) {
        if (process.start_ticks < leader.start_ticks) return false;
        return process.pid == leader.pid || process.session == leader.pid ||
               pids.contains(process.parent);
    };
    for (bool found = true; found;) {
        found = false;
        for (const ProcessStat& process : processes) {
            if (belongs(process)) found = pids.insert(process.pid).second || found;
        }
    }
    std::vector<ProcessIdentity> members;
    for (const ProcessStat& process : processes) {
        if (!process.dead() && pids.contains(process.pid)) members.push_back(identity_of(process));
    }
    return members;
}

Result<void> signal_process(const ProcessIdentity& identity, int signal_number) {
    const std::string what = fmt::format("signal process {}", identity.pid);
    // The pidfd is opened first: from then on it means this process, even if the pid is reused.
    const Fd process(identity.pid > 0 ? open_pidfd(identity.pid) : -1);
    const bool no_pidfd = !process.valid() && errno == ENOSYS;  // before Linux 5.3
    if (!lives(identity)) {
        return not_found(fmt::format("process {} has ended", identity.pid));
    }
    if (!process.valid() && !no_pidfd) return from_errno(what, errno);
    const int result = no_pidfd ? ::kill(static_cast<pid_t>(identity.pid), signal_number)
                                : signal_pidfd(process, signal_number);
    return result == 0 ? ok() : Result<void>(from_errno(what, errno));
}

Result<std::vector<ProcessIdentity>> find_group(const ProcessIdentity& leader) {
    if (leader.pid <= 0 || leader.boot_id != current_boot_id()) {
        return std::vector<ProcessIdentity>();
    }
    const auto processes = TRY(read_processes());
    return members_of(leader, processes);
}

Result<void> stop_whole_group(const Context& context, const ProcessIdentity& leader,
                              Duration grace) {
    Group group(leader);
    const bool living = TRY(group.look());
    if (!living) return ok();
    TRY(group.signal(SIGTERM));
    (void)group.signal(SIGCONT);  // what is stopped could not obey
    const bool ended = TRY(group.wait(context, grace, 0));
    if (ended) return ok();
    const bool killed = TRY(group.wait(context, kill_patience, SIGKILL));
    if (killed) return ok();
    return timeout(fmt::format("{} processes of the group of {} live on after SIGKILL",
                               group.size(), leader.pid),
                   "Such a process waits for a disk or the network in the kernel.");
}

}  // namespace lifeboat

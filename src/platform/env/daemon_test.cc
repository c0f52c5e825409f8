// Daemons and groups of processes, with real children of /bin/sh.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "platform/base/text.h"
#include "platform/env/group.h"
#include "platform/env/real.h"

namespace lifeboat {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Context within(Duration limit) { return Context(real_clock()).within(limit); }

class DaemonTest : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = "/tmp/lifeboat-daemon-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
    }
    void TearDown() override {
        for (const ProcessIdentity& started : started_) {
            (void)processes_.stop_group(within(seconds(10)), started, milliseconds(0));
        }
        EXPECT_TRUE(real_files().remove_tree(directory_).has_value());
    }

    Result<ProcessIdentity> start(const std::string& script) {
        Daemon daemon;
        daemon.command.arguments = {"/bin/sh", "-c", script};
        daemon.command.directory = directory_;
        daemon.log = directory_ / "log";
        auto identity = processes_.start_daemon(within(seconds(10)), daemon);
        if (identity.has_value()) started_.push_back(*identity);
        return identity;
    }

    std::string log() const {
        std::ifstream file(directory_ / "log");
        std::ostringstream text;
        text << file.rdbuf();
        return text.str();
    }

    /// Polls until the log holds that many lines, for five seconds at most.
    std::vector<std::string> log_lines(std::size_t count) const {
        const Context context = within(seconds(5));
        for (;;) {
            const std::string text = log();
            std::vector<std::string> lines;
            for (const auto line : split(trim(text), '\n')) lines.emplace_back(line);
            if (!text.empty() && lines.size() >= count) return lines;
            if (!context.sleep(milliseconds(5)).has_value()) return lines;
        }
    }

    Processes& processes_ = real_processes();
    Path directory_;
    std::vector<ProcessIdentity> started_;
};

TEST_F(DaemonTest, starts_in_its_own_session_below_init_and_logs_both_streams) {
    auto identity = start(
        "echo $$ $(cut -d' ' -f4,6 /proc/$$/stat); echo oops >&2; umask; "
        "echo $(ls /proc/self/fd); exec sleep 1000");
    ASSERT_TRUE(identity.has_value()) << identity.error().message;
    EXPECT_TRUE(processes_.is_alive(*identity));
    const auto lines = log_lines(4);
    ASSERT_EQ(lines.size(), 4U);
    const auto ids = split(lines[0], ' ');
    ASSERT_EQ(ids.size(), 3U);
    EXPECT_EQ(parse_integer(ids[0]), identity->pid);
    EXPECT_NE(parse_integer(ids[1]), ::getpid());  // its parent is init, or a subreaper above us
    EXPECT_EQ(parse_integer(ids[2]), identity->pid);
    EXPECT_EQ(lines[1], "oops");
    EXPECT_EQ(lines[2], "0077");
    EXPECT_EQ(lines[3], "0 1 2 3");  // 3 is the listing itself
}

TEST_F(DaemonTest, appends_to_its_log) {
    ASSERT_TRUE(start("echo one").has_value());
    EXPECT_EQ(log_lines(1).size(), 1U);
    ASSERT_TRUE(start("echo two").has_value());
    EXPECT_EQ(log_lines(2), (std::vector<std::string>{"one", "two"}));
}

TEST_F(DaemonTest, survives_the_death_of_who_started_it) {
    // A child of the test plays lifeboat: it starts the daemon, says who that is, and dies.
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t lifeboat = ::fork();
    if (lifeboat == 0) {
        auto identity = start("exec sleep 1000");
        const std::int64_t pid = identity.has_value() ? identity->pid : 0;
        (void)!::write(ends[1], &pid, sizeof pid);
        ::raise(SIGKILL);
    }
    std::int64_t pid = 0;
    ASSERT_EQ(::read(ends[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
    ::waitpid(lifeboat, nullptr, 0);
    ::close(ends[0]);
    ::close(ends[1]);
    auto identity = processes_.identify(pid);
    ASSERT_TRUE(identity.has_value());
    started_.push_back(*identity);
    EXPECT_TRUE(processes_.is_alive(*identity));
}

TEST_F(DaemonTest, reports_what_is_wrong_before_exec) {
    Daemon daemon;
    daemon.command.arguments = {directory_ / "absent"};
    daemon.log = directory_ / "log";
    EXPECT_EQ(processes_.start_daemon(within(seconds(5)), daemon).error().kind,
              ErrorKind::not_found);
    daemon.command.arguments = {"/bin/sh", "-c", ":"};
    daemon.command.directory = "/no/such/directory";
    EXPECT_EQ(processes_.start_daemon(within(seconds(5)), daemon).error().kind,
              ErrorKind::not_found);
    daemon.command.directory.clear();
    daemon.log = "/no/such/directory/log";
    EXPECT_EQ(processes_.start_daemon(within(seconds(5)), daemon).error().kind,
              ErrorKind::not_found);
}

TEST_F(DaemonTest, names_even_a_process_that_ends_at_once) {
    auto identity = start("exit 0");
    ASSERT_TRUE(identity.has_value()) << identity.error().message;
    EXPECT_GT(identity->pid, 0);
    EXPECT_GT(identity->start_ticks, 0U);
}

TEST_F(DaemonTest, runs_as_another_user) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    Daemon daemon;
    daemon.command.arguments = {"/bin/sh", "-c", "id -u; id -G"};
    daemon.command.run_as = RunAs{.uid = 54321, .gid = 54322};
    daemon.log = directory_ / "log";
    ASSERT_TRUE(processes_.start_daemon(within(seconds(5)), daemon).has_value());
    EXPECT_EQ(log_lines(2), (std::vector<std::string>{"54321", "54322"}));
}

TEST_F(DaemonTest, group_holds_the_session_and_descendants_that_left_it) {
    auto identity = start("sleep 1000 & setsid sleep 1000 & echo up; wait");
    ASSERT_TRUE(identity.has_value());
    ASSERT_EQ(log_lines(1).front(), "up");
    const Context context = within(seconds(5));
    std::size_t size = 0;
    while (size != 3 && context.sleep(milliseconds(5)).has_value()) {
        size = processes_.group(*identity).value().size();
    }
    EXPECT_EQ(size, 3U);
}

TEST_F(DaemonTest, stop_group_ends_all_even_those_that_ignore_sigterm) {
    auto identity = start(
        "trap '' TERM; sleep 1000 & setsid sleep 1000 & echo up; "
        "while :; do sleep 1; done");
    ASSERT_TRUE(identity.has_value());
    ASSERT_EQ(log_lines(1).front(), "up");
    auto stopped = processes_.stop_group(within(seconds(10)), *identity, milliseconds(100));
    EXPECT_TRUE(stopped.has_value()) << stopped.error().message;
    EXPECT_TRUE(processes_.group(*identity).value().empty());
    EXPECT_FALSE(processes_.is_alive(*identity));
    EXPECT_TRUE(processes_.stop_group(within(seconds(1)), *identity, seconds(1)).has_value());
}

TEST_F(DaemonTest, stop_group_ends_the_members_when_the_leader_is_dead) {
    auto identity = start("sleep 1000 & echo $!; exit 0");
    ASSERT_TRUE(identity.has_value());
    const auto member = parse_integer(log_lines(1).front());
    ASSERT_TRUE(member.has_value());
    const Context context = within(seconds(5));
    while (processes_.is_alive(*identity) && context.sleep(milliseconds(5)).has_value()) {
    }
    EXPECT_EQ(processes_.group(*identity).value().size(), 1U);
    EXPECT_TRUE(processes_.stop_group(within(seconds(5)), *identity, seconds(2)).has_value());
    EXPECT_FALSE(processes_.identify(*member).has_value());
}

TEST_F(DaemonTest, stop_group_ends_what_is_stopped) {
    auto identity = start("kill -STOP $$; sleep 1000");
    ASSERT_TRUE(identity.has_value());
    EXPECT_TRUE(processes_.stop_group(within(seconds(5)), *identity, seconds(4)).has_value());
    EXPECT_FALSE(processes_.is_alive(*identity));
}

TEST_F(DaemonTest, stop_group_ends_early_when_stopped) {
    auto identity = start("trap '' TERM; echo up; while :; do sleep 1; done");
    ASSERT_TRUE(identity.has_value());
    ASSERT_EQ(log_lines(1).front(), "up");
    std::stop_source stop;
    stop.request_stop();
    const Context context = within(seconds(20)).with_stop(stop.get_token());
    auto stopped = processes_.stop_group(context, *identity, seconds(20));
    EXPECT_EQ(stopped.error().kind, ErrorKind::cancelled);
}

TEST_F(DaemonTest, signals_exactly_this_process) {
    auto identity = start("trap 'echo usr1; exit' USR1; echo up; while :; do sleep 0.01; done");
    ASSERT_TRUE(identity.has_value());
    ASSERT_EQ(log_lines(1).front(), "up");
    ProcessIdentity other = *identity;
    other.start_ticks += 1;
    EXPECT_EQ(processes_.signal(other, SIGUSR1).error().kind, ErrorKind::not_found);
    other = *identity;
    other.boot_id = "another boot";
    EXPECT_EQ(processes_.signal(other, SIGUSR1).error().kind, ErrorKind::not_found);
    EXPECT_TRUE(processes_.stop_group(within(seconds(1)), other, seconds(1)).has_value());
    EXPECT_TRUE(processes_.is_alive(*identity));
    EXPECT_TRUE(processes_.signal(*identity, SIGUSR1).has_value());
    EXPECT_EQ(log_lines(2).back(), "usr1");
}

TEST(Identify, says_that_a_zombie_is_dead) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    siginfo_t ended{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT), 0);
    EXPECT_TRUE(read_process(child).has_value());
    EXPECT_EQ(real_processes().identify(child).error().kind, ErrorKind::not_found);
    ::waitpid(child, nullptr, 0);
}

TEST(Identify, knows_ourselves_and_not_what_never_was) {
    auto own = real_processes().identify(real_processes().own_pid());
    ASSERT_TRUE(own.has_value());
    EXPECT_EQ(own->boot_id, real_processes().boot_id());
    EXPECT_EQ(own->boot_id.size(), 36U);
    EXPECT_TRUE(real_processes().is_alive(*own));
    for (const std::int64_t pid : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{4'194'305}}) {
        EXPECT_FALSE(real_processes().identify(pid).has_value()) << pid;
    }
}

TEST(Identify, reads_names_that_hold_spaces_and_parentheses) {
    const std::string tail = " S 7 8 9 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 12345 1 2";
    for (const char* name : {"sh", "a b", "a) S 1 2 (b", ")", "(", ""}) {
        const auto process = parse_process_stat("42 (" + std::string(name) + ")" + tail);
        ASSERT_TRUE(process.has_value()) << name;
        EXPECT_EQ(process->pid, 42);
        EXPECT_EQ(process->parent, 7);
        EXPECT_EQ(process->session, 9);
        EXPECT_EQ(process->start_ticks, 12345U);
        EXPECT_EQ(process->state, 'S');
    }
    for (const char* text : {"", "42", "42 (sh", "42 (sh) S 1 2", "x (sh) S 1 2 3"}) {
        EXPECT_FALSE(parse_process_stat(text).has_value()) << text;
    }
}

ProcessStat process(std::int64_t pid, std::int64_t parent, std::int64_t session,
                    std::uint64_t start, char state = 'S') {
    return {.pid = pid, .parent = parent, .session = session, .start_ticks = start, .state = state};
}

std::vector<std::int64_t> members(std::vector<ProcessStat> processes) {
    std::vector<std::int64_t> pids;
    const ProcessIdentity leader{.pid = 100, .start_ticks = 50, .boot_id = {}};
    for (const auto& member : members_of(leader, processes)) pids.push_back(member.pid);
    return pids;
}

using Pids = std::vector<std::int64_t>;

TEST(Group, holds_session_descendants_and_no_strangers) {
    EXPECT_EQ(members({process(103, 102, 102, 53), process(102, 101, 102, 52),
                       process(101, 1, 100, 51), process(100, 1, 100, 50), process(99, 1, 99, 60)}),
              (Pids{103, 102, 101, 100}));
}

TEST(Group, holds_members_of_a_dead_leader_but_not_the_dead) {
    EXPECT_EQ(members({process(101, 1, 100, 51), process(102, 1, 100, 52, 'Z')}), Pids{101});
    EXPECT_EQ(members({process(100, 1, 100, 50, 'Z'), process(101, 100, 100, 51)}), Pids{101});
}

TEST(Group, leaves_strangers_alone_after_a_pid_was_reused) {
    EXPECT_EQ(members({process(100, 1, 100, 90), process(101, 100, 100, 91)}), Pids{});
    EXPECT_EQ(members({process(101, 1, 100, 49)}), Pids{});
}

TEST(Machine, answers_who_and_where_we_are) {
    Processes& processes = real_processes();
    EXPECT_EQ(processes.own_uid(), ::geteuid());
    EXPECT_FALSE(processes.own_user().empty());
    EXPECT_FALSE(processes.host_name().empty());
    EXPECT_TRUE(processes.own_program().is_absolute());
    EXPECT_TRUE(std::filesystem::exists(processes.own_program()));
    EXPECT_EQ(processes.user("root")->uid, 0U);
    EXPECT_EQ(processes.user("lifeboat-no-such-user").error().kind, ErrorKind::not_found);
    EXPECT_TRUE(processes.environment("PATH").has_value());
    EXPECT_FALSE(processes.environment("LIFEBOAT_NO_SUCH_VARIABLE").has_value());
}

}  // namespace
}  // namespace lifeboat

// Real children of /bin/sh: what run() promises about streams, ends and leftovers.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "platform/base/text.h"
#include "platform/env/proc_table.h"
#include "platform/env/real.h"

namespace lifeboat {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Context within(Duration limit) { return Context(real_clock()).within(limit); }

Command shell(const std::string& script) {
    Command command;
    command.arguments = {"/bin/sh", "-c", script};
    return command;
}

Exit run_shell(const std::string& script) {
    auto exit = real_processes().run(within(seconds(20)), shell(script));
    EXPECT_TRUE(exit.has_value()) << exit.error().message;
    return exit.has_value() ? *exit : Exit{.code = -1};
}

/// Polls until the condition holds, for five seconds at most.
template <class Condition>
bool eventually(Condition condition) {
    const Context context = within(seconds(5));
    while (!condition()) {
        if (!context.sleep(milliseconds(5)).has_value() && context.remaining() == Duration::zero())
            return condition();
    }
    return true;
}

bool alive(std::int64_t pid) { return real_processes().identify(pid).has_value(); }

TEST(Run, captures_both_streams_and_the_exit_status) {
    const Exit exit = run_shell("echo out; echo err >&2; exit 7");
    EXPECT_EQ(exit.code, 7);
    EXPECT_EQ(exit.signal, 0);
    EXPECT_EQ(exit.output, "out\n");
    EXPECT_EQ(exit.error, "err\n");
    EXPECT_EQ(exit.output_dropped, 0U);
    EXPECT_GT(exit.took, Duration::zero());
}

TEST(Run, reports_the_signal_that_ended_it) {
    const Exit exit = run_shell("kill -9 $$");
    EXPECT_EQ(exit.signal, SIGKILL);
    EXPECT_EQ(exit.code, 128 + SIGKILL);
}

TEST(Run, gives_the_input_or_nothing) {
    Command command = shell("cat");
    command.input = std::string(300'000, 'x');
    auto exit = real_processes().run(within(seconds(20)), command);
    ASSERT_TRUE(exit.has_value());
    EXPECT_EQ(exit->output, command.input);
    EXPECT_EQ(run_shell("cat").output, "");
}

TEST(Run, does_not_mind_a_command_that_ignores_its_input) {
    Command command = shell("exit 0");
    command.input = std::string(3'000'000, 'x');
    auto exit = real_processes().run(within(seconds(20)), command);
    ASSERT_TRUE(exit.has_value());
    EXPECT_EQ(exit->code, 0);
}

TEST(Run, keeps_output_up_to_its_limit_and_counts_the_rest) {
    Command command = shell("head -c 5000000 /dev/zero; head -c 10 /dev/zero >&2");
    command.output_limit = 1000;
    std::size_t seen = 0;
    command.on_output = [&](bool error, std::string_view text) { seen += error ? 0 : text.size(); };
    auto exit = real_processes().run(within(seconds(20)), command);
    ASSERT_TRUE(exit.has_value());
    EXPECT_EQ(exit->output.size(), 1000U);
    EXPECT_EQ(exit->error.size(), 10U);
    EXPECT_EQ(exit->output_dropped, 4'999'000U);
    EXPECT_EQ(seen, 5'000'000U);
}

TEST(Run, passes_output_on_while_the_command_runs) {
    // The command waits for a file that only appears when its first line has arrived.
    const std::string file = "/tmp/lifeboat-run-" + std::to_string(::getpid());
    Command command = shell("echo first; while ! [ -e " + file + " ]; do sleep 0.01; done");
    command.on_output = [&](bool, std::string_view text) {
        if (text == "first\n") (void)real_files().open(file, OpenMode::create);
    };
    auto exit = real_processes().run(within(seconds(10)), command);
    EXPECT_TRUE(exit.has_value());
    EXPECT_TRUE(real_files().remove(file).has_value());
}

TEST(Run, says_not_found_for_a_missing_program) {
    for (const char* program : {"lifeboat-no-such-program", "/no/such/program"}) {
        auto exit = real_processes().run(within(seconds(5)), Command{.arguments = {program}});
        ASSERT_FALSE(exit.has_value());
        EXPECT_EQ(exit.error().kind, ErrorKind::not_found) << program;
    }
    auto directory = real_processes().run(within(seconds(5)), Command{.arguments = {"/tmp"}});
    ASSERT_FALSE(directory.has_value());
    EXPECT_EQ(directory.error().kind, ErrorKind::denied);
    auto nothing = real_processes().run(within(seconds(5)), Command{});
    EXPECT_EQ(nothing.error().kind, ErrorKind::invalid);
}

TEST(Run, starts_in_the_directory_or_says_that_it_cannot) {
    Command command = shell("pwd");
    command.directory = "/proc";
    EXPECT_EQ(real_processes().run(within(seconds(5)), command)->output, "/proc\n");
    command.directory = "/no/such/directory";
    auto exit = real_processes().run(within(seconds(5)), command);
    ASSERT_FALSE(exit.has_value());
    EXPECT_EQ(exit.error().kind, ErrorKind::not_found);
    EXPECT_NE(exit.error().message.find("/no/such/directory"), std::string::npos);
}

TEST(Run, adds_to_the_environment_or_clears_it) {
    ::setenv("LIFEBOAT_TEST_INHERITED", "yes", 1);  // NOLINT(concurrency-mt-unsafe)
    Command command = shell("echo $LIFEBOAT_TEST_INHERITED:$LIFEBOAT_TEST_ADDED");
    command.environment["LIFEBOAT_TEST_ADDED"] = "a = b";
    EXPECT_EQ(real_processes().run(within(seconds(5)), command)->output, "yes:a = b\n");
    command.clear_environment = true;
    EXPECT_EQ(real_processes().run(within(seconds(5)), command)->output, ":a = b\n");
    ::unsetenv("LIFEBOAT_TEST_INHERITED");  // NOLINT(concurrency-mt-unsafe)
}

TEST(Run, runs_as_another_user_with_his_groups_only) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    Command command = shell("id -u; id -g; id -G; echo $HOME");
    command.run_as = RunAs{.uid = 54321, .gid = 54322};
    EXPECT_EQ(real_processes().run(within(seconds(5)), command)->output,
              "54321\n54322\n54322\n/\n");
}

TEST(Run, leads_a_session_of_its_own_and_inherits_no_descriptors) {
    const int leaked = ::open("/dev/null", O_RDONLY);  // NOLINT: without close-on-exec
    const Exit exit = run_shell("echo $$ $(cut -d' ' -f6 /proc/$$/stat); echo $(ls /proc/self/fd)");
    ::close(leaked);
    const auto lines = split(trim(exit.output), '\n');
    ASSERT_EQ(lines.size(), 2U);
    const auto ids = split(lines[0], ' ');
    EXPECT_EQ(ids[0], ids[1]);
    EXPECT_EQ(lines[1], "0 1 2 3");  // 3 is the listing itself
}

TEST(Run, restores_default_signals_in_the_command) {
    std::signal(SIGPIPE, SIG_IGN);
    const Exit exit = run_shell("grep -E '^Sig(Blk|Ign)' /proc/self/status | cut -f2");
    std::signal(SIGPIPE, SIG_DFL);
    EXPECT_EQ(exit.output, "0000000000000000\n0000000000000000\n");
}

TEST(Run, ends_at_its_deadline_with_all_that_it_started) {
    // A child that ignores SIGTERM, one in a session of its own, one that was forked twice.
    std::string pids;
    Command command = shell(
        "(trap '' TERM; echo $(exec sh -c 'echo $PPID'); while :; do sleep 1; done) & "
        "setsid sh -c 'echo $$; exec sleep 1000' & "
        "(setsid sh -c 'echo $$; exec sleep 1000' &) & wait; sleep 1000");
    command.on_output = [&](bool, std::string_view text) { pids += text; };
    const Monotonic start = real_clock().monotonic();
    auto exit = real_processes().run(within(milliseconds(500)), command);
    const Duration took = real_clock().monotonic() - start;
    ASSERT_FALSE(exit.has_value());
    EXPECT_EQ(exit.error().kind, ErrorKind::timeout);
    EXPECT_GE(took, milliseconds(2400));  // SIGTERM was ignored for its 2 s
    EXPECT_LT(took, seconds(60));
    const auto lines = split(trim(pids), '\n');
    EXPECT_EQ(lines.size(), 3U) << pids;
    for (const auto line : lines) EXPECT_FALSE(alive(parse_integer(line).value_or(1))) << line;
}

TEST(Run, ends_at_once_when_stopped) {
    std::stop_source stop;
    Command command = shell("echo started; sleep 1000");
    command.on_output = [&](bool, std::string_view) { stop.request_stop(); };
    const Context context = within(seconds(60)).with_stop(stop.get_token());
    auto exit = real_processes().run(context, command);
    ASSERT_FALSE(exit.has_value());
    EXPECT_EQ(exit.error().kind, ErrorKind::cancelled);  // and not timeout
}

TEST(Run, does_not_start_when_already_stopped) {
    std::stop_source stop;
    stop.request_stop();
    auto exit = real_processes().run(within(seconds(5)).with_stop(stop.get_token()), shell(":"));
    EXPECT_EQ(exit.error().kind, ErrorKind::cancelled);
}

TEST(Run, does_not_hang_on_a_child_that_keeps_the_pipes_and_kills_it) {
    const Monotonic start = real_clock().monotonic();
    const Exit exit = run_shell("(setsid sh -c 'echo $$; exec sleep 1000' &) ; sleep 0.2; exit 3");
    EXPECT_EQ(exit.code, 3);
    EXPECT_LT(real_clock().monotonic() - start, seconds(60));
    EXPECT_FALSE(alive(parse_integer(trim(exit.output)).value_or(1))) << exit.output;
}

TEST(Run, waits_for_the_last_words_of_a_child_that_ends_soon) {
    EXPECT_EQ(run_shell("(sleep 0.05; echo late) & echo early").output, "early\nlate\n");
}

TEST(Run, kills_what_a_command_leaves_behind_without_its_pipes) {
    const Exit exit =
        run_shell("trap '' TERM; setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo $!; exit 0");
    EXPECT_EQ(exit.code, 0);
    EXPECT_FALSE(alive(parse_integer(trim(exit.output)).value_or(1)));
}

TEST(Run, ends_the_command_when_lifeboat_is_killed) {
    // A child of the test plays lifeboat; it says the pid of its command and is killed with -9.
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const pid_t lifeboat = ::fork();
    if (lifeboat == 0) {
        Command command = shell("echo $$; exec sleep 1000");
        command.on_output = [&](bool, std::string_view text) {
            (void)!::write(ends[1], text.data(), text.size());
        };
        (void)real_processes().run(within(seconds(30)), command);
        ::_exit(0);
    }
    char text[32] = {};
    ASSERT_GT(::read(ends[0], text, sizeof text - 1), 0);
    const auto command = parse_integer(trim(text)).value_or(0);
    EXPECT_TRUE(alive(command));
    ::kill(lifeboat, SIGKILL);
    EXPECT_TRUE(eventually([&] { return !alive(command); }));
    ::waitpid(lifeboat, nullptr, 0);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST(Run, serves_many_commands_at_once) {
    std::vector<std::thread> threads;
    std::atomic<int> good = 0;
    for (int i = 0; i < 16; ++i) {
        threads.emplace_back([&good, i] {
            const std::string text = std::to_string(i);
            good += run_shell("echo " + text + "; cat /dev/null").output == text + "\n" ? 1 : 0;
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(good, 16);
}

}  // namespace
}  // namespace lifeboat

// Commands for real: floods, hangs, runaways, secrets.

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>

#include "platform/base/text.h"
#include "providers/shell/capture.h"
#include "providers/shell/shell.h"
#include "test/support/provider_world.h"

namespace lifeboat::providers {
namespace {

using runbook::ProbeVerdict;

class ShellProvider : public testing::Test {
protected:
    ShellProvider() {
        registry_.add(make_shell_provider(world_.services()));
        world_.read_plan(registry_,
                         "  tool: {kind: shell, site: primary, health: [{exec: \"true\"}]}\n");
    }

    Result<Started> run(Json arguments, Duration limit = std::chrono::seconds(30)) {
        return provider().start(world_.context(limit), world_.call("", "run", std::move(arguments)),
                                test::ignore_progress);
    }
    Json outputs(Json arguments) {
        auto started = run(std::move(arguments));
        EXPECT_TRUE(started.has_value()) << started.error().message;
        return started.has_value() ? started->outputs : Json::object();
    }
    Provider& provider() { return *registry_.find("shell"); }
    bool lives(const std::string& pid_file) {
        const auto text = read_file(world_.environment().files, world_.directory() / pid_file);
        EXPECT_TRUE(text.has_value());
        const auto pid = parse_integer(trim(as_text(*text)));
        return pid && world_.environment().processes.identify(*pid).has_value();
    }

    test::ProviderWorld world_;
    Registry registry_;
};

TEST_F(ShellProvider, gives_exit_output_and_announced_values) {
    const Json seen = outputs({{"command", "echo hello; echo '::output point=p-17'; pwd"}});
    EXPECT_EQ(seen["exit"], 0);
    EXPECT_EQ(seen["point"], "p-17");
    EXPECT_TRUE(seen["output"].get<std::string>().starts_with("hello\n"));
    EXPECT_TRUE(seen["output"].get<std::string>().contains(world_.directory().string()));
}

TEST_F(ShellProvider, a_list_is_run_without_a_shell) {
    EXPECT_EQ(outputs({{"command", {"/bin/echo", "$HOME;", "x y"}}})["output"], "$HOME; x y");
}

TEST_F(ShellProvider, keeps_head_and_tail_of_a_flood) {
    const Json seen =
        outputs({{"command", "echo first; yes 0123456789 | head -c 50000000; echo; echo last"}});
    const auto text = seen["output"].get<std::string>();
    EXPECT_LT(text.size(), 64U << 10U);
    EXPECT_TRUE(text.starts_with("first\n"));
    EXPECT_TRUE(text.ends_with("\nlast"));
    EXPECT_GT(seen["dropped"].get<std::uint64_t>(), 49'000'000U);
}

TEST_F(ShellProvider, one_that_never_ends_is_killed_with_its_children_and_its_outcome_is_unknown) {
    const auto began = world_.environment().clock.monotonic();
    const auto ended = run(
        {{"command", "sleep 1000 & echo $! > child; setsid sleep 1000 & echo $! > runaway; wait"}},
        std::chrono::milliseconds(500));
    ASSERT_FALSE(ended.has_value());
    EXPECT_EQ(ended.error().kind, ErrorKind::unknown);
    EXPECT_LT(world_.environment().clock.monotonic() - began, std::chrono::seconds(60));
    EXPECT_FALSE(lives("child"));
    EXPECT_FALSE(lives("runaway"));
}

TEST_F(ShellProvider, one_that_forks_away_does_not_hold_the_step) {
    const auto began = world_.environment().clock.monotonic();
    const Json seen = outputs({{"command", "(setsid sleep 1000 & echo $! > runaway) ; echo done"}});
    EXPECT_EQ(seen["exit"], 0);
    EXPECT_LT(world_.environment().clock.monotonic() - began, std::chrono::seconds(60));
    EXPECT_FALSE(lives("runaway"));
}

TEST_F(ShellProvider, a_stop_ends_it_soon) {
    std::stop_source stop;
    std::jthread later([&] {
        (void)world_.context().sleep(std::chrono::milliseconds(200));
        stop.request_stop();
    });
    const auto ended = provider().start(world_.context().with_stop(stop.get_token()),
                                        world_.call("", "run", {{"command", "sleep 1000"}}),
                                        test::ignore_progress);
    ASSERT_FALSE(ended.has_value());
    EXPECT_EQ(ended.error().kind, ErrorKind::unknown);
}

TEST_F(ShellProvider, a_failure_says_what_it_said_last) {
    const auto failed = run({{"command", "echo no such bucket >&2; exit 4"}});
    ASSERT_FALSE(failed.has_value());
    EXPECT_EQ(failed.error().kind, ErrorKind::invalid);
    EXPECT_TRUE(failed.error().message.contains("exit code 4: no such bucket"));
    EXPECT_EQ(run({{"command", "exit 75"}}).error().kind, ErrorKind::unavailable);
    EXPECT_EQ(run({{"command", "exit 1"}, {"idempotent", true}}).error().kind,
              ErrorKind::unavailable);
    EXPECT_EQ(run({{"command", {"/no/such/program"}}}).error().kind, ErrorKind::not_found);
}

TEST_F(ShellProvider, a_secret_goes_by_environment_and_is_shown_nowhere) {
    const Path file = world_.directory() / "token";
    ASSERT_TRUE(write_file_durably(world_.environment().files, file, as_bytes("s3cr3t-value\n"))
                    .has_value());
    const Json arguments{{"command",
                          "test \"$TOKEN\" = s3cr3t\"-value\" && echo got $TOKEN;"
                          " tr '\\0' ' ' < /proc/$$/cmdline"},
                         {"environment", {{"TOKEN", "file:" + file.string()}}}};
    const Json seen = outputs(arguments);
    EXPECT_TRUE(seen["output"].get<std::string>().starts_with("got ‹secret›"));
    const auto calls = provider().preview(world_.context(), world_.call("", "run", arguments));
    EXPECT_FALSE((dump(seen) + calls->front().action).contains("s3cr3t-value"));
}

TEST_F(ShellProvider, does_not_inherit_what_lifeboat_was_given) {
    ::setenv("LIFEBOAT_TEST_SECRET", "not yours", 1);
    EXPECT_EQ(outputs({{"command", "echo [$LIFEBOAT_TEST_SECRET]"}})["output"], "[]");
    ::unsetenv("LIFEBOAT_TEST_SECRET");
}

TEST_F(ShellProvider, after_a_crash_its_probe_tells_or_a_person_must) {
    const auto verdict = [&](Json arguments) {
        const auto probed =
            provider().probe(world_.context(), world_.call("", "run", std::move(arguments)));
        EXPECT_TRUE(probed.has_value());
        return probed->verdict;
    };
    EXPECT_EQ(verdict({{"command", "true"}}), ProbeVerdict::undecided);
    EXPECT_EQ(verdict({{"command", "true"}, {"idempotent", true}}), ProbeVerdict::absent);
    EXPECT_EQ(verdict({{"command", "true"}, {"probe", "exit 0"}}), ProbeVerdict::done);
    EXPECT_EQ(verdict({{"command", "true"}, {"probe", "exit 1"}}), ProbeVerdict::absent);
    EXPECT_EQ(verdict({{"command", "true"}, {"probe", "exit 9"}}), ProbeVerdict::undecided);
}

}  // namespace
}  // namespace lifeboat::providers

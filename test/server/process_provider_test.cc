// Services of this machine for real: they outlive the call, are known by more than their pid, and
// what Lifeboat says about them is proven from outside.

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <thread>

#include "platform/base/text.h"
#include "providers/probe/check.h"
#include "providers/process/process.h"
#include "providers/process/record.h"
#include "test/support/provider_world.h"

namespace lifeboat::providers {
namespace {

using watch::Health;

/// An HTTP service that answers /healthz, shows VALUE at /value, and writes a child's pid.
constexpr std::string_view program = R"(
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = os.environ.get("VALUE", "").encode() if self.path == "/value" else b"ok"
        self.send_response(200); self.send_header("Content-Length", str(len(body)))
        self.end_headers(); self.wfile.write(body)
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer.allow_reuse_address = True
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
)";

class ProcessProvider : public testing::Test {
protected:
    ProcessProvider() { registry_.add(make_process_provider(world_.services())); }
    ~ProcessProvider() override {
        for (const std::string& name : started_) {
            (void)act(name, "stop");  // whatever a test left behind
            (void)act(name, "stop", Json{{"site", "dr"}});
        }
    }

    void plan(const std::string& components) { world_.read_plan(registry_, components); }

    /// A component `shop` of two replicas on ports of its own.
    void plan_shop(const std::string& more = "") {
        write("serve.py", program);
        plan(
            fmt::format("  shop:\n    kind: process\n    site: primary\n    replicas: 2\n"
                        "    ports: auto\n"
                        "    command: [/usr/bin/python3, ./serve.py, \"{{{{ self.port }}}}\"]\n"
                        "    working_directory: .\n    stop_timeout: 2s\n"
                        "    health: [{{http: /healthz}}]\n{}",
                        more));
    }

    void write(const std::string& name, std::string_view text) {
        ASSERT_TRUE(write_file_durably(world_.environment().files, world_.directory() / name,
                                       as_bytes(text), 0755)
                        .has_value());
    }

    Result<Json> act(const std::string& component, const std::string& verb,
                     Json arguments = Json::object(), const std::string& step = "") {
        if (verb == "start" || verb == "release") started_.insert(component);
        auto started = provider().start(world_.context(),
                                        world_.call(component, verb, std::move(arguments), step),
                                        test::ignore_progress);
        if (!started.has_value()) return started.error();
        return started->outputs;
    }
    Observation observe(const std::string& component) {
        auto seen = provider().observe(world_.context(), world_.target(component));
        EXPECT_TRUE(seen.has_value());
        return seen.value_or(Observation());
    }
    Provider& provider() { return *registry_.find("process"); }
    std::map<unsigned, process::Replica> replicas(const std::string& component) {
        auto service = process::service_of(world_.services(), world_.target(component));
        EXPECT_TRUE(service.has_value());
        auto found = process::look_up(world_.environment(), *service);
        EXPECT_TRUE(found.has_value());
        return *found;
    }
    std::int64_t pid(const std::string& component, unsigned number) {
        const auto found = replicas(component);
        return found.contains(number) && found.at(number).alive ? found.at(number).alive->pid : 0;
    }
    std::string get(std::uint16_t port, const std::string& path) {
        plan::Check check;
        check.type = "exec";
        check.settings = Json{{"value", fmt::format("curl -s http://127.0.0.1:{}{}", port, path)}};
        return probe::run_check(world_.context(), world_.environment(), check, {}).detail;
    }

    test::ProviderWorld world_;
    Registry registry_;
    std::set<std::string> started_;
};

TEST_F(ProcessProvider, starts_replicas_that_outlive_the_call_and_are_seen_healthy) {
    plan_shop();
    EXPECT_EQ(observe("shop").health, Health::unhealthy);
    const auto outputs = act("shop", "start");
    ASSERT_TRUE(outputs.has_value()) << outputs.error().message;
    EXPECT_EQ((*outputs)["endpoints"].size(), 2U);
    EXPECT_EQ((*outputs)["instance"]["settings"]["endpoints"], (*outputs)["endpoints"]);
    const Observation seen = observe("shop");
    EXPECT_EQ(seen.health, Health::healthy) << seen.why;
    EXPECT_EQ(seen.facts["ready"], 2);
}

TEST_F(ProcessProvider, a_second_start_leaves_what_runs_alone) {
    plan_shop();
    ASSERT_TRUE(act("shop", "start").has_value());
    const auto before = pid("shop", 1);
    const auto again = act("shop", "start");
    ASSERT_TRUE(again.has_value());
    EXPECT_TRUE((*again)["started"].empty());
    EXPECT_EQ(pid("shop", 1), before);
}

TEST_F(ProcessProvider, stop_ends_children_that_left_the_session_and_proves_the_port_closed) {
    write("serve.py", program);
    write("wrap.sh",
          "#!/bin/sh\nsetsid sleep 1000 &\necho $! > child\n"
          "exec /usr/bin/python3 serve.py $1\n");
    plan(
        "  shop:\n    kind: process\n    site: primary\n    ports: auto\n"
        "    command: [./wrap.sh, \"{{ self.port }}\"]\n    health: [{http: /healthz}]\n");
    const auto outputs = act("shop", "start");
    ASSERT_TRUE(outputs.has_value()) << outputs.error().message;
    const auto text = read_file(world_.environment().files, world_.directory() / "child");
    ASSERT_TRUE(text.has_value());
    const auto child = parse_integer(trim(as_text(*text)));
    ASSERT_TRUE(child && world_.environment().processes.identify(*child).has_value());
    ASSERT_TRUE(act("shop", "stop").has_value());
    EXPECT_FALSE(world_.environment().processes.identify(*child).has_value());
    EXPECT_EQ(observe("shop").health, Health::unhealthy);
}

TEST_F(ProcessProvider, a_pid_that_a_stranger_reused_is_dead_and_never_signalled) {
    plan_shop();
    ASSERT_TRUE(act("shop", "start").has_value());
    auto service = process::service_of(world_.services(), world_.target("shop"));
    ASSERT_TRUE(service.has_value());
    process::Record record = replicas("shop").at(1).record;
    const ProcessIdentity real = *record.identity;
    // The record names a live process that started at another time: this test itself.
    record.identity->pid = world_.environment().processes.own_pid();
    ASSERT_TRUE(process::save(world_.environment(), *service, record).has_value());
    EXPECT_FALSE(replicas("shop").at(1).alive.has_value());
    EXPECT_EQ(observe("shop").health, Health::degraded);
    // The real one holds the port: it is not ours any more by its record, so stop names it.
    record.identity = real;
    ASSERT_TRUE(process::save(world_.environment(), *service, record).has_value());
    EXPECT_EQ(observe("shop").health, Health::healthy);
}

TEST_F(ProcessProvider, a_zombie_is_dead) {
    plan_shop();
    ASSERT_TRUE(act("shop", "start").has_value());
    auto service = process::service_of(world_.services(), world_.target("shop"));
    ASSERT_TRUE(service.has_value());
    const pid_t child = ::fork();
    if (child == 0) {
        ::pause();
        ::_exit(0);
    }
    const auto identity = world_.environment().processes.identify(child);
    ASSERT_TRUE(identity.has_value());
    process::Record record = replicas("shop").at(1).record;
    const process::Record original = record;
    record.identity = *identity;
    ASSERT_TRUE(process::save(world_.environment(), *service, record).has_value());
    EXPECT_TRUE(replicas("shop").at(1).alive.has_value());
    ::kill(child, SIGKILL);
    siginfo_t ended;
    ::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT);  // a zombie from now on
    EXPECT_FALSE(replicas("shop").at(1).alive.has_value());
    ::waitpid(child, nullptr, 0);
    ASSERT_TRUE(process::save(world_.environment(), *service, original).has_value());
}

TEST_F(ProcessProvider, a_replica_whose_record_was_never_completed_is_found_and_kept) {
    plan_shop();
    ASSERT_TRUE(act("shop", "start").has_value());
    auto service = process::service_of(world_.services(), world_.target("shop"));
    process::Record record = replicas("shop").at(1).record;
    const auto before = pid("shop", 1);
    record.identity.reset();  // as if Lifeboat was killed right after the process began
    ASSERT_TRUE(process::save(world_.environment(), *service, record).has_value());
    EXPECT_EQ(pid("shop", 1), before);
    const auto probed = provider().probe(world_.context(), world_.call("shop", "start"));
    ASSERT_TRUE(probed.has_value());
    EXPECT_EQ(probed->verdict, runbook::ProbeVerdict::done) << probed->explanation;
    ASSERT_TRUE(act("shop", "start").has_value());
    EXPECT_EQ(pid("shop", 1), before);
}

TEST_F(ProcessProvider, stop_finds_processes_whose_records_are_lost) {
    plan_shop();
    ASSERT_TRUE(act("shop", "start").has_value());
    const auto first = replicas("shop").at(1).alive;
    ASSERT_TRUE(world_.environment().files.remove_tree(world_.directory() / "primary").has_value());
    EXPECT_EQ(observe("shop").health, Health::unhealthy);
    ASSERT_TRUE(act("shop", "stop").has_value());
    EXPECT_FALSE(world_.environment().processes.is_alive(*first));
}

TEST_F(ProcessProvider, repoint_replaces_replicas_only_when_their_environment_changed) {
    plan("  db:\n    kind: process\n    site: primary\n    command: \"sleep 1000\"\n    port: 1\n");
    write("serve.py", program);
    plan_shop(
        "    needs: [db]\n    environment: {VALUE: \"at {{ db.port }}\"}\n"
        "  db: {kind: process, site: primary, command: \"sleep 1000\", port: 7001}\n");
    const auto outputs = act("shop", "start");
    ASSERT_TRUE(outputs.has_value()) << outputs.error().message;
    const auto before = pid("shop", 1);
    auto again = act("shop", "repoint");
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(pid("shop", 1), before);
    Instance moved = world_.current("db");
    moved.settings["port"] = 7002;
    world_.adopt(Json{{"instance", to_json(moved)}});
    again = act("shop", "repoint");
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_EQ((*again)["replaced"].size(), 2U);
    EXPECT_NE(pid("shop", 1), before);
    const auto port = replicas("shop").at(2).record.port;
    EXPECT_EQ(get(port, "/value"), "at 7002");
}

TEST_F(ProcessProvider, what_is_isolated_or_fenced_stays_down_until_released) {
    plan_shop();
    ASSERT_TRUE(act("shop", "start").has_value());
    for (const std::string verb : {"isolate", "fence"}) {
        ASSERT_TRUE(act("shop", verb).has_value());
        EXPECT_EQ(observe("shop").health, Health::unhealthy);
        const auto refused = act("shop", "start");
        ASSERT_FALSE(refused.has_value());
        EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
        EXPECT_FALSE(refused.error().hint.empty());
        ASSERT_TRUE(act("shop", "repoint").has_value());  // takes effect at the release
        EXPECT_EQ(pid("shop", 1), 0);
        const auto released = act("shop", "release");
        ASSERT_TRUE(released.has_value()) << released.error().message;
        EXPECT_EQ(observe("shop").health, Health::healthy);
    }
}

TEST_F(ProcessProvider, scale_changes_the_number_and_later_starts_keep_it) {
    plan_shop();
    ASSERT_TRUE(act("shop", "start").has_value());
    ASSERT_TRUE(act("shop", "scale", Json{{"replicas", 3}}).has_value());
    EXPECT_EQ(observe("shop").facts["ready"], 3);
    ASSERT_TRUE(act("shop", "scale", Json{{"replicas", 1}}).has_value());
    EXPECT_EQ(replicas("shop").size(), 1U);
    ASSERT_TRUE(act("shop", "stop").has_value());
    ASSERT_TRUE(act("shop", "start").has_value());
    EXPECT_EQ(replicas("shop").size(), 1U);
}

TEST_F(ProcessProvider, a_port_that_is_taken_is_named_and_nothing_starts) {
    write("serve.py", program);
    const std::uint16_t port = test::free_ports(1);
    plan(fmt::format(
        "  first: {{kind: process, site: primary, port: {0}, command: [/usr/bin/python3, "
        "./serve.py, \"{0}\"], health: [{{http: /}}]}}\n"
        "  second: {{kind: process, site: primary, port: {0}, command: \"sleep 100\"}}\n",
        port));
    ASSERT_TRUE(act("first", "start").has_value());
    const auto refused = act("second", "start");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
    EXPECT_TRUE(refused.error().message.contains(std::to_string(port)));
    EXPECT_EQ(pid("second", 1), 0);
    const auto stopped = act("second", "stop");
    ASSERT_FALSE(stopped.has_value());  // it cannot prove that the port is closed
    EXPECT_EQ(stopped.error().kind, ErrorKind::conflict);
}

TEST_F(ProcessProvider, a_service_that_ends_at_once_fails_with_its_last_words) {
    plan("  shop: {kind: process, site: primary, command: \"echo the disk is on fire; exit 3\"}\n");
    const auto failed = act("shop", "start");
    ASSERT_FALSE(failed.has_value());
    EXPECT_EQ(failed.error().kind, ErrorKind::unavailable);
    EXPECT_TRUE(failed.error().message.contains("the disk is on fire")) << failed.error().message;
}

TEST_F(ProcessProvider, a_site_move_gives_a_candidate_at_the_other_site) {
    plan_shop();
    ASSERT_TRUE(act("shop", "start").has_value());
    const auto moved = act("shop", "start", Json{{"site", "dr"}}, "start-dr");
    ASSERT_TRUE(moved.has_value()) << moved.error().message;
    EXPECT_EQ((*moved)["instance"]["site"], "dr");
    EXPECT_NE((*moved)["endpoints"][0], observe("shop").facts["seen"][0]["port"]);
    world_.adopt(*moved);
    EXPECT_EQ(observe("shop").health, Health::healthy);
    ASSERT_TRUE(act("shop", "stop").has_value());
    EXPECT_EQ(observe("shop").health, Health::unhealthy);
    ASSERT_TRUE(act("shop", "stop", Json{{"site", "primary"}}).has_value());
}

TEST_F(ProcessProvider, a_drill_has_its_own_processes_ports_and_records) {
    plan_shop();
    ASSERT_TRUE(act("shop", "start").has_value());
    const auto real = pid("shop", 1);
    VerbCall call = world_.call("shop", "start");
    call.mode = runbook::RunMode::drill;
    call.scope = "run-drill-1";
    const auto started = provider().start(world_.context(), call, test::ignore_progress);
    ASSERT_TRUE(started.has_value()) << started.error().message;
    const Json instance = started->outputs["instance"];
    EXPECT_EQ(instance["name"], "shop@run-drill-1");
    call.verb = "stop";
    ASSERT_TRUE(provider().start(world_.context(), call, test::ignore_progress).has_value());
    EXPECT_EQ(pid("shop", 1), real);
}

TEST_F(ProcessProvider, a_secret_reaches_the_process_and_nothing_else) {
    write("password", "hunter2-secret\n");
    ::chmod((world_.directory() / "password").c_str(), 0600);
    plan_shop(fmt::format("    environment: {{VALUE: \"file:{}\"}}\n",
                          (world_.directory() / "password").string()));
    const auto outputs = act("shop", "start");
    ASSERT_TRUE(outputs.has_value()) << outputs.error().message;
    EXPECT_EQ(get(replicas("shop").at(1).record.port, "/value"), "‹secret›");
    const auto calls = provider().preview(world_.context(), world_.call("shop", "repoint"));
    ASSERT_TRUE(calls.has_value());
    std::string shown = dump(*outputs) + dump(observe("shop").facts);
    for (const Call& call : *calls) shown += call.action + call.object;
    for (unsigned number : {1U, 2U}) {
        const Path proc = Path("/proc") / std::to_string(pid("shop", number)) / "cmdline";
        shown += std::string(as_text(*read_file(world_.environment().files, proc)));
        shown += std::string(
            as_text(*read_file(world_.environment().files, world_.directory() / "primary/run/shop" /
                                                               fmt::format("{}.json", number))));
    }
    EXPECT_FALSE(shown.contains("hunter2")) << shown;
}

TEST_F(ProcessProvider, a_log_stays_within_its_limit) {
    plan(
        "  shop: {kind: process, site: primary, log_limit: 64KiB, "
        "command: \"yes 0123456789012345678901234567890 | head -c 1000000; exec sleep 1000\"}\n");
    ASSERT_TRUE(act("shop", "start").has_value());
    const Path log = world_.directory() / "primary/log/shop-1.log";
    (void)world_.context().sleep(std::chrono::milliseconds(300));
    (void)observe("shop");
    auto status = world_.environment().files.status(log);
    ASSERT_TRUE(status.has_value());
    EXPECT_LE(status->size, 64U << 10U);
    EXPECT_EQ(world_.environment().files.status(log.string() + ".1")->size, 64U << 10U);
}

TEST_F(ProcessProvider, a_unit_without_systemd_is_unsupported_and_says_so) {
    if (world_.environment().files.status("/run/systemd/system").has_value())
        GTEST_SKIP() << "systemd runs here";
    plan("  shop: {kind: process, site: primary, unit: shop.service}\n");
    const auto refused = act("shop", "start");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
    EXPECT_EQ(observe("shop").health, Health::unknown);
}

TEST_F(ProcessProvider, a_stop_of_the_call_ends_the_wait_soon) {
    plan(
        "  shop: {kind: process, site: primary, command: \"sleep 1000\", ready_within: 1h,"
        " health: [{exec: \"false\"}]}\n");
    started_.insert("shop");
    std::stop_source stop;
    std::jthread later([&] {
        (void)world_.context().sleep(std::chrono::milliseconds(300));
        stop.request_stop();
    });
    const auto began = world_.environment().clock.monotonic();
    const auto ended = provider().start(world_.context().with_stop(stop.get_token()),
                                        world_.call("shop", "start"), test::ignore_progress);
    ASSERT_FALSE(ended.has_value());
    EXPECT_EQ(ended.error().kind, ErrorKind::cancelled);
    EXPECT_LT(world_.environment().clock.monotonic() - began, std::chrono::seconds(60));
}

}  // namespace
}  // namespace lifeboat::providers

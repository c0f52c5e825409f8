// Redis for real: points over PSYNC, restored beside what is there, and the bad days.

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <thread>

#include "providers/redis/folder.h"
#include "providers/redis/redis.h"
#include "test/support/redis_server.h"

namespace lifeboat::providers {
namespace {

using runbook::ProbeVerdict;
using watch::Health;

class RedisProvider : public testing::Test {
protected:
    RedisProvider() {
        registry_.add(make_redis_provider(world_.services()));
        world_.open_vault();
        port_ = test::free_ports(1);
    }
    ~RedisProvider() override {
        for (const Instance& instance : restored_) {
            VerbCall call = world_.call("cache", "stop");
            call.current = instance;
            (void)provider().start(world_.context(), call, test::ignore_progress);
        }
    }

    void open(const std::string& server_settings = "repl-diskless-sync-delay 0",
              const std::string& plan_settings = "") {
        plan(plan_settings);
        server_.emplace(source_directory(), port_, server_settings);
    }
    void plan(const std::string& more = "") {
        world_.read_plan(registry_,
                         fmt::format("  cache:\n    kind: redis\n    site: primary\n    port: {}\n"
                                     "    data_directory: source\n"
                                     "    protect: [{{method: snapshot, every: 10s}}]\n"
                                     "    health: [{{tcp: {}}}, {{redis: PING, expect: PONG}}]\n"
                                     "    verify: [{{redis: DBSIZE, expect: \">= 0\"}}]\n{}",
                                     port_, port_, more));
    }
    Path source_directory() { return world_.directory() / "source"; }

    Result<Json> act(const std::string& verb, Json arguments = Json::object(),
                     const std::string& step = "") {
        auto started = provider().start(world_.context(),
                                        world_.call("cache", verb, std::move(arguments), step),
                                        test::ignore_progress);
        if (!started.has_value()) return started.error();
        if (started->outputs.contains("instance"))
            restored_.push_back(*instance_from_json(started->outputs["instance"]));
        return started->outputs;
    }
    redis::Reply ask(const Instance& instance, const std::vector<std::string>& words,
                     const std::string& password = "") {
        const redis::Address address{.port = instance.settings["port"].get<std::uint16_t>(),
                                     .password = password};
        auto client = redis::Client::connect(world_.context(), address);
        EXPECT_TRUE(client.has_value()) << client.error().message;
        auto reply = client->command(world_.context(), words);
        EXPECT_TRUE(reply.has_value()) << reply.error().message;
        return *reply;
    }
    Observation observe() { return *provider().observe(world_.context(), world_.target("cache")); }
    ProbeVerdict probe(const std::string& verb, const std::string& step = "") {
        const auto probed =
            provider().probe(world_.context(), world_.call("cache", verb, {}, step));
        EXPECT_TRUE(probed.has_value()) << probed.error().message;
        return probed->verdict;
    }
    Provider& provider() { return *registry_.find("redis"); }
    test::RedisServer& server() { return *server_; }

    test::ProviderWorld world_;
    Registry registry_;
    std::optional<test::RedisServer> server_;
    std::vector<Instance> restored_;
    std::uint16_t port_ = 0;
};

TEST_F(RedisProvider, what_is_lost_with_its_files_comes_back_key_by_key) {
    open();
    server()({"SET", "greeting", "hello"});
    server()({"SET", "session", "x", "EX", "3600"});
    server()({"RPUSH", "list", "a", "b", "c"});
    server()({"HSET", "hash", "f", "v"});
    server()({"ZADD", "zset", "1.5", "m"});
    server()({"XADD", "stream", "*", "k", "v"});
    server()({"XGROUP", "CREATE", "stream", "g", "0"});
    server()({"XREADGROUP", "GROUP", "g", "c", "STREAMS", "stream", ">"});
    server()({"EVAL", "for i = 1, 5000 do redis.call('SET', 'key:' .. i, 'value ' .. i) end", "0"});
    EXPECT_EQ(observe().health, Health::healthy) << observe().why;
    const auto made = act("backup");
    ASSERT_TRUE(made.has_value()) << made.error().message;
    EXPECT_EQ((*made)["keys"], 5006);
    server().lose();
    EXPECT_EQ(observe().health, Health::unhealthy);

    const auto restored = act("restore");
    ASSERT_TRUE(restored.has_value()) << restored.error().message;
    EXPECT_EQ((*restored)["point"], (*made)["point"]);
    EXPECT_NE((*restored)["port"], port_);
    world_.adopt(*restored);
    EXPECT_EQ(observe().health, Health::healthy) << observe().why;
    const Instance instance = world_.current("cache");
    EXPECT_EQ(ask(instance, {"DBSIZE"}).integer, 5006);
    EXPECT_EQ(ask(instance, {"GET", "key:4711"}).text, "value 4711");
    EXPECT_EQ(ask(instance, {"XPENDING", "stream", "g"}).items.front().integer, 1);
    EXPECT_EQ(ask(instance, {"ROLE"}).items.front().text, "master");
    ASSERT_TRUE(act("verify").has_value());
    const auto again = act("rebuild-protection");
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_EQ(provider().points(world_.context(), world_.target("cache"))->size(), 2U);
}

TEST_F(RedisProvider, a_second_start_with_the_same_token_makes_no_second_one) {
    open();
    server()({"SET", "a", "1"});
    EXPECT_EQ(probe("backup"), ProbeVerdict::absent);
    const auto first = act("backup"), second = act("backup");
    EXPECT_EQ((*first)["point"], (*second)["point"]);
    EXPECT_EQ(probe("backup"), ProbeVerdict::done);
    EXPECT_EQ(probe("restore"), ProbeVerdict::absent);
    const auto one = act("restore"), two = act("restore");
    ASSERT_TRUE(two.has_value()) << two.error().message;
    EXPECT_EQ((*one)["port"], (*two)["port"]);
    EXPECT_EQ(probe("restore"), ProbeVerdict::done);
    EXPECT_EQ(server()({"GET", "a"}).text, "1");  // the old one goes on beside it
}

TEST_F(RedisProvider, a_restore_that_was_cut_short_begins_anew) {
    open();
    server()({"SET", "a", "1"});
    ASSERT_TRUE(act("backup").has_value());
    std::stop_source stop;
    VerbCall call = world_.call("cache", "restore");
    const auto stop_soon = [&](std::uint64_t, std::uint64_t, const std::string&) {
        stop.request_stop();
    };
    const auto cut =
        provider().start(world_.context().with_stop(stop.get_token()), call, stop_soon);
    ASSERT_FALSE(cut.has_value());
    EXPECT_EQ(cut.error().kind, ErrorKind::cancelled) << cut.error().message;
    EXPECT_EQ(probe("restore"), ProbeVerdict::absent);
    const auto restored = act("restore");
    ASSERT_TRUE(restored.has_value()) << restored.error().message;
}

TEST_F(RedisProvider, a_server_whose_start_was_never_recorded_is_found_and_ended) {
    open();
    server()({"SET", "a", "1"});
    ASSERT_TRUE(act("backup").has_value());
    ASSERT_TRUE(act("restore").has_value());
    // As if Lifeboat was killed right after the server began: the marker knows no process.
    const VerbCall call = world_.call("cache", "restore");
    const Path folder = world_.directory() / "primary" / ("cache-" + call.token);
    auto marker = redis::load_marker(world_.environment().files, folder);
    ASSERT_TRUE(marker.has_value() && *marker);
    const ProcessIdentity first = *(*marker)->server;
    (*marker)->server.reset();
    (*marker)->state = redis::Marker::State::writing;
    ASSERT_TRUE(redis::save_marker(world_.environment().files, folder, **marker).has_value());
    EXPECT_EQ(probe("restore"), ProbeVerdict::absent);
    const auto restored = act("restore");
    ASSERT_TRUE(restored.has_value()) << restored.error().message;
    EXPECT_FALSE(world_.environment().processes.is_alive(first));
    EXPECT_EQ(ask(restored_.back(), {"GET", "a"}).text, "1");
}

TEST_F(RedisProvider, nothing_is_restored_over_what_is_there) {
    open();
    ASSERT_TRUE(act("backup").has_value());
    const VerbCall call = world_.call("cache", "restore");
    const Path folder = world_.directory() / "primary" / ("cache-" + call.token);
    std::filesystem::create_directories(folder / "precious");
    const auto refused = act("restore");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
    EXPECT_TRUE(std::filesystem::exists(folder / "precious"));
}

TEST_F(RedisProvider, goes_back_to_a_moment_or_a_point) {
    open();
    server()({"SET", "a", "1"});
    const auto first = act("backup", {}, "one");
    server()({"SET", "a", "2"});
    ASSERT_TRUE(act("backup", {}, "two").has_value());
    const auto by_time = act("restore", Json{{"to", (*first)["target_time"]}}, "r1");
    ASSERT_TRUE(by_time.has_value()) << by_time.error().message;
    EXPECT_EQ((*by_time)["point"], (*first)["point"]);
    EXPECT_EQ(ask(restored_.back(), {"GET", "a"}).text, "1");
    EXPECT_EQ((*act("restore", Json{{"to", (*first)["point"]}}, "r2"))["point"], (*first)["point"]);
    EXPECT_EQ(act("restore", Json{{"to", "2001-01-01"}}, "r3").error().kind, ErrorKind::not_found);
    EXPECT_EQ(act("restore", Json{{"to", "0/3000148"}}, "r4").error().kind, ErrorKind::invalid);
}

TEST_F(RedisProvider, password_users_and_append_only_file_come_back) {
    const Path secret = world_.directory() / "password";
    ASSERT_TRUE(write_file_durably(world_.environment().files, secret, as_bytes("top-s3cret\n"))
                    .has_value());
    plan(fmt::format("    password: \"file:{}\"\n", secret.string()));
    server_.emplace(source_directory(), port_,
                    "requirepass top-s3cret\nrepl-diskless-sync-delay 0\nappendonly yes\n"
                    "maxmemory 100mb\nuser reader on >pw2 ~* +get");
    server().address.password = "top-s3cret";
    server()({"SET", "a", "1"});
    ASSERT_TRUE(act("backup").has_value());
    server().lose();
    auto restored = act("restore");
    ASSERT_TRUE(restored.has_value()) << restored.error().message;
    const Instance instance = restored_.back();
    EXPECT_EQ(ask(instance, {"GET", "a"}, "top-s3cret").text, "1");
    EXPECT_EQ(ask(instance, {"CONFIG", "GET", "appendonly"}, "top-s3cret").items[1].text, "yes");
    EXPECT_EQ(ask(instance, {"CONFIG", "GET", "maxmemory"}, "top-s3cret").items[1].text,
              "104857600");
    EXPECT_EQ(ask(instance, {"ACL", "LIST"}, "top-s3cret").items.size(), 2U);
    ask(instance, {"SET", "b", "2"}, "top-s3cret");
    // Without the password nobody gets in.
    auto open_door = redis::Client::connect(
        world_.context(), {.port = instance.settings["port"].get<std::uint16_t>()});
    EXPECT_EQ(open_door->command(world_.context(), {"GET", "a"}).error().kind, ErrorKind::denied);
    // What was written since is there after a restart: the append-only file is the one that counts.
    world_.adopt(*restored);
    ASSERT_TRUE(act("stop").has_value());
    EXPECT_EQ(observe().health, Health::unhealthy);
    const auto started = act("start");
    ASSERT_TRUE(started.has_value()) << started.error().message;
    EXPECT_EQ(ask(instance, {"GET", "b"}, "top-s3cret").text, "2");

    std::string shown = dump(*restored) + dump(*started) + dump(observe().facts);
    for (const std::string verb : {"restore", "backup", "stop", "verify"}) {
        const auto calls = provider().preview(world_.context(), world_.call("cache", verb));
        ASSERT_TRUE(calls.has_value()) << calls.error().message;
        for (const Call& call : *calls) shown += call.action + call.object;
    }
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const auto line = read_file(world_.environment().files, entry.path() / "cmdline");
        if (line.has_value()) shown += as_text(*line);
    }
    EXPECT_FALSE(shown.contains("top-s3cret"));
}

TEST_F(RedisProvider, another_server_on_the_port_is_refused_before_anything_is_touched) {
    open();
    ASSERT_TRUE(act("backup").has_value());
    server().lose();
    const test::RedisServer stranger(world_.directory() / "stranger", port_);
    for (const std::string verb : {"stop", "fence"}) {
        const auto refused = act(verb);
        ASSERT_FALSE(refused.has_value());
        EXPECT_EQ(refused.error().kind, ErrorKind::conflict) << refused.error().message;
    }
    EXPECT_TRUE(world_.environment().processes.is_alive(stranger.process()));
    VerbCall call = world_.call("cache", "backup", {}, "again");
    call.current.identity = Json{{"data_id", source_directory().string()}};
    EXPECT_EQ(provider().start(world_.context(), call, test::ignore_progress).error().kind,
              ErrorKind::conflict);
}

TEST_F(RedisProvider, fence_ends_it_and_proves_it_also_when_it_is_dead_already) {
    open();
    const auto fenced = act("fence");
    ASSERT_TRUE(fenced.has_value()) << fenced.error().message;
    EXPECT_FALSE(world_.environment().processes.is_alive(server().process()));
    EXPECT_EQ(probe("fence"), ProbeVerdict::done);
    ASSERT_TRUE(act("fence").has_value());
}

TEST_F(RedisProvider, a_fenced_restored_server_does_not_start_again) {
    open();
    ASSERT_TRUE(act("backup").has_value());
    world_.adopt(*act("restore"));
    ASSERT_TRUE(act("fence").has_value());
    EXPECT_EQ(act("start").error().kind, ErrorKind::conflict);
}

TEST_F(RedisProvider, a_drill_never_ends_what_it_did_not_make) {
    open();
    VerbCall call = world_.call("cache", "stop");
    call.mode = runbook::RunMode::drill;
    call.scope = "drill-1";
    EXPECT_EQ(provider().start(world_.context(), call, test::ignore_progress).error().kind,
              ErrorKind::denied);
    EXPECT_EQ(observe().health, Health::healthy);
}

TEST_F(RedisProvider, a_wrong_password_is_denied_with_a_hint_and_nothing_else) {
    const Path secret = world_.directory() / "password";
    ASSERT_TRUE(write_file_durably(world_.environment().files, secret, as_bytes("wrong-one\n"))
                    .has_value());
    plan(fmt::format("    password: \"file:{}\"\n", secret.string()));
    server_.emplace(source_directory(), port_, "requirepass right-one");
    EXPECT_EQ(observe().health, Health::unknown);
    const auto refused = act("backup");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::denied);
    EXPECT_FALSE(refused.error().hint.empty());
    EXPECT_FALSE(refused.error().message.contains("wrong-one"));
}

TEST_F(RedisProvider, a_backup_while_writes_go_on_is_one_consistent_moment) {
    open();
    std::atomic<bool> done = false;
    std::jthread writer([&] {
        for (int i = 0; !done; ++i)
            server()({"EVAL",
                      fmt::format("redis.call('SET','n','{0}') redis.call('SET','m','{0}')", i),
                      "0"});
    });
    server()(
        {"EVAL", "for i=1,20000 do redis.call('SET','key:'..i, string.rep('x',100)) end", "0"});
    const auto made = act("backup");
    done = true;
    writer.join();
    ASSERT_TRUE(made.has_value()) << made.error().message;
    ASSERT_TRUE(act("restore").has_value());
    EXPECT_EQ(ask(restored_.back(), {"GET", "n"}).text, ask(restored_.back(), {"GET", "m"}).text);
}

TEST_F(RedisProvider, keys_that_expired_since_do_not_spoil_a_restore) {
    open();
    server()({"SET", "short", "x", "PX", "300"});
    server()({"SET", "long", "x"});
    ASSERT_TRUE(act("backup").has_value());
    ASSERT_TRUE(world_.context().sleep(std::chrono::milliseconds(400)).has_value());
    const auto restored = act("restore");
    ASSERT_TRUE(restored.has_value()) << restored.error().message;
    EXPECT_EQ((*restored)["keys"]["0"], 1);
}

TEST_F(RedisProvider, a_point_made_over_a_file_of_the_server_is_the_same) {
    open("repl-diskless-sync no\nrdbcompression no");
    server()({"SET", "a", "1"});
    const auto made = act("backup");
    ASSERT_TRUE(made.has_value()) << made.error().message;
    EXPECT_EQ((*made)["keys"], 1);
    ASSERT_TRUE(act("restore").has_value());
    EXPECT_EQ(ask(restored_.back(), {"GET", "a"}).text, "1");
}

}  // namespace
}  // namespace lifeboat::providers

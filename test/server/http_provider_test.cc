// The demo's own proxy for real: redirected, proven, and looked at from outside.

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <thread>

#include "platform/http/client.h"
#include "providers/http/http.h"
#include "providers/process/process.h"
#include "test/support/provider_world.h"

namespace lifeboat::providers {
namespace {

using runbook::ProbeVerdict;
using watch::Health;

constexpr std::string_view token = "tok-3-very-secret";

/// Two sites' services behind the proxy of the demo shop, all started as processes of a plan.
class HttpProvider : public testing::Test {
protected:
    HttpProvider() {
        registry_.add(make_process_provider(world_.services()));
        registry_.add(make_http_provider(world_.services()));
        front_ = test::free_ports(2);
        write("token", token);
        write("site.txt", "hello");
        plan();
        (void)act("process", "shop", "start");
        (void)act("process", "proxy", "start");
    }
    ~HttpProvider() override {
        for (const std::string name : {"shop", "proxy"}) (void)act("process", name, "stop");
        (void)act("process", "shop", "stop", Json{{"site", "dr"}});
    }

    void plan() {
        const std::string proxy =
            (std::filesystem::current_path() / "examples/shop/proxy.py").string();
        world_.read_plan(
            registry_,
            fmt::format(
                "  shop:\n    kind: process\n    site: primary\n    replicas: 2\n    ports: auto\n"
                "    command: [/usr/bin/python3, -m, http.server, --bind, 127.0.0.1,"
                " \"{{{{ self.port }}}}\"]\n    health: [{{http: /site.txt}}]\n"
                "  proxy:\n    kind: process\n    site: primary\n    port: {0}\n"
                "    command: [/usr/bin/python3, \"{2}\"]\n    environment:\n"
                "      LISTEN: 127.0.0.1:{0}\n      ADMIN_LISTEN: 127.0.0.1:{1}\n"
                "      TARGETS_FILE: \"{3}/targets.json\"\n      ADMIN_TOKEN_FILE: \"{3}/token\"\n"
                "    health: [{{tcp: {1}}}]\n"
                "  front:\n    kind: http\n    needs: [shop]\n    url: http://127.0.0.1:{0}\n"
                "    admin: http://127.0.0.1:{1}\n    token: \"file:{3}/token\"\n"
                "    health: [{{http: /site.txt, contains: hello}}]\n",
                front_, front_ + 1, proxy, world_.directory().string()));
    }
    void write(const std::string& name, std::string_view text) {
        ASSERT_TRUE(write_file_durably(world_.environment().files, world_.directory() / name,
                                       as_bytes(text))
                        .has_value());
    }
    Result<Json> act(const std::string& kind, const std::string& component, const std::string& verb,
                     Json arguments = Json::object()) {
        auto started = registry_.find(kind)->start(
            world_.context(), world_.call(component, verb, std::move(arguments)),
            test::ignore_progress);
        if (!started.has_value()) return started.error();
        if (started->outputs.contains("instance")) world_.adopt(started->outputs);
        return started->outputs;
    }
    Result<Json> redirect(Json arguments = Json::object()) {
        return act("http", "front", "redirect", std::move(arguments));
    }
    Observation observe() {
        return *registry_.find("http")->observe(world_.context(), world_.target("front"));
    }
    ProbeVerdict probe(Json arguments = Json::object()) {
        const auto probed = registry_.find("http")->probe(
            world_.context(), world_.call("front", "redirect", std::move(arguments)));
        EXPECT_TRUE(probed.has_value());
        return probed->verdict;
    }

    test::ProviderWorld world_;
    Registry registry_;
    std::uint16_t front_ = 0;
};

TEST_F(HttpProvider, redirect_sends_traffic_to_where_the_component_runs_and_proves_it) {
    EXPECT_EQ(observe().health, Health::unhealthy);
    EXPECT_EQ(probe(), ProbeVerdict::absent);
    auto moved = redirect();
    ASSERT_TRUE(moved.has_value()) << moved.error().message;
    EXPECT_EQ((*moved)["site"], "primary");
    EXPECT_EQ((*moved)["targets"].size(), 2U);
    EXPECT_EQ(observe().health, Health::healthy) << observe().why;
    EXPECT_EQ(probe(), ProbeVerdict::done);
    const auto smoke = act("http", "front", "smoke");
    ASSERT_TRUE(smoke.has_value()) << smoke.error().message;
    ASSERT_TRUE(redirect().has_value());  // a second time is the same
}

TEST_F(HttpProvider, a_site_move_ends_with_the_traffic_at_the_other_site) {
    ASSERT_TRUE(redirect().has_value());
    const auto early = redirect(Json{{"site", "dr"}});
    ASSERT_FALSE(early.has_value());  // nothing runs there yet
    EXPECT_EQ(early.error().kind, ErrorKind::conflict);
    const auto primary = (*act("process", "shop", "start"))["endpoints"];
    const auto started = act("process", "shop", "start", Json{{"site", "dr"}});
    ASSERT_TRUE(started.has_value()) << started.error().message;
    const auto moved = redirect(Json{{"site", "dr"}});
    ASSERT_TRUE(moved.has_value()) << moved.error().message;
    EXPECT_EQ((*moved)["targets"], (*started)["endpoints"]);
    EXPECT_NE((*moved)["targets"], primary);
    EXPECT_EQ(observe().health, Health::healthy);
    (void)act("process", "shop", "stop", Json{{"site", "primary"}});
}

TEST_F(HttpProvider, smoke_waits_for_a_service_that_comes_up_late_and_gives_up_in_time) {
    const auto late = act("http", "front", "smoke", Json{{"within", "300ms"}});
    ASSERT_FALSE(late.has_value());
    EXPECT_EQ(late.error().kind, ErrorKind::unavailable);
    EXPECT_TRUE(late.error().message.contains("503")) << late.error().message;
    std::jthread opener([&] {
        (void)world_.context().sleep(std::chrono::milliseconds(400));
        (void)redirect();
    });
    const auto smoke = act("http", "front", "smoke", Json{{"within", "20s"}});
    ASSERT_TRUE(smoke.has_value()) << smoke.error().message;
    EXPECT_GT((*smoke)["tries"].get<int>(), 1);
}

TEST_F(HttpProvider, a_wrong_token_is_denied_and_shown_nowhere) {
    Registry other;
    write("token2", "another-wrong-token");
    VerbCall call = world_.call("front", "redirect");
    call.current.settings["token"] = "file:" + (world_.directory() / "token2").string();
    const auto refused =
        registry_.find("http")->start(world_.context(), call, test::ignore_progress);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::denied);
    EXPECT_FALSE(refused.error().message.contains("another-wrong-token"));
    const auto calls = registry_.find("http")->preview(world_.context(), call);
    for (const Call& each : *calls) EXPECT_FALSE((each.action + each.object).contains(token));
}

TEST_F(HttpProvider, a_request_is_classified_by_its_status) {
    ASSERT_TRUE(redirect().has_value());
    const auto send = [&](Json arguments) {
        arguments["url"] =
            fmt::format("http://127.0.0.1:{}{}", front_, arguments.value("path", "/site.txt"));
        return registry_.find("http")->start(world_.context(), world_.call("", "http", arguments),
                                             test::ignore_progress);
    };
    const auto answered = send(Json::object());
    ASSERT_TRUE(answered.has_value()) << answered.error().message;
    EXPECT_EQ(answered->outputs["body"], "hello");
    EXPECT_EQ(send({{"path", "/nowhere"}}).error().kind, ErrorKind::not_found);
    EXPECT_TRUE(send({{"path", "/nowhere"}, {"expect", "404"}}).has_value());
    const auto broken = send({{"method", "POST"}, {"body", "x"}});  // http.server answers 501
    EXPECT_EQ(broken.error().kind, ErrorKind::unknown) << broken.error().message;
    VerbCall post = world_.call("", "http", {{"method", "POST"}, {"url", "http://x"}});
    EXPECT_EQ(registry_.find("http")->probe(world_.context(), post)->verdict,
              ProbeVerdict::undecided);
}

TEST_F(HttpProvider, a_dead_proxy_is_an_observation_and_a_clean_error) {
    (void)act("process", "proxy", "stop");
    EXPECT_EQ(observe().health, Health::unhealthy);
    const auto failed = redirect();
    ASSERT_FALSE(failed.has_value());
    EXPECT_EQ(failed.error().kind, ErrorKind::unavailable) << failed.error().message;
    EXPECT_EQ(probe(), ProbeVerdict::absent);
}

}  // namespace
}  // namespace lifeboat::providers

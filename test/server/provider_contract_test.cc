// Every provider of this build passes one suite, against real servers.

#include "test/contract/provider_contract.h"

#include <fmt/core.h>

#include <csignal>

#include "providers/http/http.h"
#include "providers/process/process.h"
#include "providers/redis/redis.h"
#include "providers/shell/shell.h"
#include "test/support/redis_server.h"

namespace lifeboat::contract {
namespace {

using providers::Registry;
using test::ProviderWorld;

/// Whatever lies below these folders, with its size: what a verb may have written.
std::string files_below(const std::vector<Path>& folders) {
    std::string text;
    for (const Path& folder : folders) {
        std::error_code gone;
        std::set<std::string> names;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, gone))
            names.insert(entry.path().string());
        for (const std::string& name : names) text += name + "\n";
    }
    return text;
}

void write(ProviderWorld& world, const std::string& name, std::string_view text) {
    EXPECT_TRUE(
        write_file_durably(world.environment().files, world.directory() / name, as_bytes(text))
            .has_value());
}

Json perform(ProviderWorld& world, providers::Provider& provider, const VerbCall& call) {
    auto started = provider.start(world.context(), call, test::ignore_progress);
    EXPECT_TRUE(started.has_value()) << call.verb << ": " << started.error().message;
    return started.has_value() ? started->outputs : Json::object();
}

constexpr std::string_view secret = "contract-s3cret";

class ProcessHarness : public ProviderHarness {
public:
    ProcessHarness() {
        registry_.add(providers::make_process_provider(world_.services()));
        write(world_, "secret", secret);
        write(world_, "hello", "hello");
        world_.read_plan(
            registry_,
            fmt::format("  shop:\n    kind: process\n    site: primary\n    ports: auto\n"
                        "    command: [/usr/bin/python3, -m, http.server, --bind, 127.0.0.1,"
                        " \"{{{{ self.port }}}}\"]\n"
                        "    environment: {{TOKEN: \"file:{0}/secret\"}}\n"
                        "    stop_timeout: 1s\n    health: [{{http: /hello}}]\n"
                        "  hung:\n    kind: process\n    site: primary\n    ready_within: 1h\n"
                        "    stop_timeout: 1s\n    command: sleep 1000\n"
                        "    health: [{{exec: \"false\"}}]\n",
                        world_.directory().string()));
        perform(world_, provider(), world_.call("shop", "start", {}, "first"));
    }
    ~ProcessHarness() override {
        (void)world_.environment().processes.stop_group(world_.context(), stranger_,
                                                        std::chrono::seconds(1));
        for (const char* name : {"shop", "hung"})
            (void)provider().start(world_.context(), world_.call(name, "stop"),
                                   test::ignore_progress);
    }
    ProviderWorld& world() override { return world_; }
    providers::Provider& provider() override { return *registry_.find("process"); }
    std::string component() override { return "shop"; }
    std::vector<VerbCase> script() override {
        const auto call = [&](const char* verb, Json arguments = Json::object()) {
            return world_.call("shop", verb, std::move(arguments));
        };
        // What converges is done before it is asked for, when the world is so already.
        return {{.call = call("verify"), .looks_only = true},
                {.call = call("stop")},
                {.call = call("start")},
                {.call = call("scale", Json{{"replicas", 2}})},
                {.call = call("repoint"), .absent_before = false},
                {.call = call("isolate")},
                {.call = call("release")},
                {.call = call("fence")}};
    }
    std::string fingerprint() override {
        auto seen = provider().observe(world_.context(), world_.target("shop"));
        return files_below({world_.directory()}) + dump(seen->identity);
    }
    void lose() override {
        const auto seen = provider().observe(world_.context(), world_.target("shop"));
        for (const auto& [replica, pid] : seen->identity["pids"].items())
            ::kill(pid.get<pid_t>(), SIGKILL);
        // Gone means: nobody waits for it any more.
        (void)world_.context().sleep(std::chrono::milliseconds(100));
    }
    void replace_by_stranger() override {
        const auto seen = provider().observe(world_.context(), world_.target("shop"));
        const auto port = seen->facts["seen"][0]["port"].get<std::uint16_t>();
        lose();
        Daemon daemon;
        daemon.command.arguments = {"/usr/bin/python3", "-m",        "http.server",
                                    "--bind",           "127.0.0.1", std::to_string(port)};
        daemon.command.directory = world_.directory();
        daemon.log = world_.directory() / "stranger.log";
        auto started = world_.environment().processes.start_daemon(world_.context(), daemon);
        ASSERT_TRUE(started.has_value());
        stranger_ = *started;
        while (!world_.environment()
                    .network.probe_tcp(world_.context(), {"127.0.0.1", port})
                    .has_value())
            ASSERT_TRUE(world_.context().sleep(std::chrono::milliseconds(20)).has_value());
    }
    bool stranger_lives() override { return world_.environment().processes.is_alive(stranger_); }
    VerbCall slow() override { return world_.call("hung", "start"); }
    std::vector<std::string> secrets() override { return {std::string(secret)}; }

private:
    ProcessIdentity stranger_;
    ProviderWorld world_;
    Registry registry_;
};

class HttpHarness : public ProviderHarness {
public:
    HttpHarness() {
        registry_.add(providers::make_process_provider(world_.services()));
        registry_.add(providers::make_http_provider(world_.services()));
        write(world_, "secret", secret);
        const std::uint16_t port = test::free_ports(2);
        const std::string proxy =
            (std::filesystem::current_path() / "examples/shop/proxy.py").string();
        write(world_, "hello", "hello");
        world_.read_plan(
            registry_,
            fmt::format(
                "  shop:\n    kind: process\n    site: primary\n    ports: auto\n"
                "    command: [/usr/bin/python3, -m, http.server, --bind, 127.0.0.1,"
                " \"{{{{ self.port }}}}\"]\n    health: [{{http: /hello}}]\n"
                "  proxy:\n    kind: process\n    site: primary\n    port: {0}\n"
                "    command: [/usr/bin/python3, \"{2}\"]\n    environment:\n"
                "      LISTEN: 127.0.0.1:{0}\n      ADMIN_LISTEN: 127.0.0.1:{1}\n"
                "      TARGETS_FILE: \"{3}/targets.json\"\n"
                "      ADMIN_TOKEN_FILE: \"{3}/secret\"\n    health: [{{tcp: {1}}}]\n"
                "  front:\n    kind: http\n    needs: [shop]\n    url: http://127.0.0.1:{0}\n"
                "    admin: http://127.0.0.1:{1}\n    token: \"file:{3}/secret\"\n"
                "    health: [{{http: /hello}}]\n",
                port, port + 1, proxy, world_.directory().string()));
        perform(world_, services(), world_.call("proxy", "start"));
        const Json first = perform(world_, services(), world_.call("shop", "start"));
        world_.adopt(first);
        perform(world_, provider(), world_.call("front", "redirect", {}, "first"));
        world_.adopt(perform(world_, services(),
                             world_.call("shop", "start", Json{{"site", "dr"}}, "second")));
    }
    ~HttpHarness() override {
        for (const auto& [name, site] :
             {std::pair("proxy", "primary"), std::pair("shop", "dr"), std::pair("shop", "primary")})
            (void)services().start(world_.context(),
                                   world_.call(name, "stop", Json{{"site", site}}),
                                   test::ignore_progress);
    }
    ProviderWorld& world() override { return world_; }
    providers::Provider& provider() override { return *registry_.find("http"); }
    std::string component() override { return "front"; }
    std::vector<VerbCase> script() override {
        const std::string url = string_or(world_.current("front").settings, "url", "") + "/hello";
        return {
            {.call = world_.call("front", "smoke", Json{{"within", "2s"}}), .looks_only = true},
            {.call = world_.call("front", "verify", Json{{"within", "2s"}}), .looks_only = true},
            {.call = world_.call("front", "redirect")},
            {.call = world_.call("", "http", Json{{"url", url}}), .looks_only = true}};
    }
    std::string fingerprint() override {
        const auto bytes =
            read_file(world_.environment().files, world_.directory() / "targets.json");
        return bytes.has_value() ? std::string(as_text(*bytes)) : "";
    }
    void lose() override { perform(world_, services(), world_.call("proxy", "stop")); }
    VerbCall slow() override {
        lose();
        return world_.call("front", "smoke", Json{{"within", "10m"}});
    }
    std::vector<std::string> secrets() override { return {std::string(secret)}; }

private:
    providers::Provider& services() { return *registry_.find("process"); }

    ProviderWorld world_;
    Registry registry_;
};

class ShellHarness : public ProviderHarness {
public:
    ShellHarness() {
        registry_.add(providers::make_shell_provider(world_.services()));
        write(world_, "secret", secret);
        write(world_, "there", "");
        world_.read_plan(
            registry_,
            "  tool: {kind: shell, site: primary, health: [{exec: \"test -e there\"}]}\n");
    }
    ProviderWorld& world() override { return world_; }
    providers::Provider& provider() override { return *registry_.find("shell"); }
    std::string component() override { return "tool"; }
    std::vector<VerbCase> script() override {
        const Json arguments{
            {"command", "test -e made-$LIFEBOAT_TOKEN || touch made-$LIFEBOAT_TOKEN; echo $TOKEN"},
            {"probe", "test -e made-$LIFEBOAT_TOKEN"},
            {"environment", {{"TOKEN", "file:" + (world_.directory() / "secret").string()}}}};
        return {{.call = world_.call("tool", "verify"), .looks_only = true},
                {.call = world_.call("tool", "run", arguments)},
                {.call = world_.call("", "run", arguments, "alone")}};
    }
    std::string fingerprint() override { return files_below({world_.directory()}); }
    void lose() override {
        EXPECT_TRUE(world_.environment().files.remove(world_.directory() / "there").has_value());
    }
    VerbCall slow() override {
        return world_.call("", "run", Json{{"command", "sleep 1000"}}, "slow");
    }
    std::vector<std::string> secrets() override { return {std::string(secret)}; }

private:
    ProviderWorld world_;
    Registry registry_;
};

class RedisHarness : public ProviderHarness {
public:
    RedisHarness() : port_(test::free_ports(1)) {
        registry_.add(providers::make_redis_provider(world_.services()));
        world_.open_vault();
        write(world_, "secret", secret);
        world_.read_plan(
            registry_, fmt::format("  cache:\n    kind: redis\n    site: primary\n    port: {}\n"
                                   "    data_directory: source\n    password: \"file:{}/secret\"\n"
                                   "    protect: [{{method: snapshot, every: 10s}}]\n"
                                   "    health: [{{redis: PING}}]\n",
                                   port_, world_.directory().string()));
        server_.emplace(world_.directory() / "source", port_,
                        fmt::format("requirepass {}\nrepl-diskless-sync-delay 0", secret));
        server_->address.password = secret;
        (*server_)({"SET", "a", "1"});
        // One point and one restored server, which the script stops and starts.
        perform(world_, provider(), world_.call("cache", "backup", {}, "first"));
        world_.adopt(perform(world_, provider(), world_.call("cache", "restore", {}, "second")));
    }
    ~RedisHarness() override {
        stranger_.reset();
        for (const char* step : {"second", "restore-cache"}) {
            const VerbCall call = world_.call("cache", "restore", {}, step);
            const Path folder = world_.directory() / "primary" / ("cache-" + call.token);
            const auto bytes = read_file(world_.environment().files, folder / "lifeboat.json");
            const auto marker =
                bytes.has_value() ? parse_json(as_text(*bytes)) : Result<Json>(Json::object());
            if (!marker->contains("server")) continue;
            const Json& server = (*marker)["server"];
            (void)world_.environment().processes.stop_group(
                world_.context(),
                {server["pid"].get<std::int64_t>(), server["start_ticks"].get<std::uint64_t>(),
                 server["boot_id"].get<std::string>()},
                std::chrono::seconds(5));
        }
    }
    ProviderWorld& world() override { return world_; }
    providers::Provider& provider() override { return *registry_.find("redis"); }
    std::string component() override { return "cache"; }
    std::vector<VerbCase> script() override {
        return {{.call = world_.call("cache", "verify"), .looks_only = true},
                {.call = world_.call("cache", "backup")},
                {.call = world_.call("cache", "rebuild-protection")},
                {.call = world_.call("cache", "restore")},
                {.call = world_.call("cache", "stop")},
                {.call = world_.call("cache", "start")},
                {.call = world_.call("cache", "fence")}};
    }
    std::string fingerprint() override {
        const auto points = world_.services().vault->points();
        std::string text = fmt::format("{} points\n", points->size());
        const auto seen = provider().observe(world_.context(), world_.target("cache"));
        return text + string_or(seen->identity, "run_id", "down") +
               files_below({world_.directory() / "primary"});
    }
    void lose() override {
        const auto stopped =
            provider().start(world_.context(), world_.call("cache", "stop"), test::ignore_progress);
        EXPECT_TRUE(stopped.has_value());
    }
    void replace_by_stranger() override {
        lose();
        const auto port = world_.current("cache").settings["port"].get<std::uint16_t>();
        stranger_.emplace(world_.directory() / "stranger", port,
                          fmt::format("requirepass {}", secret));
    }
    bool stranger_lives() override {
        return world_.environment().processes.is_alive(stranger_->process());
    }
    VerbCall slow() override {
        // It accepts connections and never answers.
        const VerbCall call = world_.call("cache", "restore", {}, "second");
        const Path marker =
            world_.directory() / "primary" / ("cache-" + call.token) / "lifeboat.json";
        const auto bytes = read_file(world_.environment().files, marker);
        const auto value = parse_json(as_text(*bytes));
        ::kill((*value)["server"]["pid"].get<pid_t>(), SIGSTOP);
        return world_.call("cache", "backup");
    }
    std::vector<std::string> secrets() override { return {std::string(secret)}; }

private:
    ProviderWorld world_;
    Registry registry_;
    std::uint16_t port_;
    std::optional<test::RedisServer> server_, stranger_;
};

template <class Harness>
std::unique_ptr<ProviderHarness> make() {
    return std::make_unique<Harness>();
}

INSTANTIATE_TEST_SUITE_P(process, ProviderContract, testing::Values(&make<ProcessHarness>));
INSTANTIATE_TEST_SUITE_P(http, ProviderContract, testing::Values(&make<HttpHarness>));
INSTANTIATE_TEST_SUITE_P(shell, ProviderContract, testing::Values(&make<ShellHarness>));
INSTANTIATE_TEST_SUITE_P(redis, ProviderContract, testing::Values(&make<RedisHarness>));

}  // namespace
}  // namespace lifeboat::contract

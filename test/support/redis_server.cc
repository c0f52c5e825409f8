#include "test/support/redis_server.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <csignal>

namespace lifeboat::test {

RedisServer::RedisServer(const Path& directory, std::uint16_t port, const std::string& more)
    : directory_(directory) {
    Environment& environment = real_environment();
    address.port = port;
    EXPECT_TRUE(environment.files.make_directories(directory, 0755).has_value());
    const std::string configuration = fmt::format(
        "bind 127.0.0.1\nport {}\ndir {}\nsave \"\"\n{}\n", port, directory.string(), more);
    EXPECT_TRUE(
        write_file_durably(environment.files, directory / "redis.conf", as_bytes(configuration))
            .has_value());
    Daemon daemon;
    daemon.command.arguments = {"redis-server", (directory / "redis.conf").string()};
    daemon.command.directory = directory;
    daemon.log = directory / "server.log";
    const Context context = Context(environment.clock).within(std::chrono::seconds(20));
    auto started = environment.processes.start_daemon(context, daemon);
    EXPECT_TRUE(started.has_value()) << started.error().message;
    if (started.has_value()) process_ = *started;
    while (!environment.network.probe_tcp(context, {"127.0.0.1", port}).has_value())
        if (!context.sleep(std::chrono::milliseconds(10)).has_value()) break;
}

RedisServer::~RedisServer() {
    Environment& environment = real_environment();
    (void)environment.processes.stop_group(Context(environment.clock), process_,
                                           std::chrono::seconds(5));
}

redis::Reply RedisServer::operator()(const std::vector<std::string>& words) {
    const Context context = Context(real_environment().clock).within(std::chrono::seconds(20));
    auto client = redis::Client::connect(context, address);
    EXPECT_TRUE(client.has_value()) << client.error().message;
    if (!client.has_value()) return {};
    auto reply = client->command(context, words);
    EXPECT_TRUE(reply.has_value()) << reply.error().message;
    return reply.value_or(redis::Reply());
}

void RedisServer::lose() {
    Environment& environment = real_environment();
    (void)environment.processes.signal(process_, SIGKILL);
    (void)environment.processes.stop_group(Context(environment.clock), process_,
                                           std::chrono::seconds(5));
    EXPECT_TRUE(environment.files.remove_tree(directory_).has_value());
}

}  // namespace lifeboat::test

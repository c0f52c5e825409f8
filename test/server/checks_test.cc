// The checks of health, verify and smoke, against real servers and against nobody.

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "providers/probe/check.h"
#include "test/support/postgres_server.h"
#include "test/support/redis_server.h"

namespace lifeboat::probe {
namespace {

using namespace std::chrono_literals;

plan::Check check(const std::string& type, Json value, Json more = Json::object()) {
    plan::Check made;
    made.type = type;
    made.settings = std::move(more);
    if (!value.is_null()) made.settings["value"] = std::move(value);
    if (made.settings.contains("expect")) made.expect = made.settings["expect"].get<std::string>();
    return made;
}

CheckResult look(const plan::Check& made, const Place& place) {
    return run_check(Context(real_environment().clock), real_environment(), made, place);
}

/// Takes connections and never says a word.
class Silent {
public:
    Silent() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(::bind(socket_, generic, size), 0);
        EXPECT_EQ(::listen(socket_, 8), 0);
        EXPECT_EQ(::getsockname(socket_, generic, &size), 0);
        port = ntohs(address.sin_port);
    }
    ~Silent() { ::close(socket_); }
    Silent(const Silent&) = delete;
    Silent& operator=(const Silent&) = delete;
    std::uint16_t port = 0;

private:
    int socket_;
};

TEST(Checks, a_server_that_is_silent_fails_each_check_in_its_time) {
    const Silent silent;
    const Place place{.port = silent.port,
                      .base_url = fmt::format("http://127.0.0.1:{}", silent.port)};
    EXPECT_TRUE(look(check("tcp", nullptr), place).passed);
    for (plan::Check made : {check("http", "/"), check("sql", "SELECT 1"), check("redis", "PING"),
                             check("exec", "sleep 100")}) {
        made.timeout = 300ms;
        const CheckResult result = look(made, place);
        EXPECT_FALSE(result.passed) << result.name;
        EXPECT_FALSE(result.detail.empty()) << result.name;
        EXPECT_GE(result.took, 250ms) << result.name << ": " << result.detail;
        EXPECT_LT(result.took, 60s) << result.name;
    }
}

TEST(Checks, nobody_there_is_a_result_with_its_reason) {
    const Place place{.port = test::free_ports(1)};
    for (const plan::Check& made : {check("tcp", nullptr), check("http", "/"),
                                    check("sql", "SELECT 1"), check("redis", "PING")}) {
        const CheckResult result = look(made, place);
        EXPECT_FALSE(result.passed) << result.name;
        EXPECT_TRUE(result.detail.contains("refused") || result.detail.contains("connect"))
            << result.name << ": " << result.detail;
    }
}

TEST(Checks, a_check_without_sense_says_so) {
    for (const plan::Check& made :
         {check("tcp", nullptr), check("http", "/x"), check("sql", "SELECT 1"), check("sql", ""),
          check("exec", ""), check("smell", "it"), check("redis", "FLUSHALL")}) {
        const CheckResult result = look(made, {});
        EXPECT_FALSE(result.passed) << result.name;
        EXPECT_FALSE(result.detail.empty()) << result.name;
    }
}

TEST(Checks, exec_gives_what_the_command_printed) {
    EXPECT_TRUE(look(check("exec", "echo 7", {{"expect", "> 5"}}), {}).passed);
    EXPECT_FALSE(look(check("exec", "echo 7", {{"expect", "> 8"}}), {}).passed);
    EXPECT_TRUE(look(check("exec", {"/bin/echo", "a b"}, {{"expect", "a b"}}), {}).passed);
    const CheckResult failed = look(check("exec", "echo bad news >&2; exit 3"), {});
    EXPECT_EQ(failed.detail, "exit code 3: bad news");
}

TEST(Checks, redis_is_asked_and_never_changed) {
    const test::TemporaryDirectory directory;
    const std::uint16_t port = test::free_ports(1);
    test::RedisServer server(directory.path() / "redis", port, "requirepass pass-word");
    server.address.password = "pass-word";
    server({"SET", "a", "1"});
    Place place{.port = port, .password = "pass-word"};
    EXPECT_TRUE(look(check("redis", "PING", {{"expect", "PONG"}}), place).passed);
    EXPECT_TRUE(look(check("redis", "DBSIZE", {{"expect", "= 1"}}), place).passed);
    EXPECT_TRUE(
        look(check("redis", "INFO replication", {{"field", "role"}, {"expect", "master"}}), place)
            .passed);
    EXPECT_FALSE(look(check("redis", "GET nothing"), place).passed);
    EXPECT_FALSE(look(check("redis", "SET a 2"), place).passed);
    EXPECT_FALSE(look(check("redis", "DEL a"), place).passed);
    EXPECT_EQ(server({"GET", "a"}).text, "1");
    place.password = "wrong-word";
    const CheckResult refused = look(check("redis", "PING"), place);
    EXPECT_FALSE(refused.passed);
    EXPECT_FALSE(refused.detail.contains("wrong-word"));
}

TEST(Checks, sql_is_asked_read_only_and_bounded_by_the_server_too) {
    if (test::postgres_programs().empty()) GTEST_SKIP() << "PostgreSQL is not installed";
    const test::TemporaryDirectory directory;
    test::PostgresServer server(directory.path() / "pg", test::free_ports(1), {});
    server.start();
    server.sql("CREATE TABLE orders (id int)");
    const Place place{.port = server.port(), .password = test::PostgresServer::password};
    EXPECT_TRUE(look(check("sql", "SELECT 1", {{"expect", "= 1"}}), place).passed);
    EXPECT_EQ(look(check("sql", "SELECT count(*) FROM orders", {{"expect", "> 0"}}), place).detail,
              "0, expected > 0");
    const CheckResult write = look(check("sql", "INSERT INTO orders VALUES (1)"), place);
    EXPECT_FALSE(write.passed);
    EXPECT_TRUE(write.detail.contains("read-only")) << write.detail;
    EXPECT_EQ(server.sql("SELECT count(*) FROM orders"), "0");
    plan::Check slow = check("sql", "SELECT pg_sleep(60)");
    slow.timeout = 500ms;
    EXPECT_FALSE(look(slow, place).passed);
    (void)Context(real_environment().clock).sleep(300ms);
    EXPECT_EQ(server.sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%'"
                         " AND state = 'active' AND pid <> pg_backend_pid()"),
              "0");
    EXPECT_FALSE(look(check("sql", "SELECT nonsense"), place).passed);
}

}  // namespace
}  // namespace lifeboat::probe

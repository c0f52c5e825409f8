// Ports of this machine only: sockets of the test itself on 127.0.0.1.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>

#include "platform/env/fd.h"
#include "platform/env/real.h"

namespace lifeboat {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Context within(Duration limit) { return Context(real_clock()).within(limit); }

/// A listener on a free port of 127.0.0.1.
struct Listener {
    Fd socket;
    Endpoint endpoint{.host = "127.0.0.1", .port = 0};

    explicit Listener(int backlog = 16, std::uint32_t address = INADDR_LOOPBACK)
        : socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in where{};
        where.sin_family = AF_INET;
        where.sin_addr.s_addr = htonl(address);
        socklen_t length = sizeof where;
        auto* generic = reinterpret_cast<sockaddr*>(&where);
        EXPECT_EQ(::bind(socket.get(), generic, length), 0);
        EXPECT_EQ(::listen(socket.get(), backlog), 0);
        EXPECT_EQ(::getsockname(socket.get(), generic, &length), 0);
        endpoint.port = ntohs(where.sin_port);
    }
};

TEST(ProbeTcp, succeeds_when_somebody_listens) {
    const Listener listener;
    EXPECT_TRUE(real_network().probe_tcp(within(seconds(5)), listener.endpoint).has_value());
    const Endpoint by_name{.host = "localhost", .port = listener.endpoint.port};
    auto probed = real_network().probe_tcp(within(seconds(5)), by_name);
    EXPECT_TRUE(probed.has_value()) << probed.error().message;
}

TEST(ProbeTcp, is_unavailable_when_refused) {
    Endpoint closed;
    {
        closed = Listener().endpoint;
    }
    auto probed = real_network().probe_tcp(within(seconds(5)), closed);
    ASSERT_FALSE(probed.has_value());
    EXPECT_EQ(probed.error().kind, ErrorKind::unavailable);
    EXPECT_NE(probed.error().message.find(to_string(closed)), std::string::npos);
}

/// A listener whose backlog is full: further connections get no answer at all.
struct DeafListener {
    Listener listener{0};
    std::vector<Fd> waiting;

    DeafListener() {
        sockaddr_in where{};
        where.sin_family = AF_INET;
        where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        where.sin_port = htons(listener.endpoint.port);
        for (int i = 0; i < 4; ++i) {
            Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
            (void)::connect(socket.get(), reinterpret_cast<sockaddr*>(&where), sizeof where);
            waiting.push_back(std::move(socket));
        }
    }
};

TEST(ProbeTcp, times_out_when_nobody_answers) {
    const DeafListener deaf;
    auto probed = real_network().probe_tcp(within(milliseconds(100)), deaf.listener.endpoint);
    ASSERT_FALSE(probed.has_value());
    EXPECT_EQ(probed.error().kind, ErrorKind::timeout);
}

TEST(ProbeTcp, ends_at_once_when_stopped) {
    const DeafListener deaf;
    std::stop_source stop;
    const Context context = within(seconds(60)).with_stop(stop.get_token());
    std::thread stopper([&] { stop.request_stop(); });
    auto probed = real_network().probe_tcp(context, deaf.listener.endpoint);
    stopper.join();
    ASSERT_FALSE(probed.has_value());
    EXPECT_EQ(probed.error().kind, ErrorKind::cancelled);  // and not timeout
}

TEST(ProbeTcp, is_bounded_when_a_name_cannot_be_resolved) {
    const Endpoint nowhere{.host = "lifeboat-no-such-host.invalid", .port = 1};
    const Monotonic start = real_clock().monotonic();
    auto probed = real_network().probe_tcp(within(milliseconds(300)), nowhere);
    ASSERT_FALSE(probed.has_value());  // which kind depends on the name server of this machine
    EXPECT_LT(real_clock().monotonic() - start, seconds(60));
}

TEST(IsFree, tells_a_free_port_from_a_taken_one) {
    Endpoint endpoint;
    {
        const Listener listener;
        endpoint = listener.endpoint;
        EXPECT_FALSE(real_network().is_free(endpoint).value());
        const Endpoint any{.host = "0.0.0.0", .port = endpoint.port};
        EXPECT_FALSE(real_network().is_free(any).value());
    }
    EXPECT_TRUE(real_network().is_free(endpoint).value());
}

TEST(IsFree, sees_a_listener_on_all_addresses) {
    const Listener listener(16, INADDR_ANY);
    EXPECT_FALSE(real_network().is_free(listener.endpoint).value());
}

TEST(IsFree, refuses_an_address_that_is_not_ours) {
    EXPECT_EQ(real_network().is_free({.host = "192.0.2.1", .port = 4000}).error().kind,
              ErrorKind::invalid);
}

TEST(Endpoint, is_read_and_written) {
    struct Case {
        const char* text;
        const char* host;
        int port;
    };
    for (const Case& good : {Case{"127.0.0.1:5432", "127.0.0.1", 5432}, Case{"[::1]:1", "::1", 1},
                             Case{"db.example:65535", "db.example", 65535}}) {
        auto endpoint = parse_endpoint(good.text);
        ASSERT_TRUE(endpoint.has_value()) << good.text;
        EXPECT_EQ(endpoint->host, good.host);
        EXPECT_EQ(endpoint->port, good.port);
        EXPECT_EQ(to_string(*endpoint), good.text);
    }
    for (const char* bad :
         {"", "host", ":80", "host:", "host:0", "host:65536", "host:-1", "host:+1", "host:1x",
          "::1:80", "[::1]", "[::1:80", "[]:80", "host:99999999999"}) {
        auto endpoint = parse_endpoint(bad);
        ASSERT_FALSE(endpoint.has_value()) << bad;
        EXPECT_EQ(endpoint.error().kind, ErrorKind::invalid) << bad;
    }
}

TEST(RealRandom, fills_any_length_and_does_not_repeat) {
    EXPECT_EQ(real_random().hex(16).size(), 32U);
    EXPECT_NE(real_random().hex(16), real_random().hex(16));
    Bytes large(1U << 20U);
    real_random().fill(large);
    EXPECT_NE(large, Bytes(large.size()));
    real_random().fill({});
}

TEST(RealClock, does_not_go_back) {
    const Monotonic first = real_clock().monotonic();
    EXPECT_GE(real_clock().monotonic(), first);
    EXPECT_GT(format_instant(real_clock().now()), "2025");
}

}  // namespace
}  // namespace lifeboat

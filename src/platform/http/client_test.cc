#include "platform/http/client.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "platform/base/text.h"
#include "platform/env/real.h"
#include "platform/task/mutex.h"

namespace lifeboat::http {
namespace {

/// A server on a free port of this machine that answers as the test says, a thread for each
/// connection.
class Server {
public:
    /// What to do with one request: the bytes to answer with; nothing closes without an answer.
    using Handler = std::function<std::optional<std::string>(const std::string& request)>;

    explicit Server(Handler handler) : handler_(std::move(handler)) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address);
        auto* raw = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(::bind(listener_, raw, size), 0);
        EXPECT_EQ(::listen(listener_, 8), 0);
        EXPECT_EQ(::getsockname(listener_, raw, &size), 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    ~Server() {
        stopping_ = true;
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }
    std::string url(std::string_view path = "/") const {
        return fmt::format("http://127.0.0.1:{}{}", port_, path);
    }
    std::uint16_t port() const { return port_; }
    int connections() const { return connections_; }
    std::string last() const {
        const MutexLock lock(mutex_);
        return last_;
    }

private:
    void serve() {
        std::vector<std::thread> threads;
        while (!stopping_) {
            const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (connection < 0) break;
            ++connections_;
            threads.emplace_back([this, connection] {
                while (converse(connection)) {
                }
                ::close(connection);
            });
        }
        for (std::thread& thread : threads) thread.join();
    }
    /// One request of a kept connection. False at its end.
    bool converse(int connection) {
        std::string request;
        while (!is_complete(request)) {
            pollfd ready{.fd = connection, .events = POLLIN, .revents = 0};
            while (::poll(&ready, 1, 20) == 0)
                if (stopping_) return false;
            char buffer[4096];
            const ssize_t size = ::recv(connection, buffer, sizeof(buffer), 0);
            if (size <= 0) return false;
            request.append(buffer, static_cast<std::size_t>(size));
        }
        {
            const MutexLock lock(mutex_);
            last_ = request;
        }
        const std::optional<std::string> answer = handler_(request);
        if (!answer) return false;
        (void)::send(connection, answer->data(), answer->size(), MSG_NOSIGNAL);
        return answer->contains("Content-Length") && !answer->contains("Connection: close");
    }
    static bool is_complete(const std::string& request) {
        const std::size_t end = request.find("\r\n\r\n");
        if (end == request.npos) return false;
        const std::string lower = to_lower(request);
        const std::size_t at = lower.find("content-length: ");
        if (at == lower.npos || at > end) return true;
        const std::string_view digits = std::string_view(lower).substr(at + 16);
        const auto size = parse_integer(digits.substr(0, digits.find('\r'))).value_or(0);
        return request.size() >= end + 4 + static_cast<std::size_t>(size);
    }

    Handler handler_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> stopping_ = false;
    std::atomic<int> connections_ = 0;
    mutable Mutex mutex_;
    std::string last_ GUARDED_BY(mutex_);
    std::thread thread_;
};

std::string answer(std::string_view body, std::string_view status = "200 OK",
                   std::string_view headers = "") {
    return fmt::format("HTTP/1.1 {}\r\n{}Content-Length: {}\r\n\r\n{}", status, headers,
                       body.size(), body);
}

Context soon(Duration limit = std::chrono::seconds(20)) {
    return Context(real_clock()).within(limit);
}

Error error_of(const Context& context, const Request& request) {
    const auto response = send(context, request);
    EXPECT_FALSE(response) << (response ? response->body : "");
    return response ? Error{} : response.error();
}

/// A port on which nobody listens.
std::uint16_t closed_port() {
    const Server server([](const std::string&) { return std::nullopt; });
    return server.port();
}

TEST(HttpClient, returns_status_headers_and_body) {
    const Server server([](const std::string&) {
        return answer("hello", "404 Not Found", "X-Some: a\r\nx-some: b\r\nEmpty:\r\n");
    });
    const auto response = send(soon(), {.url = server.url("/a?b=c")});
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, 404);
    EXPECT_EQ(response->body, "hello");
    EXPECT_EQ(response->headers.at("x-some"), "a, b");
    EXPECT_EQ(response->headers.at("empty"), "");
    EXPECT_GT(response->took, Duration::zero());
    EXPECT_TRUE(server.last().starts_with("GET /a?b=c HTTP/1.1\r\n")) << server.last();
}

TEST(HttpClient, sends_method_headers_and_body_as_given) {
    const Server server([](const std::string&) { return answer(""); });
    const std::string body("a\0b", 3);
    ASSERT_TRUE(send(soon(), {.method = "PUT",
                              .url = server.url("/x/../y"),
                              .headers = {{"X-One", "1"}, {"X-Empty", ""}},
                              .body = body}));
    EXPECT_TRUE(server.last().starts_with("PUT /x/../y HTTP/1.1\r\n"));
    EXPECT_TRUE(server.last().contains("X-One: 1\r\n"));
    EXPECT_TRUE(server.last().contains("X-Empty:\r\n"));
    EXPECT_TRUE(server.last().ends_with("\r\n\r\n" + body));
    EXPECT_FALSE(server.last().contains("Content-Type"));
    EXPECT_FALSE(server.last().contains("Expect"));

    ASSERT_TRUE(send(soon(), {.method = "POST", .url = server.url()}));
    EXPECT_TRUE(server.last().contains("Content-Length: 0\r\n"));
    ASSERT_TRUE(send(soon(), {.method = "POST",
                              .url = server.url(),
                              .headers = {{"content-type", "application/json"}},
                              .body = "{}"}));
    EXPECT_TRUE(server.last().contains("content-type: application/json\r\n"));
    ASSERT_TRUE(send(soon(), {.method = "DELETE", .url = server.url()}));
    EXPECT_TRUE(server.last().starts_with("DELETE / "));
}

TEST(HttpClient, asks_for_headers_only_with_head) {
    const Server server([](const std::string&) {
        return std::string("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    });
    const auto response = send(soon(), {.method = "HEAD", .url = server.url()});
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->headers.at("content-length"), "1000");
    EXPECT_TRUE(server.last().starts_with("HEAD / "));
}

TEST(HttpClient, follows_redirects_only_when_asked) {
    const Server server([](const std::string& request) {
        return request.starts_with("GET /old")
                   ? answer("", "302 Found", "Location: /new\r\nA: 1\r\n")
                   : answer("new");
    });
    EXPECT_EQ(send(soon(), {.url = server.url("/old")}).value().status, 302);
    const auto followed = send(soon(), {.url = server.url("/old"), .follow_redirects = true});
    EXPECT_EQ(followed.value().body, "new");
    EXPECT_FALSE(followed.value().headers.contains("a"));  // those of the last answer only
}

TEST(HttpClient, keeps_a_connection_for_reading_and_takes_a_fresh_one_for_acting) {
    const Server server([](const std::string&) { return answer("x"); });
    std::thread([&] {  // a thread of its own has connections of its own
        for (int i = 0; i < 3; ++i) EXPECT_TRUE(send(soon(), {.url = server.url()}));
        EXPECT_EQ(server.connections(), 1);
    })
        .join();
    const int before = server.connections();
    std::thread([&] {
        EXPECT_TRUE(send(soon(), {.method = "POST", .url = server.url(), .body = "1"}));
    }).join();
    EXPECT_EQ(server.connections(), before + 1);
}

TEST(HttpClient, is_unavailable_when_nobody_listens) {
    for (const char* method : {"GET", "POST"}) {
        const Error error = error_of(
            soon(), {.method = method, .url = fmt::format("http://127.0.0.1:{}/", closed_port())});
        EXPECT_EQ(error.kind, ErrorKind::unavailable) << error.message;
        EXPECT_TRUE(error.message.starts_with(method)) << error.message;
    }
}

TEST(HttpClient, is_unavailable_when_the_name_is_unknown) {
    EXPECT_EQ(error_of(soon(), {.url = "http://no-such-host.invalid/"}).kind,
              ErrorKind::unavailable);
}

TEST(HttpClient, does_not_know_what_became_of_a_request_that_was_sent) {
    const Server server([](const std::string&) { return std::nullopt; });
    const Error acted =
        error_of(soon(), {.method = "POST", .url = server.url(), .body = "charge 5"});
    EXPECT_EQ(acted.kind, ErrorKind::unknown);
    EXPECT_FALSE(acted.hint.empty());
    EXPECT_EQ(error_of(soon(), {.method = "DELETE", .url = server.url()}).kind, ErrorKind::unknown);
    EXPECT_EQ(error_of(soon(), {.url = server.url()}).kind, ErrorKind::unavailable);
    EXPECT_EQ(error_of(soon(), {.method = "HEAD", .url = server.url()}).kind,
              ErrorKind::unavailable);
}

TEST(HttpClient, sends_what_may_act_twice_only_once) {
    std::atomic<int> posts = 0;
    const Server server([&](const std::string& request) -> std::optional<std::string> {
        if (request.starts_with("GET")) return answer("x");
        ++posts;
        return std::nullopt;
    });
    std::thread([&] {
        EXPECT_TRUE(send(soon(), {.url = server.url()}));  // leaves a kept connection behind
        EXPECT_EQ(error_of(soon(), {.method = "POST", .url = server.url()}).kind,
                  ErrorKind::unknown);
    }).join();
    EXPECT_EQ(posts, 1);
}

TEST(HttpClient, takes_half_an_answer_for_none) {
    const Server server([](const std::string&) {
        return std::string(
            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nhalf");
    });
    EXPECT_EQ(error_of(soon(), {.method = "POST", .url = server.url()}).kind, ErrorKind::unknown);
    EXPECT_EQ(error_of(soon(), {.url = server.url()}).kind, ErrorKind::unavailable);
}

TEST(HttpClient, takes_an_answer_that_is_not_http_for_none) {
    const Server server([](const std::string&) { return std::string("SSH-2.0-OpenSSH_9.2\r\n"); });
    EXPECT_EQ(error_of(soon(), {.method = "POST", .url = server.url()}).kind, ErrorKind::unknown);
}

TEST(HttpClient, gives_up_at_the_deadline) {
    std::atomic<bool> release = false;
    const Server server([&](const std::string&) -> std::optional<std::string> {
        while (!release) ::poll(nullptr, 0, 1);
        return std::nullopt;
    });
    const auto limit = std::chrono::milliseconds(50);
    const Monotonic begin = real_clock().monotonic();
    EXPECT_EQ(error_of(soon(limit), {.method = "POST", .url = server.url()}).kind,
              ErrorKind::unknown);
    EXPECT_LT(real_clock().monotonic() - begin, std::chrono::seconds(60));
    release = true;
}

TEST(HttpClient, times_out_before_anything_is_sent) {
    const Server server([](const std::string&) { return answer("x"); });
    const Context late = Context(real_clock()).within(Duration::zero());
    EXPECT_EQ(error_of(late, {.url = server.url()}).kind, ErrorKind::timeout);
    EXPECT_EQ(server.connections(), 0);
}

TEST(HttpClient, stops_at_once_when_asked) {
    std::stop_source stop;
    std::atomic<bool> release = false;
    const Server server([&](const std::string&) -> std::optional<std::string> {
        stop.request_stop();
        while (!release) ::poll(nullptr, 0, 1);
        return std::nullopt;
    });
    const Context context(real_clock(), stop.get_token());
    // The server does not answer before this came back.
    EXPECT_EQ(error_of(context, {.url = server.url()}).kind, ErrorKind::cancelled);
    release = true;
    EXPECT_EQ(error_of(context, {.url = server.url()}).kind, ErrorKind::cancelled);
}

TEST(HttpClient, refuses_an_answer_longer_than_its_bound) {
    const Server server([](const std::string&) { return answer(std::string(5000, 'x')); });
    const Error error = error_of(soon(), {.url = server.url(), .response_limit = 1000});
    EXPECT_EQ(error.kind, ErrorKind::exhausted);
    EXPECT_TRUE(error.message.contains("1000 bytes")) << error.message;
    EXPECT_TRUE(send(soon(), {.url = server.url(), .response_limit = 10'000}));
}

TEST(HttpClient, refuses_what_is_no_request) {
    for (const char* url : {"", "no url", "http://", "ftp://127.0.0.1/", "file:///etc/passwd",
                            "http://127.0.0.1:99999/"})
        EXPECT_EQ(error_of(soon(), {.url = url}).kind, ErrorKind::invalid) << url;
    for (const auto& [name, value] : std::map<std::string, std::string>{
             {"X", "a\r\nEvil: 1"}, {"A B", "1"}, {"", "1"}, {"X:Y", "1"}})
        EXPECT_EQ(error_of(soon(), {.url = "http://127.0.0.1/", .headers = {{name, value}}}).kind,
                  ErrorKind::invalid)
            << name;
}

TEST(HttpClient, shows_no_password_of_a_url) {
    const Error error =
        error_of(soon(), {.url = fmt::format("http://user:s3cr3t@127.0.0.1:{}/", closed_port())});
    EXPECT_FALSE(error.message.contains("s3cr3t")) << error.message;
}

TEST(HttpClient, serves_many_threads) {
    const Server server(
        [](const std::string&) { return answer("x", "200 OK", "Connection: close\r\n"); });
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 5; ++i) EXPECT_TRUE(send(soon(), {.url = server.url()}));
        });
    for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace lifeboat::http

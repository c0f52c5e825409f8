#pragma once
/// A connection to one Redis server. Not thread-safe; every call is bounded by its context.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/env/network.h"
#include "platform/task/context.h"

struct redisContext;  // NOLINT(readability-identifier-naming): the library's name

namespace lifeboat::redis {

struct Address {
    std::string host = "127.0.0.1";
    std::uint16_t port = 6379;
    std::string user, password;  ///< resolved; never shown
};

/// An answer, errors aside.
struct Reply {
    enum class Type { nothing, text, integer, list } type = Type::nothing;
    std::string text;
    std::int64_t integer = 0;
    std::vector<Reply> items;
};

class Client {
public:
    /// Connects and logs in. A server without a password is entered also when the plan has one.
    /// Errors: unavailable, timeout, denied.
    static Result<Client> connect(const Context& context, const Address& address);
    Client(Client&&) noexcept;
    Client& operator=(Client&&) noexcept;
    ~Client();

    /// Errors: unavailable (also LOADING), denied, invalid (the server refuses it), timeout,
    /// unknown.
    Result<Reply> command(const Context& context, const std::vector<std::string>& words);
    /// INFO, its lines by name.
    Result<std::map<std::string, std::string>> info(const Context& context,
                                                    const std::string& section = "");
    /// One value of CONFIG GET; nothing when there is none, or when it may not be asked.
    std::optional<std::string> config(const Context& context, const std::string& name);

    bool needs_password() const { return needs_password_; }
    int descriptor() const;
    /// Sends without waiting for an answer; what follows is read from the descriptor.
    Result<void> send_only(const std::vector<std::string>& words);

private:
    struct Free {
        void operator()(redisContext* connection) const;
    };
    explicit Client(std::unique_ptr<redisContext, Free> connection);

    std::unique_ptr<redisContext, Free> connection_;
    bool needs_password_ = false;
};

/// Keys and expiring keys per database, from INFO: "db0" -> "keys=3,expires=1,avg_ttl=0".
std::map<std::uint64_t, std::pair<std::uint64_t, std::uint64_t>> keyspace(
    const std::map<std::string, std::string>& info);

}  // namespace lifeboat::redis

#include <fmt/core.h>
#include <hiredis/hiredis.h>

#include <array>
#include <memory>

#include "platform/base/text.h"
#include "providers/probe/check_kinds.h"

namespace lifeboat::probe {
namespace {

struct Free {
    void operator()(redisContext* connection) const { redisFree(connection); }
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Connection = std::unique_ptr<redisContext, Free>;
using Reply = std::unique_ptr<redisReply, Free>;

/// What a check may ask. Looking must not change anything.
constexpr std::array<std::string_view, 30> readers{
    "ping",     "dbsize", "info",   "role",      "lastsave", "time",     "get",  "mget",
    "exists",   "type",   "ttl",    "pttl",      "strlen",   "hget",     "hlen", "hexists",
    "llen",     "lindex", "scard",  "sismember", "zcard",    "zscore",   "xlen", "getbit",
    "bitcount", "echo",   "select", "memory",    "pfcount",  "randomkey"};

timeval time_of(Duration duration) {
    const auto micros = std::max<std::int64_t>(duration.count(), 1000);
    return {.tv_sec = micros / 1'000'000, .tv_usec = micros % 1'000'000};
}

Error broken(const redisContext& connection) {
    // Ignored: errno is only set with REDIS_ERR_IO; the text says the rest.
    if (connection.err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK))
        return timeout("no answer in time");
    return unavailable(static_cast<const char*>(connection.errstr));
}

Result<Connection> connect(const Context& context, const Place& place) {
    const timeval limit = time_of(context.remaining().value_or(Duration(std::chrono::seconds(5))));
    Connection connection(redisConnectWithTimeout(place.host.c_str(), place.port, limit));
    if (!connection) return exhausted("no memory for a Redis connection");
    if (connection->err != 0) return broken(*connection);
    return connection;
}

Result<Reply> ask(const Context& context, redisContext& connection,
                  const std::vector<std::string>& words) {
    TRY(context.check("asking Redis"));
    redisSetTimeout(&connection,
                    time_of(context.remaining().value_or(Duration(std::chrono::seconds(5)))));
    std::vector<const char*> arguments;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
        arguments.push_back(word.data());
        sizes.push_back(word.size());
    }
    Reply reply(static_cast<redisReply*>(redisCommandArgv(
        &connection, static_cast<int>(words.size()), arguments.data(), sizes.data())));
    if (!reply) return broken(connection);
    if (reply->type == REDIS_REPLY_ERROR) {
        const std::string said(reply->str, reply->len);
        if (said.starts_with("NOAUTH") || said.starts_with("WRONGPASS")) return denied(said);
        return unavailable(said);
    }
    return reply;
}

Json value_of(const redisReply& reply) {
    switch (reply.type) {
        case REDIS_REPLY_INTEGER:
            return Json(reply.integer);
        case REDIS_REPLY_STRING:
        case REDIS_REPLY_STATUS:
            return Json(std::string(reply.str, reply.len));
        case REDIS_REPLY_ARRAY: {
            Json items = Json::array();
            for (std::size_t i = 0; i < reply.elements; ++i)
                items.push_back(value_of(*reply.element[i]));
            return items;
        }
        default:
            return {};
    }
}

/// `field: role` picks one line "role:master" of INFO.
Result<std::string> field_of(const std::string& text, const std::string& name) {
    for (const std::string_view line : split(text, '\n'))
        if (line.starts_with(name) && line.substr(name.size()).starts_with(":"))
            return std::string(trim(line.substr(name.size() + 1)));
    return not_found(fmt::format("the answer has no field '{}'", name));
}

}  // namespace

Result<Seen> look_redis(const Context& context, const plan::Check& check, const Place& place) {
    std::string text = argument(check);
    if (text.empty() || text == "true") text = "PING";
    std::vector<std::string> words;
    for (const std::string_view word : split(text, ' '))
        if (!word.empty()) words.emplace_back(word);
    if (words.empty()) return invalid("redis: no command", "Write `{redis: PING}`.");
    if (std::ranges::find(readers, to_lower(words.front())) == readers.end())
        return invalid(fmt::format("redis: '{}' is not a command that only reads", words.front()),
                       "A check changes nothing: use PING, DBSIZE, GET, INFO and the like.");
    if (place.port == 0)
        return invalid("redis: no port is known here", "Add `port:` to the check.");
    const Connection connection = TRY(connect(context, place));
    if (!place.password.empty()) {
        std::vector<std::string> login{"AUTH"};
        if (!place.user.empty()) login.push_back(place.user);
        login.push_back(place.password);
        TRY(ask(context, *connection, login));
    }
    if (!place.database.empty() && place.database != "0")
        TRY(ask(context, *connection, {"SELECT", place.database}));
    const Reply reply = TRY(ask(context, *connection, words));
    Seen seen;
    seen.raw = value_of(*reply);
    seen.value = seen.raw.is_string() ? seen.raw.get<std::string>() : dump(seen.raw);
    if (const std::string field = string_or(check.settings, "field", ""); !field.empty()) {
        seen.value = TRY(field_of(seen.value, field));
        seen.raw = Json(seen.value);
    }
    if (reply->type == REDIS_REPLY_NIL) {
        seen.value.clear();
        seen.detail = "no such value";
        seen.passed = false;
    }
    return seen;
}

}  // namespace lifeboat::probe

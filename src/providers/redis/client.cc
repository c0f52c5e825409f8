#include "providers/redis/client.h"

#include <fmt/core.h>
#include <hiredis/hiredis.h>

#include "platform/base/text.h"

namespace lifeboat::redis {
namespace {

constexpr std::chrono::seconds patience{5};  // for one answer
constexpr int depth_max = 8;

timeval time_of(Duration duration) {
    const auto micros = std::max<std::int64_t>(duration.count(), 1000);
    return {.tv_sec = micros / 1'000'000, .tv_usec = micros % 1'000'000};
}

struct FreeReply {
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
};

Reply convert(const redisReply& reply, int depth) {
    Reply out;
    switch (reply.type) {
        case REDIS_REPLY_INTEGER:
            out.type = Reply::Type::integer;
            out.integer = reply.integer;
            break;
        case REDIS_REPLY_STRING:
        case REDIS_REPLY_STATUS:
            out.type = Reply::Type::text;
            out.text.assign(reply.str, reply.len);
            break;
        case REDIS_REPLY_ARRAY:
            out.type = Reply::Type::list;
            for (std::size_t i = 0; i < reply.elements && depth < depth_max; ++i)
                out.items.push_back(convert(*reply.element[i], depth + 1));
            break;
        default:
            break;
    }
    return out;
}

Error refused(const std::string& said) {
    const std::string hint = "Look at the server's log.";
    for (const std::string_view word : {"NOAUTH", "WRONGPASS", "NOPERM"})
        if (said.starts_with(word))
            return denied("Redis says: " + said, "Give the component the right `password:`.");
    for (const std::string_view word : {"LOADING", "BUSY", "MASTERDOWN", "TRYAGAIN"})
        if (said.starts_with(word)) return unavailable("Redis says: " + said);
    if (said.starts_with("OOM") || said.starts_with("MISCONF"))
        return exhausted("Redis says: " + said, hint);
    return invalid("Redis says: " + said, hint);
}

}  // namespace

void Client::Free::operator()(redisContext* connection) const { redisFree(connection); }
Client::Client(std::unique_ptr<redisContext, Free> connection)
    : connection_(std::move(connection)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::connect(const Context& context, const Address& address) {
    const std::string where = to_string(Endpoint{address.host, address.port});
    TRY(context.check("connecting to Redis"));
    std::unique_ptr<redisContext, Free> connection(redisConnectWithTimeout(
        address.host.c_str(), address.port, time_of(context.remaining_or(Duration(patience)))));
    if (!connection) return exhausted("no memory for a Redis connection");
    if (connection->err != 0)
        return unavailable(
            fmt::format("{}: {}", where, static_cast<const char*>(connection->errstr)));
    redisEnableKeepAlive(connection.get());
    Client client(std::move(connection));
    if (address.password.empty()) return client;
    std::vector<std::string> login{"AUTH"};
    if (!address.user.empty()) login.push_back(address.user);
    login.push_back(address.password);
    auto entered = client.command(context, login);
    if (entered.has_value()) {
        client.needs_password_ = true;
        return client;
    }
    // The server asks for none: whoever reaches it may do anything, with or without.
    if (entered.error().message.contains("without any password configured")) return client;
    return std::move(entered).error().in(where);
}

Result<Reply> Client::command(const Context& context, const std::vector<std::string>& words) {
    CHECK(!words.empty());
    TRY(context.check("asking Redis"));
    redisSetTimeout(connection_.get(), time_of(context.remaining_or(Duration(patience))));
    std::vector<const char*> arguments;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
        arguments.push_back(word.data());
        sizes.push_back(word.size());
    }
    const std::unique_ptr<redisReply, FreeReply> reply(static_cast<redisReply*>(redisCommandArgv(
        connection_.get(), static_cast<int>(words.size()), arguments.data(), sizes.data())));
    if (!reply) {
        TRY(context.check("asking Redis"));
        return unknown(fmt::format("no answer to {}: {}", words.front(),
                                   static_cast<const char*>(connection_->errstr)));
    }
    if (reply->type == REDIS_REPLY_ERROR) return refused(std::string(reply->str, reply->len));
    return convert(*reply, 0);
}

Result<std::map<std::string, std::string>> Client::info(const Context& context,
                                                        const std::string& section) {
    std::vector<std::string> words{"INFO"};
    if (!section.empty()) words.push_back(section);
    const Reply reply = TRY(command(context, words));
    std::map<std::string, std::string> lines;
    for (const std::string_view line : split(reply.text, '\n')) {
        const std::size_t colon = line.find(':');
        if (colon != std::string_view::npos)
            lines.emplace(line.substr(0, colon), trim(line.substr(colon + 1)));
    }
    return lines;
}

std::optional<std::string> Client::config(const Context& context, const std::string& name) {
    const auto reply = command(context, {"CONFIG", "GET", name});
    if (!reply.has_value() || reply->items.size() != 2) return std::nullopt;
    return reply->items[1].text;
}

int Client::descriptor() const { return connection_->fd; }

Result<void> Client::send_only(const std::vector<std::string>& words) {
    std::vector<const char*> arguments;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
        arguments.push_back(word.data());
        sizes.push_back(word.size());
    }
    int done = 0;
    if (redisAppendCommandArgv(connection_.get(), static_cast<int>(words.size()), arguments.data(),
                               sizes.data()) != REDIS_OK)
        return exhausted("no memory for a Redis command");
    while (done == 0)
        if (redisBufferWrite(connection_.get(), &done) != REDIS_OK)
            return unavailable(static_cast<const char*>(connection_->errstr));
    return ok();
}

std::map<std::uint64_t, std::pair<std::uint64_t, std::uint64_t>> keyspace(
    const std::map<std::string, std::string>& info) {
    std::map<std::uint64_t, std::pair<std::uint64_t, std::uint64_t>> found;
    for (const auto& [name, value] : info) {
        const auto number = name.starts_with("db") ? parse_integer(name.substr(2)) : std::nullopt;
        if (!number || *number < 0) continue;
        auto& counts = found[static_cast<std::uint64_t>(*number)];
        for (const std::string_view part : split(value, ',')) {
            const std::size_t equals = part.find('=');
            if (equals == std::string_view::npos) continue;
            const auto count =
                static_cast<std::uint64_t>(parse_integer(part.substr(equals + 1)).value_or(0));
            if (part.starts_with("keys=")) counts.first = count;
            if (part.starts_with("expires=")) counts.second = count;
        }
    }
    return found;
}

}  // namespace lifeboat::redis

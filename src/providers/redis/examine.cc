#include <fmt/core.h>

#include "platform/base/text.h"
#include "providers/redis/copy.h"

namespace lifeboat::redis {
namespace {

using namespace std::chrono_literals;
using providers::Exam;

constexpr std::size_t sample_max = 500;
constexpr std::size_t told_max = 10;
constexpr Duration breath = 1ms;  // between two questions to the source
constexpr Duration source_time = 15s;
constexpr const char* batch = "2000";

/// One step of a walk over a database, in the server: cursor, then type and count, then how many
/// keys expire, and how many should have.
constexpr const char* walk_step =
    "local r = redis.call('SCAN', ARGV[1], 'COUNT', ARGV[2]) "
    "local types, expiring, overdue = {}, 0, 0 "
    "for _, key in ipairs(r[2]) do "
    "  local t = redis.call('TYPE', key)['ok'] "
    "  types[t] = (types[t] or 0) + 1 "
    "  local ttl = redis.call('PTTL', key) "
    "  if ttl >= 0 then expiring = expiring + 1 end "
    "  if ttl == 0 then overdue = overdue + 1 end "
    "end "
    "local out = {r[1], expiring, overdue} "
    "for t, n in pairs(types) do out[#out + 1] = t; out[#out + 1] = n end "
    "return out";

Result<void> select(const Context& context, Client& client, const std::string& database) {
    TRY(client.command(context, {"SELECT", database}));
    return ok();
}

Result<void> walk(const Context& context, Copy& copy, const std::string& database) {
    TRY(select(context, copy.client, database));
    std::string cursor = "0";
    auto& types = copy.types[database];
    do {
        TRY(context.check("counting keys"));
        const Reply step =
            TRY(copy.client.command(context, {"EVAL", walk_step, "0", cursor, batch}));
        if (step.items.size() < 3) return corrupt("the walk over the keys gave no answer");
        cursor = step.items[0].text;
        copy.expiring[database] += static_cast<std::uint64_t>(step.items[1].integer);
        copy.overdue += static_cast<std::uint64_t>(step.items[2].integer);
        for (std::size_t i = 3; i + 1 < step.items.size(); i += 2)
            types[step.items[i].text] += static_cast<std::uint64_t>(step.items[i + 1].integer);
    } while (cursor != "0");
    return ok();
}

/// More keys of a type than the point has, or fewer than have no expiry to excuse them.
std::vector<std::string> differences(const Json& databases, const Copy& copy) {
    std::vector<std::string> told;
    for (const auto& [database, expected] : databases.items()) {
        if (!expected.contains("types")) continue;
        const auto found = copy.types.find(database);
        std::uint64_t missing = 0;
        for (const auto& [type, count] : expected["types"].items()) {
            const auto wanted = count.is_number_unsigned() ? count.get<std::uint64_t>() : 0;
            std::uint64_t have = 0;
            if (found != copy.types.end())
                if (const auto own = found->second.find(type); own != found->second.end())
                    have = own->second;
            if (have < wanted) missing += wanted - have;
            if (have > wanted)
                told.push_back(fmt::format("database {}: {} keys of type {}, the point has {}",
                                           database, have, type, wanted));
        }
        const auto expiring = static_cast<std::uint64_t>(integer_or(expected, "expiring", 0));
        if (missing > expiring)
            told.push_back(fmt::format("database {}: {} keys missing, of which {} may have expired",
                                       database, missing, expiring));
    }
    return told;
}

/// The source while it is exactly where it was when the point was made; nothing otherwise.
Result<std::optional<Client>> unchanged_source(const Context& context, const Copy& copy,
                                               std::string& why) {
    const Address address = TRY(address_of(copy.services, copy.call.current));
    auto client = Client::connect(context, address);
    if (!client.has_value()) {
        why = "the source cannot be asked: " + client.error().message;
        return std::optional<Client>();
    }
    const Presence presence = TRY(look_at(context, *client));
    const auto offset = presence.info.find("master_repl_offset");
    const std::string now = offset == presence.info.end() ? "?" : offset->second;
    const std::string then = fmt::format("{}", integer_or(copy.point.facts, "offset", -1));
    const bool same =
        presence.replication_id == string_or(copy.point.facts, "replication_id", "") && now == then;
    if (same) return std::optional<Client>(*std::move(client));
    why = fmt::format("the source has been written to since (position {} then, {} now)", then, now);
    return std::optional<Client>();
}

struct Sample {
    std::size_t compared = 0;
    std::vector<std::string> different;
};

/// What is compared of a value: a text itself, of the others how much there is. (Their DUMP differs
/// between servers that hold the same.)
std::string question_for(const std::string& type) {
    if (type == "list") return "LLEN";
    if (type == "hash") return "HLEN";
    if (type == "set") return "SCARD";
    if (type == "zset") return "ZCARD";
    return type == "stream" ? "XLEN" : "";
}

Result<void> compare_one(const Context& context, Copy& copy, Client& source,
                         const std::string& database, Sample& sample) {
    const Reply key = TRY(copy.client.command(context, {"RANDOMKEY"}));
    const Reply type = TRY(copy.client.command(context, {"TYPE", key.text}));
    std::vector<std::string> question{question_for(type.text), key.text};
    // Of a long text the beginning: the source answers in a moment, whatever it holds.
    if (type.text == "string") question = {"GETRANGE", key.text, "0", "65535"};
    if (question.front().empty()) return ok();
    const Reply mine = TRY(copy.client.command(context, question));
    const Reply theirs = TRY(source.command(context, question));
    TRY(context.sleep(breath));
    if (mine.text == theirs.text && mine.integer == theirs.integer) {
        ++sample.compared;
        return ok();
    }
    // It may have expired between the questions.
    const Reply there = TRY(copy.client.command(context, {"EXISTS", key.text}));
    if (there.integer == 0) return ok();
    ++sample.compared;
    if (sample.different.size() < told_max)
        sample.different.push_back(fmt::format(
            "database {}: a {} is another one than at the source", database, type.text));
    return ok();
}

}  // namespace

Result<Exam> examine_types(const Context& context, Copy& copy) {
    Exam exam{.name = "keys by type"};
    const auto info = TRY(copy.client.info(context, "keyspace"));
    std::uint64_t keys = 0;
    std::map<std::string, std::uint64_t> all;
    for (const auto& [number, count] : keyspace(info)) {
        TRY(walk(context, copy, std::to_string(number)));
        for (const auto& [type, found] : copy.types[std::to_string(number)]) {
            all[type] += found;
            keys += found;
        }
    }
    const Json databases = copy.point.facts.value("databases", Json::object());
    exam.objects = differences(databases, copy);
    std::vector<std::string> words;
    for (const auto& [type, count] : all) words.push_back(fmt::format("{} {}", count, type));
    exam.detail = fmt::format("{} keys in {} databases ({}), as in the point", keys,
                              copy.types.size(), join(words, ", "));
    if (exam.objects.empty()) return exam;
    exam.outcome = Exam::Outcome::failed;
    exam.detail = fmt::format("{} keys ({}), which are not the point's", keys, join(words, ", "));
    return exam;
}

Result<Exam> examine_expiries(const Context&, Copy& copy) {
    Exam exam{.name = "expiries"};
    std::uint64_t expiring = 0;
    for (const auto& [database, count] : copy.expiring) {
        expiring += count;
        const Json expected =
            copy.point.facts.value("databases", Json::object()).value(database, Json::object());
        const auto most = static_cast<std::uint64_t>(integer_or(expected, "expiring", 0));
        if (expected.contains("expiring") && count > most)
            exam.objects.push_back(
                fmt::format("database {}: {} keys expire, in the point {}", database, count, most));
    }
    exam.detail = fmt::format("{} keys expire, none is overdue", expiring);
    if (copy.overdue > 0) exam.detail = fmt::format("{} keys expire", expiring);
    if (!exam.objects.empty()) exam.outcome = Exam::Outcome::failed;
    return exam;
}

Result<Exam> examine_digest(const Context& context, Copy& copy) {
    Exam exam{.name = "digest"};
    const auto digest = copy.client.command(context, {"DEBUG", "DIGEST"});
    if (digest.has_value()) copy.digest = digest->text;
    const Context bounded = context.within(source_time);
    std::string why;
    auto source = TRY(unchanged_source(bounded, copy, why));
    const std::string own =
        copy.digest.empty() ? std::string("not told by the copy") : copy.digest.substr(0, 12);
    if (!source) {
        exam.outcome = Exam::Outcome::unseen;
        exam.detail = fmt::format("{}; not compared: {}", own, why);
        return exam;
    }
    Sample sample;
    for (const auto& [database, types] : copy.types) {
        if (types.empty()) continue;
        TRY(select(context, copy.client, database));
        TRY(select(bounded, *source, database));
        for (std::size_t i = 0; i < sample_max / copy.types.size(); ++i)
            TRY(compare_one(bounded, copy, *source, database, sample));
    }
    // What was written while we compared is no difference.
    if (!sample.different.empty()) source = TRY(unchanged_source(bounded, copy, why));
    if (!source) {
        exam.outcome = Exam::Outcome::unseen;
        exam.detail = fmt::format("{}; not compared: {}", own, why);
        return exam;
    }
    exam.objects = sample.different;
    exam.detail =
        fmt::format("{}; {} values compared with the unchanged source", own, sample.compared);
    if (!exam.objects.empty()) exam.outcome = Exam::Outcome::failed;
    return exam;
}

}  // namespace lifeboat::redis

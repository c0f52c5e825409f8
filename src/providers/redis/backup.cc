#include "providers/redis/backup.h"

#include <fmt/core.h>

#include "providers/contract/proofs.h"
#include "providers/redis/server.h"

namespace lifeboat::redis {
namespace {

using providers::Services;
using providers::VerbCall;

/// What a restored server is set to like its source. Not what is of the machine: address, memory.
constexpr const char* kept_settings[] = {"save",
                                         "appendonly",
                                         "appendfsync",
                                         "maxmemory",
                                         "maxmemory-policy",
                                         "databases",
                                         "rdbcompression",
                                         "timeout",
                                         "hz",
                                         "notify-keyspace-events",
                                         "active-expire-effort",
                                         "repl-diskless-sync-delay"};

Result<vault::Vault*> vault_of(const Services& services) {
    if (services.vault != nullptr) return services.vault;
    return unavailable("there is no vault: " + services.vault_problem,
                       "Make one with `lifeboat vault init`.");
}

/// Settings and users of the source. Users hold hashed passwords: they go into the sealed point,
/// never into its facts.
Json source_settings(const Context& context, Client& client) {
    Json settings = Json::object();
    for (const char* name : kept_settings)
        if (const auto value = client.config(context, name)) settings[name] = *value;
    Json kept{{"settings", settings}, {"needs_password", client.needs_password()}};
    const auto users = client.command(context, {"ACL", "LIST"});
    if (users.has_value() && !users->items.empty()) {
        Json lines = Json::array();
        for (const Reply& line : users->items) lines.push_back(line.text);
        kept["users"] = lines;
    }
    return kept;
}

Json facts_of(const Synced& synced, const Presence& presence, const std::string& token) {
    Json databases = Json::object();
    std::uint64_t keys = 0;
    for (const auto& [number, count] : synced.summary.databases) {
        Json& database = databases[std::to_string(number)];
        database = Json{{"keys", count.keys}, {"expiring", count.expiring}};
        if (const auto types = synced.summary.types.find(number);
            types != synced.summary.types.end())
            database["types"] = types->second;
        keys += count.keys;
    }
    Json facts{{"token", token},
               {"at", format_instant(synced.at)},
               {"run_id", presence.run_id},
               {"replication_id", synced.replication_id},
               {"offset", synced.offset},
               {"redis_version", presence.version},
               {"data_id", presence.directory}};
    if (!synced.counted) return facts;
    facts["keys"] = keys;
    facts["databases"] = std::move(databases);
    facts["snapshot_bytes"] = synced.summary.size;
    facts["checksum_proven"] = synced.summary.checksum_proven;
    return facts;
}

Result<vault::Point> write_point(const Context& context, Services& services, const VerbCall& call,
                                 Client& client, const Presence& presence,
                                 const providers::ProgressSink& progress) {
    vault::Vault* vault = TRY(vault_of(services));
    const Clock& clock = services.environment.clock;
    const Instant began = clock.now();
    auto writer = TRY(vault->begin_point(call.component->name, snapshot_method, began));
    const Json kept = source_settings(context, client);
    TRY(writer->begin_file(settings_file, {.mode = 0600, .modified = began},
                           vault::Chunking::fixed_64k));
    TRY(writer->write(context, as_bytes(dump(kept))));
    TRY(writer->begin_file(snapshot_file, {.mode = 0600, .modified = began},
                           vault::Chunking::content_defined));
    std::uint64_t done = 0;
    const auto sink = [&](ByteView bytes) -> Result<void> {
        TRY(writer->write(context, bytes));
        done += bytes.size();
        if (progress) progress(done, 0, "bytes");
        return ok();
    };
    const Synced synced = TRY(full_sync(context, client, clock, sink));
    providers::Instance source = call.subject();
    source.identity = presence.identity();
    return writer->commit(context, clock.now(), facts_of(synced, presence, call.token),
                          to_json(source));
}

}  // namespace

Instant time_of(const vault::Point& point) {
    const auto at = get_instant(point.facts, "at");
    return at.value_or(point.began);
}

Json outputs_of(const vault::Point& point) {
    return Json{{"point", point.id.value},
                {"size", point.size},
                {"stored", point.stored},
                {"keys", point.facts.value("keys", Json())},
                {"target_time", format_instant(time_of(point))}};
}

Result<std::vector<vault::Point>> snapshots(Services& services, const std::string& component) {
    vault::Vault* vault = TRY(vault_of(services));
    auto points = TRY(vault->points(component));
    std::erase_if(points,
                  [](const vault::Point& point) { return point.method != snapshot_method; });
    return points;
}

Result<std::optional<vault::Point>> point_of(Services& services, const std::string& component,
                                             const std::string& token) {
    const auto points = TRY(snapshots(services, component));
    for (const vault::Point& point : points)
        if (string_or(point.facts, "token", "") == token) return std::optional(point);
    return std::optional<vault::Point>();
}

Result<Json> make_point(const Context& context, Services& services, const VerbCall& call,
                        const providers::ProgressSink& progress) {
    const std::string method = string_or(call.arguments, "method", snapshot_method);
    if (method != snapshot_method)
        return unsupported(fmt::format("kind 'redis' has no method '{}'", method),
                           "Use `snapshot`.");
    if (const auto made = TRY(point_of(services, call.component->name, call.token)))
        return outputs_of(*made);
    const Address address = TRY(address_of(services, call.subject()));
    Client client = TRY(Client::connect(context, address));
    const Presence presence = TRY(look_at(context, client));
    if (presence.loading)
        return unavailable(fmt::format("{} is still loading its data", call.component->name));
    // A point of another server under this component's name would be worse than none.
    const bool comparable =
        !presence.directory.empty() && !string_or(call.subject().identity, "data_id", "").empty();
    if (comparable) TRY(prove(services, call.subject(), presence));
    const vault::Point point =
        TRY(write_point(context, services, call, client, presence, progress));
    return outputs_of(point);
}

Result<vault::Point> choose_point(Services& services, const std::string& component,
                                  const std::string& to, bool accept_bad) {
    const auto points = TRY(snapshots(services, component));
    if (points.empty())
        return not_found(fmt::format("the vault has no point of {}", component),
                         fmt::format("Make one with `lifeboat backup {}`.", component));
    const auto verdicts = TRY(providers::load_verdicts(*services.vault, component, points));
    const auto newest_until = [&](std::optional<Instant> limit) -> Result<vault::Point> {
        const vault::Point* best = nullptr;
        const vault::Point* bad = nullptr;
        for (const vault::Point& point : points) {
            if (limit && time_of(point) > *limit) continue;
            const providers::Verdict* verdict = providers::newest_verdict(verdicts, point.id.value);
            const vault::Point*& found = verdict != nullptr && verdict->bad ? bad : best;
            if (found == nullptr || time_of(point) >= time_of(*found)) found = &point;
        }
        if (best != nullptr) return *best;
        if (bad != nullptr && accept_bad) return *bad;
        if (bad != nullptr)
            return conflict(
                fmt::format("every point of {} in question was found bad: {}", component,
                            providers::newest_verdict(verdicts, bad->id.value)->why),
                fmt::format("`--to {}` takes the newest all the same.", bad->id.value));
        return not_found(
            fmt::format("the vault has no point of {} from before {}", component,
                        format_instant(*limit)),
            fmt::format("The oldest is of {}.", format_instant(time_of(points.front()))));
    };
    if (to.empty() || to == "latest") return newest_until(std::nullopt);
    for (const vault::Point& point : points)
        if (point.id.value == to) return point;
    if (const auto moment = parse_instant(to); moment.has_value()) return newest_until(*moment);
    // A point of another component that is restored in the same run: then its moment is meant.
    const auto others = TRY(services.vault->points());
    for (const vault::Point& point : others)
        if (point.id.value == to) return newest_until(point.ended);
    return invalid(fmt::format("{}: '{}' is neither a moment nor a point", component, to),
                   fmt::format("`lifeboat points {}` lists what one can go back to.", component));
}

}  // namespace lifeboat::redis

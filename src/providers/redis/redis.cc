#include "providers/redis/redis.h"

#include <fmt/core.h>

#include "platform/base/text.h"
#include "providers/contract/health.h"
#include "providers/contract/proofs.h"
#include "providers/redis/backup.h"
#include "providers/redis/launch.h"
#include "providers/redis/prove.h"
#include "providers/redis/restore.h"
#include "providers/redis/spec.h"

namespace lifeboat::providers {
namespace {

using redis::Address;
using redis::Client;
using redis::Marker;
using redis::Presence;
using runbook::ProbeVerdict;

constexpr std::chrono::milliseconds look_again{100};
constexpr std::chrono::seconds verify_limit{30};
constexpr std::chrono::seconds look_limit{5};

std::vector<plan::Check> all_checks(const plan::Component& component) {
    std::vector<plan::Check> checks = component.health;
    checks.insert(checks.end(), component.verify.begin(), component.verify.end());
    return checks;
}

Json key_counts(const std::map<std::string, std::string>& info) {
    Json counts = Json::object();
    for (const auto& [number, count] : redis::keyspace(info))
        counts[std::to_string(number)] = count.first;
    return counts;
}

std::int64_t number_of(const std::map<std::string, std::string>& info, const char* name) {
    const auto found = info.find(name);
    return found == info.end() ? 0 : parse_integer(found->second).value_or(0);
}

class RedisProvider final : public Provider {
public:
    explicit RedisProvider(Services& services) : services_(services) {}

    plan::KindSpec describe() const override { return redis::describe_redis(); }
    Result<Observation> observe(const Context& context, const Target& target) override;
    Result<std::vector<Call>> preview(const Context& context, const VerbCall& call) override;
    Result<Started> start(const Context& context, const VerbCall& call,
                          const ProgressSink& progress) override;
    Result<Probed> probe(const Context& context, const VerbCall& call) override;
    Result<std::vector<RecoveryPoint>> points(const Context& context,
                                              const Target& target) override;
    Result<Proof> prove(const Context& context, const ProofCall& call,
                        const ProofSink& sink) override {
        return redis::prove(context, services_, call, sink);
    }
    Result<void> discard(const Context& context, const ProofCall& call) override {
        return redis::discard(context, services_, call);
    }

private:
    Result<Json> verify(const Context& context, const VerbCall& call);
    Result<Json> start_again(const Context& context, const VerbCall& call);
    Result<Json> take_down(const Context& context, const VerbCall& call);
    Result<std::optional<Presence>> find(const Context& context, const VerbCall& call,
                                         const Address& address);

    Services& services_;
};

Result<Observation> RedisProvider::observe(const Context& context, const Target& target) {
    Observation seen;
    const Address address = TRY(redis::address_of(services_, target.instance));
    auto client = Client::connect(context.within(look_limit), address);
    if (!client.has_value()) {
        seen.health = health_of(client.error());
        seen.why = client.error().message;
        return seen;
    }
    const auto presence = redis::look_at(context, *client);
    if (!presence.has_value()) {
        seen.health = health_of(presence.error());
        seen.why = presence.error().message;
        return seen;
    }
    seen.identity = presence->identity();
    seen.role = presence->role == "master" ? "primary" : "standby";
    seen.facts =
        Json{{"version", presence->version},
             {"keys", key_counts(presence->info)},
             {"used_memory", number_of(presence->info, "used_memory")},
             {"connected_clients", number_of(presence->info, "connected_clients")},
             {"changes_since_save", number_of(presence->info, "rdb_changes_since_last_save")}};
    if (presence->loading) {
        seen.health = watch::Health::degraded;
        seen.why = "it is loading its data";
        return seen;
    }
    const auto checked = redis::run_checks(context, services_, target.component.health, address,
                                           integer_or(target.component.settings, "port", 0));
    seen.why = checked.trouble.empty() ? checked.last : checked.trouble;
    if (seen.why.empty()) seen.why = "answers";
    seen.health = checked.health;
    return seen;
}

Result<Json> RedisProvider::verify(const Context& context, const VerbCall& call) {
    const Address address = TRY(redis::address_of(services_, call.subject()));
    const auto checks = all_checks(*call.component);
    const Context bounded = context.within(verify_limit);
    while (true) {
        auto client = Client::connect(bounded, address);
        std::string trouble;
        if (client.has_value()) {
            const auto checked = redis::run_checks(bounded, services_, checks, address,
                                                   integer_or(call.component->settings, "port", 0));
            const auto info = client->info(bounded, "keyspace");
            if (checked.trouble.empty() && info.has_value())
                return Json{{"checks", checked.passed}, {"keys", key_counts(*info)}};
            trouble = info.has_value() ? checked.trouble : info.error().message;
        } else {
            trouble = client.error().message;
        }
        auto slept = bounded.sleep(look_again);
        if (slept.has_value()) continue;
        TRY(context.check("verifying " + call.component->name));
        return unavailable(fmt::format("{}: {}", call.component->name, trouble));
    }
}

/// The server behind the address, proven to be the instance's own; nothing when nobody is there.
Result<std::optional<Presence>> RedisProvider::find(const Context& context, const VerbCall& call,
                                                    const Address& address) {
    auto client = Client::connect(context.within(look_limit), address);
    if (!client.has_value()) {
        if (client.error().kind != ErrorKind::unavailable) return std::move(client).error();
        return std::optional<Presence>();
    }
    const Presence presence = TRY(redis::look_at(context, *client));
    TRY(redis::prove(services_, call.subject(), presence));
    return std::optional<Presence>(presence);
}

Result<Json> RedisProvider::take_down(const Context& context, const VerbCall& call) {
    // What a drill did not make is not its to end.
    if (call.mode == runbook::RunMode::drill && !call.candidate)
        return denied(
            fmt::format("a drill ends only servers that it made, not {}", call.component->name));
    // A fence is for what stood here before this run, not for what the run has restored.
    VerbCall own = call;
    if (call.verb == "fence") own.candidate.reset();
    const Address address = TRY(redis::address_of(services_, own.subject()));
    const auto presence = TRY(find(context, own, address));
    std::string proof = fmt::format("nobody listens on {}:{}", address.host, address.port);
    if (presence) {
        TRY(redis::end(context, services_, address, *presence));
        proof = fmt::format("pid {} has ended, {}", presence->pid, proof);
    } else {
        TRY(redis::prove_closed(context, services_, address));
    }
    const Path data = redis::data_directory(services_, own.subject().settings);
    auto marker = TRY(redis::load_marker(services_.environment.files, redis::folder_above(data)));
    if (call.verb == "fence" && marker) {
        marker->state = Marker::State::fenced;
        TRY(redis::save_marker(services_.environment.files, redis::folder_above(data), *marker));
    }
    return Json{{"proof", proof}};
}

Result<Json> RedisProvider::start_again(const Context& context, const VerbCall& call) {
    const Instance& instance = call.subject();
    const Address address = TRY(redis::address_of(services_, instance));
    const auto presence = TRY(find(context, call, address));
    if (presence) return Json{{"proof", fmt::format("pid {} serves it", presence->pid)}};
    const Path data = redis::data_directory(services_, instance.settings);
    const Path folder = redis::folder_above(data);
    auto marker = TRY(redis::load_marker(services_.environment.files, folder));
    if (!marker)
        return unsupported(fmt::format("{} was not started by Lifeboat, which does not know how",
                                       call.component->name),
                           "Start it as it was started first, for example by a `run` step.");
    if (marker->state == Marker::State::fenced)
        return conflict(fmt::format("{} in {} is fenced", call.component->name, folder.string()),
                        "Restore it, or start it by hand when you are sure.");
    const LocalSite site = TRY(local_site(call.plan, instance.site, services_.plan_directory));
    const auto user = TRY(redis::server_user(services_, instance.settings, site));
    TRY(redis::launch(context, services_, instance.settings, folder, *marker, address, user));
    return Json{{"proof", fmt::format("pid {} serves it", marker->server->pid)}};
}

Result<Started> RedisProvider::start(const Context& context, const VerbCall& call,
                                     const ProgressSink& progress) {
    Started started;
    if (call.verb == "restore") {
        started.outputs = TRY(redis::restore(context, services_, call, progress));
    } else if (call.verb == "backup" || call.verb == "rebuild-protection") {
        started.outputs = TRY(redis::make_point(context, services_, call, progress));
    } else if (call.verb == "verify") {
        started.outputs = TRY(verify(context, call));
    } else if (call.verb == "start") {
        started.outputs = TRY(start_again(context, call));
    } else if (call.verb == "stop" || call.verb == "fence") {
        started.outputs = TRY(take_down(context, call));
    } else {
        return unsupported(fmt::format("kind 'redis' cannot '{}'", call.verb));
    }
    return started;
}

Result<std::vector<Call>> RedisProvider::preview(const Context& context, const VerbCall& call) {
    if (call.verb == "restore") return redis::preview_restore(services_, call);
    const Instance& instance = call.subject();
    const Address address = TRY(redis::address_of(services_, instance));
    const std::string where = fmt::format("{}:{}", address.host, address.port);
    if (call.verb == "backup" || call.verb == "rebuild-protection")
        return std::vector<Call>{
            {.action = "PSYNC ? -1, its snapshot streamed into the vault", .object = where}};
    std::vector<Call> calls;
    if (call.verb == "verify") {
        for (const plan::Check& check : all_checks(*call.component))
            calls.push_back({.action = fmt::format("check {} {}", check.type,
                                                   dump(check.settings.value("value", Json()))),
                             .object = where});
        return calls;
    }
    if (call.verb == "start")
        return std::vector<Call>{
            {.action = fmt::format(
                 "{} {}/redis.conf, unless it runs",
                 string_or(instance.settings, "bin", "redis-server"),
                 redis::folder_above(redis::data_directory(services_, instance.settings)).string()),
             .object = where}};
    const auto presence = find(context, call, address);
    if (!presence.has_value())
        return std::vector<Call>{
            {.action = "nothing: " + presence.error().message, .object = where}};
    if (!*presence)
        return std::vector<Call>{{.action = "prove that nobody listens", .object = where}};
    return std::vector<Call>{
        {.action = fmt::format("SIGTERM to pid {} (its files: {}), SIGKILL after 20s",
                               (*presence)->pid, (*presence)->directory),
         .object = where,
         .destructive = true}};
}

Result<Probed> RedisProvider::probe(const Context& context, const VerbCall& call) {
    if (call.verb == "restore") return redis::probe_restore(context, services_, call);
    Probed probed{.verdict = ProbeVerdict::absent};
    if (call.verb == "backup" || call.verb == "rebuild-protection") {
        const auto made = TRY(redis::point_of(services_, call.component->name, call.token));
        if (!made) {
            probed.explanation = "the vault has no point of this step";
            return probed;
        }
        return Probed{.verdict = ProbeVerdict::done, .outputs = redis::outputs_of(*made)};
    }
    if (call.verb == "verify") {
        probed.explanation = "it only looks";
        return probed;
    }
    const Address address = TRY(redis::address_of(services_, call.subject()));
    const auto presence = TRY(find(context, call, address));
    const bool done = call.verb == "start" ? presence.has_value() : !presence.has_value();
    if (done) probed.verdict = ProbeVerdict::done;
    probed.explanation = presence ? fmt::format("pid {} serves it", presence->pid)
                                  : std::string("nobody answers there");
    if (done) probed.outputs = Json{{"proof", probed.explanation}};
    return probed;
}

Result<std::vector<RecoveryPoint>> RedisProvider::points(const Context&, const Target& target) {
    const auto found = TRY(redis::snapshots(services_, target.component.name));
    const Verdicts verdicts = TRY(load_verdicts(*services_.vault, target.component.name, found));
    std::vector<RecoveryPoint> points;
    for (const vault::Point& point : found) {
        RecoveryPoint one;
        one.id = point.id.value;
        one.method = point.method;
        one.at = redis::time_of(point);
        one.position = fmt::format("{}:{}", string_or(point.facts, "replication_id", "?"),
                                   integer_or(point.facts, "offset", 0));
        one.size = point.size;
        one.identity = point.instance.value("identity", Json::object());
        if (const Verdict* verdict = newest_verdict(verdicts, one.id)) {
            one.verdict = verdict->bad ? "bad" : "proven";
            one.verified_at = verdict->at;
            one.verdict_why = verdict->why;
        }
        points.push_back(std::move(one));
    }
    return points;
}

}  // namespace

std::unique_ptr<Provider> make_redis_provider(Services& services) {
    return std::make_unique<RedisProvider>(services);
}

}  // namespace lifeboat::providers

#include "providers/postgres/observe.h"

#include <fmt/core.h>

#include "platform/base/size.h"
#include "providers/contract/health.h"
#include "providers/postgres/watcher.h"

namespace lifeboat::postgres {
namespace {

using namespace std::chrono_literals;
using watch::Health;
constexpr Duration look_time = 5s;

/// Without checks in the plan: does it answer a question.
std::vector<plan::Check> health_checks(const plan::Component& component) {
    if (!component.health.empty()) return component.health;
    plan::Check check;
    check.type = "sql";
    check.settings = Json{{"value", "SELECT 1"}};
    return {check};
}

/// Numbers about slot and disk; what cannot be seen is left out.
void add_facts(const Context& context, const Services& services, const Server& server,
               Connection& connection, providers::Observation& seen) {
    const auto bound =
        connection.query(context, "SELECT current_setting('max_slot_wal_keep_size')");
    if (bound.has_value()) seen.facts["max_slot_wal_keep_size"] = bound->first();
    const auto slot = slot_health(context, connection, server.slot);
    if (slot.has_value() && *slot) {
        seen.facts["slot"] = server.slot;
        seen.facts["slot_active"] = (*slot)->is_active;
        seen.facts["wal_status"] = (*slot)->wal_status;
        seen.facts["retained_wal"] = (*slot)->retained;
        seen.facts["slot_lag"] = human_size((*slot)->retained);
        if ((*slot)->safe_size) seen.facts["safe_wal_size"] = *(*slot)->safe_size;
    }
    if (!server.data_directory) return;
    const auto free = services.environment.files.free_space(*server.data_directory);
    if (free.has_value()) seen.facts["free_disk"] = *free;
}

void look_closer(const Context& context, const Services& services, const Server& server,
                 Connection& connection, providers::Observation& seen) {
    const auto identity = identify(context, services.environment, server, connection);
    if (!identity.has_value()) {
        if (seen.health == Health::healthy) seen.health = Health::degraded;
        seen.why += fmt::format("; cannot be identified: {}", identity.error().message);
        return;
    }
    seen.identity = to_json(*identity, server);
    seen.role = identity->in_recovery ? "standby" : "primary";
    const auto pinned = require_pinned(server, identity->system_identifier);
    if (!pinned.has_value()) {
        seen.health = Health::unhealthy;
        seen.why = pinned.error().message;
        return;
    }
    const int version = connection.server_version();  // 150018 is 15.18
    seen.facts["version"] = fmt::format("{}.{}", version / 10000, version % 10000);
    add_facts(context, services, server, connection, seen);
}

}  // namespace

probe::Place place_of(const Server& server) {
    probe::Place place;
    place.host = server.host;
    place.port = server.port;
    place.database = server.database;
    place.user = server.user;
    place.password = server.password;
    return place;
}

Result<providers::Observation> observe(const Context& context, const Services& services,
                                       const providers::Target& target) {
    const Server server = TRY(server_of(services, target.plan, target.instance));
    providers::Observation seen;
    seen.health = Health::healthy;
    for (const plan::Check& check : health_checks(target.component)) {
        const auto result = probe::run_check(context.within(look_time), services.environment, check,
                                             place_of(server));
        TRY(context.check(fmt::format("observing {}", server.describe())));
        if (!result.passed) {
            seen.health = providers::health_of(result);
            seen.why = fmt::format("{}: {}", result.name, result.detail);
            break;
        }
        if (seen.why.empty()) seen.why = fmt::format("answers, {}", human_duration(result.took));
    }
    const Context bounded = context.within(look_time);
    auto connection = Connection::open(bounded, server.connect_options(false));
    if (connection.has_value()) {
        look_closer(bounded, services, server, **connection, seen);
    } else if (seen.health == Health::healthy) {
        seen.health = Health::degraded;
        seen.why = connection.error().message;
    }
    return seen;
}

Result<Json> verify(const Context& context, const Services& services, const plan::Plan& plan,
                    const plan::Component& component, const Instance& instance) {
    const Server server = TRY(server_of(services, plan, instance));
    const Identity identity =
        TRY(prove_identity(context.within(30s), services.environment, server));
    Json checks = Json::array();
    std::string failed;
    for (const plan::Check& check :
         component.verify.empty() ? health_checks(component) : component.verify) {
        const auto result = probe::run_check(context.within(check.timeout.value_or(Duration(30s))),
                                             services.environment, check, place_of(server));
        TRY(context.check(fmt::format("verifying {}", server.describe())));
        checks.push_back(
            Json{{"check", result.name}, {"passed", result.passed}, {"detail", result.detail}});
        if (!result.passed && failed.empty())
            failed = fmt::format("{}: {}", result.name, result.detail);
    }
    if (!failed.empty())
        return conflict(
            fmt::format("{} does not hold what it should: {}", server.describe(), failed),
            "Restore another point with `--to`, or look into the data.");
    return Json{{"checks", checks},
                {"role", identity.in_recovery ? "standby" : "primary"},
                {"timeline", identity.timeline}};
}

}  // namespace lifeboat::postgres

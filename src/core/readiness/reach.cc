#include "core/readiness/reach.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>

namespace lifeboat::readiness {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration make_assumed = minutes(5);
constexpr Duration stream_lag_cloud = minutes(5);  // logs are shipped every five minutes
constexpr Duration stream_lag_own = seconds(1);    // record by record
constexpr Duration replica_lag = seconds(30);

bool is_cluster(std::string_view kind) { return kind == "aws.eks" || kind == "kubernetes.cluster"; }

/// It runs or lies somewhere, so that it can be lost with the place.
bool stands_somewhere(const plan::Catalog& catalog, const plan::Component& component) {
    const plan::KindSpec* kind = catalog.kind(component.kind);
    return kind != nullptr && (kind->stateful || !kind->platform.empty());
}

bool runs_on_cluster(const plan::Catalog& catalog, const plan::Component& component) {
    const plan::KindSpec* kind = catalog.kind(component.kind);
    return kind != nullptr && kind->platform == "kubernetes" && !is_cluster(component.kind);
}

/// What stands on a lost cluster goes with it; what needs something that is down, waits for it.
void spread(const plan::Plan& plan, const plan::Catalog& catalog, Damage& damage) {
    for (const plan::Component& cluster : plan.components) {
        if (!is_cluster(cluster.kind) || !damage.lost.contains(cluster.name)) continue;
        for (const plan::Component& component : plan.components)
            if (component.site == cluster.site && runs_on_cluster(catalog, component))
                damage.lost.insert(component.name);
    }
    for (const std::string& name : damage.lost) damage.corrupted.erase(name);
    // Not pass by pass: a plan may be a chain of thousands.
    std::map<std::string_view, std::vector<const plan::Component*>> users;
    for (const plan::Component& component : plan.components)
        for (const std::string& need : component.needs) users[need].push_back(&component);
    std::vector<std::string_view> open(damage.lost.begin(), damage.lost.end());
    open.insert(open.end(), damage.corrupted.begin(), damage.corrupted.end());
    while (!open.empty()) {
        const auto found = users.find(open.back());
        open.pop_back();
        if (found == users.end()) continue;
        for (const plan::Component* user : found->second)
            if (!damage.hits(user->name) && damage.touched.insert(user->name).second)
                open.emplace_back(user->name);
    }
}

Duration lag_of(const plan::Component& component, const plan::Catalog& catalog) {
    const plan::KindSpec* kind = catalog.kind(component.kind);
    return kind != nullptr && kind->platform == "local" ? stream_lag_own : stream_lag_cloud;
}

Duration time_to_make(const plan::Component& component, const plan::Catalog& catalog) {
    const plan::VerbSpec* backup = catalog.verb(component.kind, "backup");
    return backup != nullptr && backup->estimate > Duration::zero() ? backup->estimate
                                                                    : make_assumed;
}

void time_source(const plan::Catalog& catalog, const plan::Component& component, WayBack& source) {
    const plan::Protection& protection = *source.protection;
    if (is_replication(protection.method)) {
        source.interval = protection.every.value_or(replica_lag);
    } else if (protection.method == "versioning") {
        source.interval = Duration::zero();
    } else if (protection.method == "continuous") {
        source.interval = protection.every.value_or(lag_of(component, catalog));
    } else {
        source.interval = protection.every.value_or(Duration::zero());
        source.make = time_to_make(component, catalog);
    }
}

}  // namespace

bool is_replication(std::string_view method) {
    return method == "replica" || method == "replication";
}

bool is_bystander(std::string_view verb) {
    constexpr std::array<std::string_view, 10> verbs{"monitor",  "notify", "approve",
                                                     "isolate",  "fence",  "drain",
                                                     "preserve", "backup", "rebuild-protection",
                                                     "stop"};
    return std::ranges::find(verbs, verb) != verbs.end();
}

bool is_switch(std::string_view verb) {
    constexpr std::array<std::string_view, 4> verbs{"repoint", "redirect", "start", "deploy"};
    return std::ranges::find(verbs, verb) != verbs.end();
}

bool is_proof(std::string_view verb) {
    return verb == "verify" || verb == "smoke" || verb == "wait";
}

Damage struck_by(const plan::Scenario& scenario) {
    Damage damage;
    damage.sites.insert(scenario.lost_sites.begin(), scenario.lost_sites.end());
    damage.lost.insert(scenario.lost.begin(), scenario.lost.end());
    damage.corrupted.insert(scenario.corrupted.begin(), scenario.corrupted.end());
    // A scenario that only says how it is seen has lost what is seen to be gone.
    if (damage.sites.empty() && damage.lost.empty() && damage.corrupted.empty() && scenario.detect)
        for (const plan::Signal& signal : scenario.detect->signals) {
            if (signal.type == plan::Signal::Type::unhealthy) damage.lost.insert(signal.name);
            if (signal.type == plan::Signal::Type::site_lost) damage.sites.insert(signal.name);
        }
    return damage;
}

Damage damage_of(const plan::Plan& plan, const plan::Catalog& catalog,
                 const plan::Scenario& scenario) {
    Damage damage = struck_by(scenario);
    for (const plan::Component& component : plan.components)
        if (damage.sites.contains(component.site) && stands_somewhere(catalog, component))
            damage.lost.insert(component.name);
    spread(plan, catalog, damage);
    return damage;
}

Damage damage_of_loss(const plan::Plan& plan, const plan::Catalog& catalog,
                      const std::string& component) {
    Damage damage;
    damage.lost.insert(component);
    spread(plan, catalog, damage);
    return damage;
}

bool has_source(const plan::Plan& plan, const plan::Signal& signal) {
    const auto& components = plan.components;
    switch (signal.type) {
        case plan::Signal::Type::alert:
            return std::ranges::any_of(components, [&](const plan::Component& component) {
                return std::ranges::find(component.alerts, signal.name) != component.alerts.end();
            });
        case plan::Signal::Type::unhealthy: {
            const plan::Component* component = plan.component(signal.name);
            return component != nullptr && !component->health.empty();
        }
        case plan::Signal::Type::site_lost:
            return std::ranges::any_of(components, [&](const plan::Component& component) {
                return component.site == signal.name && !component.health.empty();
            });
        default:
            return false;
    }
}

bool can_be_seen(const plan::Plan& plan, const plan::Signal& signal) {
    return signal.type == plan::Signal::Type::condition ||
           signal.type == plan::Signal::Type::report || has_source(plan, signal);
}

namespace {

/// Where its points are read from, and whether a copy of them is on the way there.
void place_source(const Damage& damage, const plan::Component& component, bool in_vault,
                  std::string_view where, WayBack& source) {
    const plan::Protection& protection = *source.protection;
    const bool home_lost = damage.sites.contains(component.site);
    const bool away = !where.empty() && where != component.site;
    source.place = in_vault && !protection.copy_to ? "vault" : component.site;
    const bool copied = protection.copy_to && (away ? *protection.copy_to == where : home_lost);
    if (copied || (home_lost && protection.copy_to)) {
        source.place = *protection.copy_to;
        source.copy = source.make;
    }
    // Lifeboat's own vault is where Lifeboat is.
    if (away && !copied && in_vault) source.place = "vault";
    source.elsewhere = away && !copied && source.place != "vault";
}

}  // namespace

std::vector<WayBack> sources_of(const plan::Plan& plan, const plan::Catalog& catalog,
                                const Damage& damage, const plan::Component& component,
                                std::string_view where) {
    const plan::KindSpec* kind = catalog.kind(component.kind);
    const bool in_vault = plan.vault && kind != nullptr && kind->platform == "local";
    std::vector<WayBack> sources;
    for (const plan::Protection& protection : component.protect) {
        WayBack source{.protection = &protection, .left = true, .place = component.site};
        time_source(catalog, component, source);
        place_source(damage, component, in_vault, where, source);
        if (damage.sites.contains(source.place)) {
            source.left = source.elsewhere = false;
            source.why = fmt::format("its points are lost with {}", source.place);
        } else if (damage.corrupted.contains(component.name) && is_replication(protection.method)) {
            source.left = source.elsewhere = false;
            source.why = "it replicates the corruption, too";
        } else if (source.elsewhere) {
            source.left = false;
            source.why = fmt::format("its points lie at {}, and nothing copies them to {}",
                                     source.place, where);
        }
        sources.push_back(std::move(source));
    }
    return sources;
}

}  // namespace lifeboat::readiness

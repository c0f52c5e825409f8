#include <set>

#include "core/readiness/evidence.h"
#include "core/readiness/reach.h"
#include "platform/codec/crypto.h"

namespace lifeboat::readiness {
namespace {

/// Durations in one unit, however they were written.
Json of(const std::optional<Duration>& duration) {
    return duration ? Json(duration->count()) : Json(nullptr);
}

Json of(const plan::Protection& protection) {
    Json json{{"method", protection.method}, {"settings", protection.settings}};
    json["every"] = of(protection.every);
    json["keep"] = of(protection.keep);
    json["copy_to"] = protection.copy_to ? Json(*protection.copy_to) : Json(nullptr);
    return json;
}

Json of(const plan::Check& check) {
    Json json{{"type", check.type}, {"settings", check.settings}};
    json["expect"] = check.expect ? Json(*check.expect) : Json(nullptr);
    json["timeout"] = of(check.timeout);
    return json;
}

Json of(const plan::Step& step);

template <class T>
Json each(const std::vector<T>& items) {
    Json json = Json::array();
    for (const T& item : items) json.push_back(of(item));
    return json;
}

/// What a component is and how it is protected and checked; its texts and alerts are left out.
Json of(const plan::Component& component) {
    Json sites = Json::object();
    for (const auto& [site, settings] : component.at_site) sites[site] = settings;
    return Json{{"name", component.name},
                {"kind", component.kind},
                {"site", component.site},
                {"priority", component.priority},
                {"needs", component.needs},
                {"instance", component.instance},
                {"at", sites},
                {"protect", each(component.protect)},
                {"health", each(component.health)},
                {"verify", each(component.verify)},
                {"settings", component.settings}};
}

Json of(const plan::Step& step) {
    Json json{{"id", step.id},
              {"verb", step.verb},
              {"targets", step.targets},
              {"arguments", step.arguments},
              {"needs", step.needs},
              {"needs_given", step.needs_given},
              {"on_failure", static_cast<int>(step.on_failure)}};
    json["timeout"] = of(step.timeout);
    json["retries"] = step.retries ? Json(*step.retries) : Json(nullptr);
    if (step.approve)
        json["approve"] = Json{{"by", step.approve->by}, {"within", of(step.approve->within)}};
    if (!step.parallel.empty()) {
        Json children = Json::array();
        for (const plan::Step& child : step.parallel) children.push_back(of(child));
        json["parallel"] = children;
    }
    return json;
}

/// What is lost, and how it is seen: the clock of an RTO runs from the disaster.
Json disaster_of(const plan::Scenario& scenario) {
    Json json{{"sites", scenario.lost_sites},
              {"lost", scenario.lost},
              {"corrupted", scenario.corrupted},
              {"automatic", scenario.automatic}};
    if (!scenario.detect) return json;
    Json signals = Json::array();
    for (const plan::Signal& signal : scenario.detect->signals) {
        Json one{{"type", static_cast<int>(signal.type)}, {"name", signal.name}};
        one["for"] = of(signal.lasting);
        signals.push_back(std::move(one));
    }
    json["detect"] = Json{{"all", scenario.detect->all}, {"signals", std::move(signals)}};
    return json;
}

/// Names of what verify, smoke and wait steps look at.
void add_proven(const std::vector<plan::Step>& steps, std::set<std::string>& names) {
    for (const plan::Step& step : steps) {
        add_proven(step.parallel, names);
        if (!is_proof(step.verb)) continue;
        names.insert(step.targets.begin(), step.targets.end());
        if (const auto until = step.arguments.find("until"); until != step.arguments.end())
            names.insert(string_or(*until, "value", ""));
    }
}

void add_sites(const std::vector<plan::Step>& steps, std::set<std::string>& sites) {
    for (const plan::Step& step : steps) {
        if (std::string site = string_or(step.arguments, "site", ""); !site.empty())
            sites.insert(std::move(site));
        add_sites(step.parallel, sites);
    }
}

/// The component and all that it needs, directly or not, by name.
std::set<std::string> with_needs(const plan::Plan& plan, std::string_view component) {
    std::set<std::string> found;
    std::vector<std::string> open{std::string(component)};
    while (!open.empty()) {
        const std::string name = std::move(open.back());
        open.pop_back();
        const plan::Component* declared = plan.component(name);
        if (declared == nullptr || !found.insert(name).second) continue;
        open.insert(open.end(), declared->needs.begin(), declared->needs.end());
    }
    return found;
}

/// What stands on the component and ends its recovery time by being looked at, from outside: the
/// looks count, not what else it needs.
Json proofs_of(const plan::Plan& plan, std::string_view component, const plan::Scenario& scenario) {
    std::set<std::string> names;
    add_proven(scenario.steps, names);
    Json proofs = Json::array();
    for (const std::string& name : names) {
        const plan::Component* looked_at = plan.component(name);
        if (name == component || looked_at == nullptr) continue;
        if (!with_needs(plan, name).contains(std::string(component))) continue;
        proofs.push_back(Json{{"name", name},
                              {"kind", looked_at->kind},
                              {"health", each(looked_at->health)},
                              {"verify", each(looked_at->verify)},
                              {"settings", looked_at->settings}});
    }
    return proofs;
}

}  // namespace

std::string part_digest(const plan::Plan& plan, std::string_view component,
                        std::string_view scenario) {
    std::set<std::string> sites;
    Json components = Json::array();
    for (const std::string& name : with_needs(plan, component)) {
        const plan::Component& declared = *plan.component(name);
        components.push_back(of(declared));
        sites.insert(declared.site);
        for (const auto& [site, settings] : declared.at_site) sites.insert(site);
        for (const plan::Protection& protection : declared.protect)
            if (protection.copy_to) sites.insert(*protection.copy_to);
    }
    Json part{{"component", component}, {"components", components}, {"scenario", scenario}};
    // Only its own promise: what others promise does not change what was measured of this one.
    if (const plan::Component* own = plan.component(component))
        part["objectives"] =
            Json{{"rto", of(own->objectives.rto)}, {"rpo", of(own->objectives.rpo)}};
    if (const plan::Scenario* steps = plan.scenario(scenario)) {
        part["steps"] = each(steps->steps);
        part["disaster"] = disaster_of(*steps);
        add_sites(steps->steps, sites);
        part["proofs"] = proofs_of(plan, component, *steps);
    }
    Json places = Json::array();
    for (const std::string& name : sites)
        if (const plan::Site* site = plan.site(name))
            places.push_back(Json{{"name", name}, {"platforms", site->platforms}});
    part["sites"] = places;
    return to_hex(crypto::sha256(as_bytes(dump_canonical(part))));
}

}  // namespace lifeboat::readiness

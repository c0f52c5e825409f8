#include <set>

#include "core/readiness/evidence.h"
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
        add_sites(steps->steps, sites);
    }
    Json places = Json::array();
    for (const std::string& name : sites)
        if (const plan::Site* site = plan.site(name))
            places.push_back(Json{{"name", name}, {"platforms", site->platforms}});
    part["sites"] = places;
    return to_hex(crypto::sha256(as_bytes(dump_canonical(part))));
}

}  // namespace lifeboat::readiness

// Rules about the ground that the steps stand on: control planes, names, the order of traffic.

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/readiness/reach.h"
#include "core/readiness/rule_tools.h"

namespace lifeboat::readiness {
namespace {

using plan::DiagnosticLevel;

/// Services whose control plane stands in one region, whatever region they serve.
constexpr std::array<std::pair<std::string_view, std::string_view>, 1> control_planes{{
    {"aws.route53", "us-east-1"},
}};

void control_plane_lost(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Scenario& scenario : subject.plan.scenarios) {
        const std::set<std::string> sites = struck_by(scenario).sites;
        std::set<std::string> regions;
        for (const std::string& name : sites)
            if (const plan::Site* site = subject.plan.site(name))
                if (const auto aws = site->platforms.find("aws"); aws != site->platforms.end())
                    regions.insert(string_or(*aws, "region", ""));
        for_each_step(scenario.steps, [&](const plan::Step& step) {
            for (const std::string& target : step.targets) {
                const plan::Component& component = *subject.plan.component(target);
                const plan::VerbSpec* verb = subject.catalog.verb(component.kind, step.verb);
                if (verb == nullptr || !verb->mutating || is_bystander(step.verb)) continue;
                for (const auto& [kind, region] : control_planes)
                    if (component.kind == kind && regions.contains(std::string(region)))
                        found.push_back(
                            {.at = step.at,
                             .message = fmt::format("{} changes {} through a control plane in {}, "
                                                    "the region that is lost",
                                                    scenario.name, target, region),
                             .note = fmt::format("{} answers everywhere, but is changed in {} only",
                                                 kind, region),
                             .mend = "a failover that needs no change (health checks), or a name "
                                     "server elsewhere",
                             .component = target,
                             .scenario = scenario.name});
                const bool placed = component.setting_at.contains("site");
                const std::string site = string_or(step.arguments, "site", component.site);
                if (placed && sites.contains(site))
                    found.push_back({.at = step.at,
                                     .message = fmt::format("{} acts on {} at {}, which is lost",
                                                            scenario.name, target, site),
                                     .note = "nobody answers there",
                                     .mend = "site: another one",
                                     .component = target,
                                     .scenario = scenario.name});
            }
        });
    }
}

/// Resolvers keep the old answer for the record's TTL.
void ttl_too_long(const Subject& subject, std::vector<Finding>& found) {
    std::map<std::string_view, std::pair<Duration, std::string>> limits;  // by scenario
    for (const Forecast& one : subject.forecasts) {
        const auto& rto = subject.plan.component(one.component)->objectives.rto;
        if (!rto) continue;
        const auto [known, fresh] = limits.try_emplace(one.scenario, *rto, one.component);
        if (!fresh && *rto < known->second.first) known->second = {*rto, one.component};
    }
    for (const plan::Scenario& scenario : subject.plan.scenarios) {
        const auto limit_of = limits.find(scenario.name);
        if (limit_of == limits.end()) continue;
        const auto& [tightest, whose] = limit_of->second;
        for_each_step(scenario.steps, [&](const plan::Step& step) {
            if (step.verb != "redirect") return;
            for (const std::string& target : step.targets) {
                const plan::Component& component = *subject.plan.component(target);
                const plan::KindSpec* kind = subject.catalog.kind(component.kind);
                if (kind == nullptr || kind->setting("ttl") == nullptr) continue;
                const auto ttl = parse_duration(string_or(component.settings, "ttl", ""));
                if (ttl.has_value() && *ttl <= tightest) continue;
                const std::string limit =
                    fmt::format("{} must be back within {}", whose, told(tightest));
                const plan::Position at = place_of(component.setting_at, "ttl", component.at);
                Finding finding{.at = at, .component = target, .scenario = scenario.name};
                if (ttl.has_value()) {
                    finding.message = fmt::format(
                        "{} is redirected in {}, and resolvers keep the old answer for {}", target,
                        scenario.name, told_over(*ttl, tightest));
                    finding.note = limit;
                } else {
                    finding.message = fmt::format(
                        "{} is redirected in {}, and nothing bounds how long resolvers keep the "
                        "old answer",
                        target, scenario.name);
                    finding.note = limit + ", and the TTL of a record may be a day";
                    finding.doubtful = true;
                }
                found.push_back(std::move(finding));
            }
        });
    }
}

void redirected_early(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Scenario& scenario : subject.plan.scenarios) {
        const plan::Step* redirect = nullptr;
        std::vector<std::string> after;
        for_each_step(scenario.steps, [&](const plan::Step& step) {
            if (step.verb == "redirect") {
                redirect = &step;
                after.clear();
            }
            if (redirect == nullptr || step.needs_given || is_bystander(step.verb) ||
                is_proof(step.verb) || step.verb == "redirect" || step.verb == "run")
                return;
            after.insert(after.end(), step.targets.begin(), step.targets.end());
        });
        if (redirect == nullptr || after.empty()) continue;
        found.push_back({.at = redirect->at,
                         .message = fmt::format("{} sends traffic before {} {} back", scenario.name,
                                                listed(after), after.size() == 1 ? "is" : "are"),
                         .note = "customers arrive where nothing serves them",
                         .mend = "the redirect after what brings them back, and after a check",
                         .scenario = scenario.name});
    }
}

}  // namespace

std::vector<Rule> traffic_rules() {
    constexpr std::string_view theme = "Recovery";
    return {
        {.id = "control-plane-lost",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "A step needs a control plane, or a site, that the disaster has taken.",
         .reason = "Route 53 is changed in us-east-1 only: when that region is down, names still "
                   "resolve and cannot be changed.",
         .mend = "a way that needs nothing of the lost region.",
         .find = control_plane_lost},
        {.id = "ttl-too-long",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "A name is redirected whose TTL is longer than an RTO behind it, or unknown.",
         .reason = "Customers are back when their resolver asks again. An unknown TTL is a "
                   "warning.",
         .mend = "ttl: 60s, long before the day.",
         .find = ttl_too_long},
        {.id = "redirected-early",
         .level = DiagnosticLevel::warning,
         .theme = theme,
         .finds = "Traffic is sent to a site before it can serve.",
         .reason = "Customers meet errors, caches keep them, and retries make a stampede.",
         .mend = "redirect last, after a check.",
         .find = redirected_early},
    };
}

}  // namespace lifeboat::readiness

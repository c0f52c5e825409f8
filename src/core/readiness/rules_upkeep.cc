// Rules about the plan as a document that must stay true, and about what it lives on.

#include <fmt/core.h>

#include <algorithm>

#include "core/readiness/durations.h"
#include "core/readiness/reach.h"
#include "core/readiness/rule_tools.h"
#include "core/runbook/graph.h"
#include "platform/base/text.h"

namespace lifeboat::readiness {
namespace {

using plan::DiagnosticLevel;

std::string day(Instant at) { return format_instant(at).substr(0, 10); }

void dates_passed(const Subject& subject, std::vector<Finding>& found) {
    const plan::Review& review = subject.plan.review;
    if (!subject.plan.updated) return;
    struct Date {
        const char* key;
        const char* what;
        std::optional<Instant> at;
    };
    for (const auto& [key, what, date] :
         {Date{"next", "review", review.next}, Date{"next_drill", "drill", review.next_drill}}) {
        if (!date || *date >= *subject.plan.updated) continue;
        found.push_back({.at = place_of(review.key_at, key, review.at),
                         .message = fmt::format("the next {} is due {}, before the last update "
                                                "of the plan",
                                                what, day(*date)),
                         .note = fmt::format("updated {}", day(*subject.plan.updated))});
    }
}

void never_tested(const Subject& subject, std::vector<Finding>& found) {
    const plan::Review& review = subject.plan.review;
    if (review.at.line == 0 || review.last_test) return;
    found.push_back({.at = place_of(review.key_at, "last_test", review.at),
                     .message = "nobody knows when a recovery was last tested with success",
                     .note = review.last_test_placeholder ? "a placeholder" : "no `last_test:`"});
}

/// Of the step on each of its targets: whether anything says how long it takes.
std::size_t steps_without_time(const Subject& subject, const plan::Step& step) {
    std::vector<std::string> targets = step.targets;
    if (targets.empty()) targets.emplace_back();
    std::size_t unknown = 0;
    for (const std::string& target : targets) {
        const plan::Component* component = subject.plan.component(target);
        const std::string kind = component == nullptr ? std::string() : component->kind;
        const plan::VerbSpec* spec = subject.catalog.verb(kind, step.verb);
        runbook::Node node;
        node.verb = step.verb;
        node.component = target;
        node.arguments = step.arguments;
        node.site = string_or(step.arguments, "site", component == nullptr ? "" : component->site);
        if (spec != nullptr) node.estimate = spec->estimate;
        const StepTime time = time_of(subject.plan, subject.history, node, &step);
        if (time.spread.basis == Basis::assumed && !is_bystander(step.verb)) ++unknown;
    }
    return unknown;
}

void no_stated_time(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Scenario& scenario : subject.plan.scenarios) {
        if (scenario.stated_time) continue;
        std::size_t unknown = 0;
        std::size_t steps = 0;
        for_each_step(scenario.steps, [&](const plan::Step& step) {
            steps += std::max<std::size_t>(step.targets.size(), 1);
            unknown += steps_without_time(subject, step);
        });
        if (unknown == 0) continue;
        found.push_back(
            {.at = scenario.at,
             .message = fmt::format("{} does not say how long it takes", scenario.name),
             .note = fmt::format("no `stated_time:`, and {} of its {} steps {} no estimate",
                                 unknown, steps, unknown == 1 ? "has" : "have"),
             .scenario = scenario.name});
    }
}

bool is_standing(const plan::Plan& plan, const plan::Step& step, const std::string& target,
                 std::string& user) {
    const std::string workspace = string_or(step.arguments, "workspace", "");
    for (const plan::Scenario& scenario : plan.scenarios) {
        bool used = false;
        for_each_step(scenario.steps, [&](const plan::Step& other) {
            used = used || (has_target(other, target) &&
                            string_or(other.arguments, "workspace", "") == workspace);
        });
        if (used) {
            user = scenario.name;
            return true;
        }
    }
    return false;
}

void drill_destroys(const Subject& subject, std::vector<Finding>& found) {
    for_each_step(subject.plan, [&](const plan::Step& step, const Whereabouts& where) {
        if (!where.cleanup) return;
        for (const std::string& target : step.targets) {
            const plan::Component& component = *subject.plan.component(target);
            const plan::VerbSpec* verb = subject.catalog.verb(component.kind, step.verb);
            std::string user;
            if (verb == nullptr || !verb->destructive ||
                !is_standing(subject.plan, step, target, user))
                continue;
            const std::string workspace = string_or(step.arguments, "workspace", "");
            found.push_back({.at = step.at,
                             .message = fmt::format(
                                 "cleaning up after drill {} destroys more than it made: "
                                 "{}{}{}",
                                 where.name(), target, workspace.empty() ? "" : " ", workspace),
                             .note = fmt::format("{} counts on it", user),
                             .component = target});
        }
    });
}

/// The last two labels of a URL's host, or of a name: "example.com".
std::string domain_of(std::string_view url) {
    if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos)
        url.remove_prefix(scheme + 3);
    url = url.substr(0, url.find_first_of("/:?"));
    if (url.find_first_not_of("0123456789.") == std::string_view::npos) return {};
    const std::size_t last = url.rfind('.');
    if (last == std::string_view::npos || last == 0) return {};
    const std::size_t before = url.rfind('.', last - 1);
    return std::string(before == std::string_view::npos ? url : url.substr(before + 1));
}

bool lies_in(const std::string& path, const std::string& folder) {
    return !folder.empty() && !path.empty() && (path == folder || path.starts_with(folder + "/"));
}

/// The vault and its key, seen from the folders of what they protect.
void vault_inside(const plan::Plan& plan, std::vector<Finding>& found) {
    if (!plan.vault) return;
    const auto tell = [&](const std::string& what, const std::string& where) {
        found.push_back({.at = plan.vault->at,
                         .message = fmt::format("{} lies inside {}", what, where),
                         .note = "it is lost together with what it is for",
                         .mend = "another disk, better another machine."});
    };
    for (const plan::Site& site : plan.sites) {
        const auto local = site.platforms.find("local");
        if (local == site.platforms.end()) continue;
        const std::string folder = string_or(*local, "directory", "");
        if (lies_in(plan.vault->directory, folder)) tell("the vault", "site " + site.name);
        if (lies_in(plan.vault->key, folder)) tell("the vault's key", "site " + site.name);
    }
    for (const plan::Component& component : plan.components) {
        const std::string folder = string_or(component.settings, "data_directory", "");
        if (lies_in(plan.vault->directory, folder)) tell("the vault", component.name);
        if (lies_in(plan.vault->key, folder)) tell("the vault's key", component.name);
    }
    if (lies_in(plan.vault->key, plan.vault->directory)) tell("the vault's key", "the vault");
}

/// What people look at during a disaster, under the name that the disaster takes down.
void lifeline_inside(const Subject& subject, std::vector<Finding>& found) {
    const plan::Plan& plan = subject.plan;
    vault_inside(plan, found);
    std::string domain, whose;
    for (const plan::Component& component : plan.components)
        for (const char* key : {"url", "record"}) {
            if (component.kind == "git") continue;  // fetched from, not protected
            const std::string text = string_or(component.settings, key, "");
            if (domain.empty() && !text.empty() && !domain_of(text).empty()) {
                domain = domain_of(text);
                whose = component.name;
            }
        }
    if (domain.empty()) return;
    std::vector<std::string> names;
    plan::Position at;
    const auto look = [&](const std::string& name, const std::string& url, plan::Position place) {
        if (domain_of(url) != domain) return;
        if (std::ranges::find(names, name) == names.end()) names.push_back(name);
        if (at.line == 0) at = place;
    };
    for (const plan::Channel& channel : plan.channels)
        look(channel.name, string_or(channel.settings, "url", ""), channel.at);
    look("status-page", string_or(plan.status_page, "url", ""),
         place_of(plan.key_at, "status_page", {}));
    for (const plan::Link& link : plan.links) look(link.name, link.url, link.at);
    if (names.empty()) return;
    found.push_back(
        {.at = at,
         .message = fmt::format("{} {} under {}, like {}, which is protected here", listed(names),
                                names.size() == 1 ? "stands" : "stand", domain, whose),
         .note = "when that name does not resolve, neither do these"});
}

}  // namespace

std::vector<Rule> upkeep_rules() {
    constexpr std::string_view theme = "Upkeep";
    return {
        {.id = "lifeline-inside",
         .level = DiagnosticLevel::warning,
         .theme = theme,
         .finds = "What a recovery needs (vault, key, status page, runbooks) lives inside what "
                  "it protects.",
         .reason = "It is lost by the same disaster, at the moment when it is needed.",
         .mend = "another domain, provider, disk or machine.",
         .find = lifeline_inside},
        {.id = "drill-destroys",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "The cleanup of a drill destroys something that a scenario counts on.",
         .reason = "After the drill there is no site to fail over to.",
         .mend = "a workspace of the drill's own, made and destroyed by it.",
         .find = drill_destroys},
        {.id = "dates-passed",
         .level = DiagnosticLevel::warning,
         .theme = theme,
         .finds = "The next review or drill is due before the plan was last updated.",
         .reason = "Nobody looked at the dates when the plan was changed.",
         .mend = "the next date, after the last update.",
         .find = dates_passed},
        {.id = "never-tested",
         .level = DiagnosticLevel::warning,
         .theme = theme,
         .finds = "Nobody knows when a recovery was last tested.",
         .reason = "A plan that was never executed is a guess.",
         .mend = "a drill, and its date.",
         .find = never_tested},
        {.id = "no-stated-time",
         .level = DiagnosticLevel::warning,
         .theme = theme,
         .finds = "A scenario does not say how long it takes, and its steps do not either.",
         .reason = "Nothing can be predicted from it, and nobody has to keep anything.",
         .mend = "`stated_time:` on the scenario, or `estimate:` on its steps.",
         .find = no_stated_time},
    };
}

}  // namespace lifeboat::readiness

// Rules about recovery points: where they are, who can destroy them, how fast they come back.

#include <fmt/core.h>

#include <algorithm>

#include "core/readiness/durations.h"
#include "core/readiness/loss.h"
#include "core/readiness/rule_tools.h"

namespace lifeboat::readiness {
namespace {

using plan::DiagnosticLevel;

/// A corruption or an intruder is often found only after this long.
constexpr Duration notice_time = std::chrono::hours(24 * 14);

void retention_short(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Component& component : subject.plan.components) {
        const plan::Protection* longest = nullptr;
        for (const plan::Protection& protection : component.protect) {
            if (is_replication(protection.method)) continue;  // keeps nothing
            if (!protection.keep) {
                longest = nullptr;
                break;
            }
            if (longest == nullptr || *protection.keep > *longest->keep) longest = &protection;
        }
        if (longest == nullptr || *longest->keep >= notice_time) continue;
        found.push_back(
            {.at = place_of(longest->key_at, "keep", longest->at),
             .message = fmt::format("points of {} are kept for {}; a corruption is often noticed "
                                    "later than that",
                                    component.name, told(*longest->keep)),
             .note = "by then every point holds the corruption",
             .mend = fmt::format("keep: {} or longer", format_duration(notice_time)),
             .component = component.name});
    }
}

void retention_gap(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Component& component : subject.plan.components)
        for (const plan::Protection& protection : component.protect) {
            if (!has_gap(protection)) continue;
            const Duration every = protection.every.value_or(Duration::zero());
            found.push_back(
                {.at = place_of(protection.key_at, "keep", protection.at),
                 .message =
                     *protection.keep == Duration::zero()
                         ? fmt::format("points of {} are kept for no time at all", component.name)
                         : fmt::format("points of {} are kept for {}, and one is made every "
                                       "{}",
                                       component.name, told(*protection.keep), told(every)),
                 .note = "now and then there is none",
                 .component = component.name});
        }
}

void one_account(const Subject& subject, std::vector<Finding>& found) {
    const plan::Site* first = nullptr;
    std::string account;
    std::size_t points = 0;
    for (const plan::Component& component : subject.plan.components) {
        const std::string own = account_of(subject.plan, subject.catalog, component);
        if (own.empty() || component.protect.empty()) continue;
        if (!account.empty() && own != account) return;
        account = own;
        if (first == nullptr) first = subject.plan.site(component.site);
        for (const plan::Protection& protection : component.protect) {
            ++points;
            const std::string other = string_or(protection.settings, "account", "");
            if (!other.empty() && other != own) return;
            if (!protection.copy_to) continue;
            plan::Component there = component;
            there.site = *protection.copy_to;
            if (account_of(subject.plan, subject.catalog, there) != own) return;
        }
    }
    if (first == nullptr || points == 0) return;
    found.push_back({.at = first->at,
                     .message = fmt::format("everything is in account {}: components, and every "
                                            "point of them",
                                            account),
                     .note = "who takes the account takes the backups, too"});
}

void no_immutable_copy(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Component& component : subject.plan.components) {
        if (component.protect.empty() || !component.objectives.rpo) continue;
        const bool survives =
            std::ranges::any_of(component.protect, [&](const plan::Protection& protection) {
                return !is_replication(protection.method) &&
                       survives_account(subject.plan, subject.catalog, component, protection);
            });
        if (survives) continue;
        found.push_back(
            {.at = component.protect.front().at,
             .message = fmt::format("every point of {} can be deleted by who may delete {}",
                                    component.name, component.name),
             .note = "no immutable copy, and none in another account",
             .component = component.name});
    }
}

void retrieval_slow(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Component& component : subject.plan.components) {
        if (!component.objectives.rto) continue;
        const plan::Protection* cold = nullptr;
        bool warm = false;
        for (const plan::Protection& protection : component.protect) {
            // Neither brings back what is gone: a replica is promoted, versions are gone with it.
            if (is_replication(protection.method)) warm = true;
            if (protection.method == "versioning") continue;
            if (retrieval_time(protection) > *component.objectives.rto)
                cold = &protection;
            else
                warm = true;
        }
        if (cold == nullptr || warm) continue;
        found.push_back(
            {.at = place_of(cold->key_at, "storage_class", cold->at),
             .message = fmt::format("{} must be back within {}, but its points take up to {} to "
                                    "be retrieved",
                                    component.name, told(*component.objectives.rto),
                                    told_over(retrieval_time(*cold), *component.objectives.rto)),
             .note = "before the first byte is restored",
             .component = component.name});
    }
}

/// A restore that says which points to use, while better ones survive, too.
void better_unused(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Scenario& scenario : subject.plan.scenarios) {
        std::optional<Damage> known;
        for_each_step(scenario.steps, [&](const plan::Step& step) {
            const std::string from = string_or(step.arguments, "from", "");
            if (step.verb != "restore" || from.empty()) return;
            if (!known) known = damage_of(subject.plan, subject.catalog, scenario);
            const Damage& damage = *known;
            for (const std::string& name : step.targets) {
                const plan::Component& component = *subject.plan.component(name);
                if (!damage.hits(name) || !component.objectives.rpo) continue;
                const auto options = options_of(
                    subject.plan, subject.catalog, subject.history, damage, is_attack(scenario),
                    detection_of(subject.plan, scenario, subject.history), component,
                    string_or(step.arguments, "site", ""));
                const Loss chosen =
                    best_of(options, component, {.way = Choice::Way::points, .from = from});
                const Loss best = best_of(options, component, {.way = Choice::Way::points});
                if (!best.worst || best.by == chosen.by) continue;
                if (chosen.worst && *chosen.worst <= *component.objectives.rpo) continue;
                const std::string lost = chosen.worst
                                             ? told_over(*chosen.worst, *component.objectives.rpo)
                                             : std::string("everything");
                found.push_back({.at = place_of(step, "from"),
                                 .message = fmt::format(
                                     "{} restores {} from '{}' and can lose {}, while '{}' "
                                     "would lose {}",
                                     scenario.name, name, from, lost, best.by, told(*best.worst)),
                                 .note = fmt::format("{} may lose at most {}", name,
                                                     told(*component.objectives.rpo)),
                                 .mend = "from: " + best.by.substr(0, best.by.find(' ')) +
                                         ", or leave it out: the newest point is taken",
                                 .component = name,
                                 .scenario = scenario.name});
            }
        });
    }
}

void not_protected_again(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Scenario& scenario : subject.plan.scenarios) {
        std::vector<const plan::Step*> made;
        std::vector<std::string> renewed;
        for_each_step(scenario.steps, [&](const plan::Step& step) {
            if (step.verb == "restore") made.push_back(&step);
            if (step.verb == "rebuild-protection" || step.verb == "backup")
                renewed.insert(renewed.end(), step.targets.begin(), step.targets.end());
        });
        for (const plan::Step* step : made)
            for (const std::string& name : step->targets) {
                const plan::Component& component = *subject.plan.component(name);
                if (component.protect.empty() ||
                    std::ranges::find(renewed, name) != renewed.end() ||
                    subject.catalog.verb(component.kind, "rebuild-protection") == nullptr)
                    continue;
                found.push_back(
                    {.at = step->at,
                     .message = fmt::format("{} restores {} and leaves the new one unprotected",
                                            scenario.name, name),
                     .note = "the next failure loses everything since",
                     .mend = fmt::format("- rebuild-protection: {}, as the last step", name),
                     .component = name,
                     .scenario = scenario.name});
            }
    }
}

}  // namespace

std::vector<Rule> protection_rules() {
    constexpr std::string_view theme = "Protection";
    return {
        {.id = "better-point-unused",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "A restore insists on points that break the RPO, while better ones survive.",
         .reason = "The protection was paid for; on the day nobody uses it.",
         .mend = "restore from the better protection.",
         .find = better_unused},
        {.id = "retrieval-too-slow",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "Points lie in cold storage that gives them back slower than the RTO allows.",
         .reason = "GLACIER takes up to 5 hours for a standard retrieval, DEEP_ARCHIVE up to 12; "
                   "nothing can be restored before.",
         .mend = "storage_class: STANDARD_IA or GLACIER_IR for the points that are needed first.",
         .find = retrieval_slow},
        {.id = "retention-short",
         .level = DiagnosticLevel::warning,
         .theme = theme,
         .finds = "Points are kept for less than 14 days.",
         .reason = "Corruption and intruders are usually noticed after days or weeks; then every "
                   "point that is left has them, too.",
         .mend = "keep: 30d, at least for some of the points.",
         .find = retention_short},
        {.id = "retention-gap",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "Points are deleted before the next one is made.",
         .reason = "What was protected an hour ago is protected by nothing now.",
         .mend = "keep: 30d, and never shorter than `every:`.",
         .find = retention_gap},
        {.id = "one-account",
         .level = DiagnosticLevel::warning,
         .theme = theme,
         .finds = "Components and all of their points are in one account.",
         .reason = "Ransomware with the account's rights deletes the backups first.",
         .mend = "account: one of its own for the points, with nobody's daily rights.",
         .find = one_account},
        {.id = "no-immutable-copy",
         .level = DiagnosticLevel::warning,
         .theme = theme,
         .finds = "No point of a component survives who may delete the component.",
         .reason = "A copy that cannot be changed before its time, or that another account holds, "
                   "is what is left after an attack.",
         .mend = "immutable: true, or account: another one.",
         .find = no_immutable_copy},
        {.id = "not-protected-again",
         .level = DiagnosticLevel::warning,
         .theme = theme,
         .finds = "A scenario restores a component and does not protect what it restored.",
         .reason = "A recovery ends protected, or the next failure, often the same one, is final.",
         .mend = "- rebuild-protection: COMPONENT, as the last step.",
         .find = not_protected_again},
    };
}

}  // namespace lifeboat::readiness

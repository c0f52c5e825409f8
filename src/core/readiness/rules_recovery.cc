// Rules about the way out: who is forgotten, what the steps need and the disaster has taken.

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "core/readiness/reach.h"
#include "core/readiness/rule_tools.h"

namespace lifeboat::readiness {
namespace {

using plan::DiagnosticLevel;

bool can(const Subject& subject, const plan::Component& component, std::string_view verb) {
    return subject.catalog.verb(component.kind, verb) != nullptr;
}

bool needs(const plan::Component& component, const std::string& other) {
    return std::ranges::find(component.needs, other) != component.needs.end();
}

/// A service that is promised to be back, and nothing says what it needs, not even `needs: []`.
bool is_silent(const Subject& subject, const plan::Component& component) {
    if (!component.needs.empty() || !component.objectives.rto ||
        component.setting_at.contains("needs"))
        return false;
    const plan::KindSpec* kind = subject.catalog.kind(component.kind);
    return kind != nullptr && !kind->stateful;
}

plan::Position disaster_of(const plan::Scenario& scenario) {
    for (const char* key : {"lost_sites", "lost", "corrupted"})
        if (const auto found = scenario.key_at.find(key); found != scenario.key_at.end())
            return found->second;
    return scenario.at;
}

void unrecovered(const Subject& subject, std::vector<Finding>& found) {
    std::set<std::string_view> recovered;
    // What stands on what is recovered may never be lost itself.
    for (const Forecast& one : subject.forecasts)
        if ((one.hit || one.touched) && one.time.recovers) recovered.insert(one.component);
    for (const plan::Component& component : subject.plan.components) {
        const bool promised = component.objectives.rto || component.objectives.rpo;
        if (!promised || recovered.contains(component.name)) continue;
        found.push_back(
            {.at = component.at,
             .message = fmt::format("no scenario recovers {}", component.name),
             .note = component.objectives.rto
                         ? fmt::format("it must be back within {}", told(*component.objectives.rto))
                         : std::string("it has an objective"),
             .mend = fmt::format("a scenario {0}-lost with `lost: [{0}]` and the steps "
                                 "that bring it back",
                                 component.name),
             .component = component.name});
    }
}

void left_lost(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Scenario& scenario : subject.plan.scenarios) {
        std::set<std::string> needed;
        std::vector<std::string> left, waiting;
        for (const Forecast& one : subject.forecasts) {
            if (one.scenario != scenario.name) continue;
            const plan::Component& component = *subject.plan.component(one.component);
            if (component.objectives.rto)
                needed.insert(component.needs.begin(), component.needs.end());
        }
        for (const Forecast& one : subject.forecasts) {
            if (one.scenario != scenario.name || one.time.recovers) continue;
            const plan::Component& component = *subject.plan.component(one.component);
            const bool matters = component.objectives.rto || component.objectives.rpo ||
                                 needed.contains(one.component);
            if (!matters) continue;
            (one.time.forgotten ? left : waiting).push_back(one.component);
        }
        if (left.empty()) continue;
        found.push_back(
            {.at = disaster_of(scenario),
             .message = fmt::format("{} loses {}, and no step brings {} back", scenario.name,
                                    listed(left), left.size() == 1 ? "it" : "them"),
             .note = waiting.empty() ? std::string() : listed(waiting) + " cannot be back either",
             .scenario = scenario.name});
    }
}

/// Steps of a scenario by what they do, for the rules below.
struct Moves {
    std::vector<std::pair<std::string, const plan::Step*>> restored;
    std::set<std::string> switched, isolated;
    const plan::Step* repoint = nullptr;
    const plan::Step* isolate = nullptr;
};

/// Taken over at another site, it has another address than before.
bool is_moved(const plan::Plan& plan, const plan::Step& step, const std::string& target) {
    const std::string site = string_or(step.arguments, "site", "");
    return step.verb == "promote" && !site.empty() && site != plan.component(target)->site;
}

Moves moves_of(const plan::Plan& plan, const plan::Scenario& scenario) {
    Moves moves;
    for_each_step(scenario.steps, [&](const plan::Step& step) {
        for (const std::string& target : step.targets) {
            if (step.verb == "restore" || is_moved(plan, step, target))
                moves.restored.emplace_back(target, &step);
            if (step.verb == "repoint" || step.verb == "start") moves.switched.insert(target);
            if (step.verb == "isolate" || step.verb == "stop") moves.isolated.insert(target);
        }
        if (step.verb == "repoint") moves.repoint = &step;
        if (step.verb == "isolate") moves.isolate = &step;
        // What is deployed anew is configured anew.
        if (step.verb == "deploy") moves.switched.insert("*");
    });
    return moves;
}

void left_behind(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Scenario& scenario : subject.plan.scenarios) {
        const Moves moves = moves_of(subject.plan, scenario);
        if (moves.switched.contains("*")) continue;
        std::set<std::string> told;
        for (const auto& [data, restore] : moves.restored)
            for (const plan::Component& user : subject.plan.components) {
                const bool known = needs(user, data);
                if ((!known && !is_silent(subject, user)) || !can(subject, user, "repoint") ||
                    moves.switched.contains(user.name) || !told.insert(user.name).second)
                    continue;
                const plan::Step& step = moves.repoint != nullptr ? *moves.repoint : *restore;
                found.push_back(
                    {.at = step.at,
                     .message = fmt::format("{} gives {} a new address, and nothing tells {}",
                                            scenario.name, data, user.name),
                     .note = known ? fmt::format("{} needs {}", user.name, data)
                                   : fmt::format("{} does not say what it needs", user.name),
                     .mend = known ? fmt::format("- repoint: {}", user.name)
                                   : fmt::format("- repoint: {}, or `needs: []` on it", user.name),
                     .doubtful = !known,
                     .component = user.name,
                     .scenario = scenario.name});
            }
    }
    for (const auto& [one, flaw] : flaws_of(subject, Flaw::Kind::told_early))
        found.push_back(
            {.at = flaw->at,
             .message = fmt::format("{} tells {} where {} is before the new one is there",
                                    one->scenario, one->component, flaw->detail),
             .note = fmt::format("{} does not wait for {}", flaw->step, flaw->other),
             .mend = fmt::format("needs: [{}], or the step after it", flaw->other),
             .component = one->component,
             .scenario = one->scenario});
}

void not_isolated(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Scenario& scenario : subject.plan.scenarios) {
        const Moves moves = moves_of(subject.plan, scenario);
        std::set<std::string> told;
        for (const std::string& data : scenario.corrupted)
            for (const plan::Component& user : subject.plan.components) {
                const bool known = needs(user, data);
                if ((!known && !is_silent(subject, user)) || !can(subject, user, "isolate") ||
                    moves.isolated.contains(user.name) || !told.insert(user.name).second)
                    continue;
                found.push_back(
                    {.at = moves.isolate != nullptr ? moves.isolate->at : disaster_of(scenario),
                     .message = fmt::format("{} leaves {} running while {} is wrong", scenario.name,
                                            user.name, data),
                     .note = known ? "it goes on writing, or reads what is wrong"
                                   : fmt::format("{} does not say what it needs", user.name),
                     .mend = known ? fmt::format("- isolate: {}", user.name)
                                   : fmt::format("- isolate: {}, or `needs: []` on it", user.name),
                     .component = user.name,
                     .scenario = scenario.name});
            }
    }
    for (const Flaw::Kind kind : {Flaw::Kind::isolated_late, Flaw::Kind::released_early})
        for (const auto& [one, flaw] : flaws_of(subject, kind)) {
            const bool late = kind == Flaw::Kind::isolated_late;
            found.push_back(
                {.at = flaw->at,
                 .message = late ? fmt::format("{} isolates {} only when {} has been made anew",
                                               one->scenario, one->component, flaw->detail)
                                 : fmt::format("{} lets {} run again while {} is still wrong",
                                               one->scenario, one->component, flaw->detail),
                 .note = late ? fmt::format("{} waits for {}", flaw->step, flaw->other)
                              : fmt::format("{} does not wait for {}", flaw->step, flaw->other),
                 .mend = late ? "isolate first" : fmt::format("needs: [{}]", flaw->other),
                 .component = one->component,
                 .scenario = one->scenario});
        }
}

/// To bring it back, the steps go through what is not back yet.
void circular_recovery(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Scenario& scenario : subject.plan.scenarios) {
        bool through = false;
        for_each_step(scenario.steps, [&](const plan::Step& step) {
            through = through || step.arguments.contains("into");
        });
        if (!through) continue;
        const Damage damage = damage_of(subject.plan, subject.catalog, scenario);
        std::set<std::string> back;
        for_each_step(scenario.steps, [&](const plan::Step& step) {
            const std::string into = string_or(step.arguments, "into", "");
            if (!into.empty() && damage.lost.contains(into) && !back.contains(into))
                found.push_back(
                    {.at = place_of(step, "into"),
                     .message = fmt::format("{} works through {}, which it has lost and not yet "
                                            "brought back",
                                            scenario.name, into),
                     .note = fmt::format("to recover {0} one needs {0}", into),
                     .mend = fmt::format("{} `needs:` what provisions it, or a step before this "
                                         "one that brings it back",
                                         into),
                     .component = into,
                     .scenario = scenario.name});
            if (is_bystander(step.verb) || is_proof(step.verb)) return;
            back.insert(step.targets.begin(), step.targets.end());
            if (step.verb != "provision") return;
            for (const plan::Component& made : subject.plan.components)
                if (std::ranges::any_of(step.targets, [&](const std::string& description) {
                        return needs(made, description);
                    }))
                    back.insert(made.name);
        });
    }
}

void no_rollback(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Scenario& scenario : subject.plan.scenarios) {
        if (!scenario.rollback.empty() || scenario.steps.empty() ||
            struck_by(scenario).sites.empty())
            continue;
        found.push_back(
            {.at = scenario.at,
             .message = fmt::format("{} moves to another site, and has no way back", scenario.name),
             .note = "no `rollback:`",
             .scenario = scenario.name});
    }
}

}  // namespace

std::vector<Rule> recovery_rules() {
    constexpr std::string_view theme = "Recovery";
    return {
        {.id = "unrecovered",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "A component with objectives is brought back by no scenario.",
         .reason = "On the day somebody has to invent the steps.",
         .mend = "a scenario in which it is lost, with the steps that bring it back.",
         .find = unrecovered},
        {.id = "left-lost",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "A scenario loses components that matter, and none of its steps brings them "
                  "back.",
         .reason = "What needs them is not back either, whatever else was restored.",
         .mend = "steps that bring them back, in this scenario.",
         .find = left_lost},
        {.id = "left-behind",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "A restore, or a promotion at another site, gives something a new address, and "
                  "what uses it is not told, or told before.",
         .reason = "A restore never writes over anything: what uses the data has to be told, after "
                   "the new one is there. A component that does not say what it needs is a "
                   "warning.",
         .mend = "- repoint: what uses it, after the restore.",
         .find = left_behind},
        {.id = "not-isolated",
         .level = DiagnosticLevel::warning,
         .theme = theme,
         .finds = "Data is wrong, and something that may use it goes on running, or runs again too "
                  "early.",
         .reason = "It writes into what is being examined, and spreads what is wrong.",
         .mend = "- isolate: what uses it, as the first step.",
         .find = not_isolated},
        {.id = "circular-recovery",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "A step works through something that the scenario has lost and not yet brought "
                  "back.",
         .reason = "To recover it, one would already need it.",
         .mend = "bring it back first, and say by which step.",
         .find = circular_recovery},
        {.id = "no-rollback",
         .level = DiagnosticLevel::warning,
         .theme = theme,
         .finds = "A scenario moves to another site and has no `rollback:`.",
         .reason = "The way home is a second failover, with more data to lose; it is not the time "
                   "to invent it.",
         .mend = "rollback: with the steps that go back.",
         .find = no_rollback},
    };
}

}  // namespace lifeboat::readiness

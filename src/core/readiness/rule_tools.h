#pragma once
/// What several rules need: walking the steps of a plan, and words for people. Inside of
/// core/readiness.

#include <string>
#include <utility>
#include <vector>

#include "core/readiness/outlook.h"
#include "core/readiness/rules.h"

namespace lifeboat::readiness {

/// The lists of rules, by theme.
std::vector<Rule> objective_rules();
std::vector<Rule> protection_rules();
std::vector<Rule> recovery_rules();
std::vector<Rule> traffic_rules();
std::vector<Rule> switch_rules();
std::vector<Rule> order_rules();
std::vector<Rule> command_rules();
std::vector<Rule> people_rules();
std::vector<Rule> upkeep_rules();
std::vector<Rule> lifeline_rules();

/// Where a step stands.
struct Whereabouts {
    const plan::Scenario* scenario = nullptr;  ///< of its steps or its rollback
    const plan::Drill* drill = nullptr;
    const plan::Procedure* procedure = nullptr;
    bool cleanup = false;  ///< of a drill
    std::string name() const;
};

/// Every step of the list, children of `parallel` too, in order.
template <class F>
void for_each_step(const std::vector<plan::Step>& steps, const F& act) {
    for (const plan::Step& step : steps) {
        if (step.verb != "parallel") act(step);
        for_each_step(step.parallel, act);
    }
}
/// Every step of the plan with its place: scenarios, drills, procedures.
template <class F>
void for_each_step(const plan::Plan& plan, const F& act) {
    const auto walk = [&](const std::vector<plan::Step>& steps, const Whereabouts& site) {
        for_each_step(steps, [&](const plan::Step& step) { act(step, site); });
    };
    for (const plan::Scenario& scenario : plan.scenarios) {
        walk(scenario.steps, {.scenario = &scenario});
        walk(scenario.rollback, {.scenario = &scenario});
    }
    for (const plan::Drill& drill : plan.drills) {
        walk(drill.steps, {.drill = &drill});
        walk(drill.cleanup, {.drill = &drill, .cleanup = true});
    }
    for (const plan::Procedure& procedure : plan.procedures)
        walk(procedure.steps, {.procedure = &procedure});
}

/// Of the step's key, else of the step.
plan::Position place_of(const plan::Step& step, std::string_view key);
plan::Position place_of(const plan::Places& places, std::string_view key, plan::Position otherwise);
/// Of a byte of what a step runs (its `command`), or of what it quotes (`written`).
plan::Position place_in_command(const Subject& subject, const plan::Step& step, std::size_t offset);
plan::Position place_in_written(const Subject& subject, const plan::Step& step, std::size_t offset);
bool has_target(const plan::Step& step, std::string_view component);
/// All flaws of that kind, with the forecasts that they belong to.
std::vector<std::pair<const Forecast*, const Flaw*>> flaws_of(const Subject& subject,
                                                              Flaw::Kind kind);
/// "a", "a and b", "a, b and c".
std::string listed(const std::vector<std::string>& names);
/// "interval 6h + snapshot 10m (estimate)": the parts that count.
std::string explained(const std::vector<Part>& parts);

}  // namespace lifeboat::readiness

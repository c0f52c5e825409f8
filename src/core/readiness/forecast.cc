#include "core/readiness/forecast.h"

#include <algorithm>

#include "core/readiness/durations.h"
#include "core/readiness/fates.h"
#include "core/readiness/loss.h"

namespace lifeboat::readiness {
namespace {

class Act {
public:
    Act(const Outline& outline, const plan::Catalog& catalog, const History& history,
        const plan::Scenario& scenario)
        : outline_(outline),
          catalog_(catalog),
          history_(history),
          scenario_(scenario),
          damage_(damage_of(outline.plan, catalog, scenario)),
          detection_(detection_of(outline.plan, scenario, history)),
          course_(outline.plan, catalog, history, scenario),
          fates_(outline, catalog, scenario, damage_, course_) {}

    void forecast(std::vector<Forecast>& out) const;

private:
    std::vector<Option> options_for(const plan::Component& component, const Fate& fate) const;
    std::string points_of(const Fate& fate) const;
    Loss loss_of(const plan::Component& component, const Fate& fate) const;
    RecoveryTime time_of_fate(const plan::Component& component, const Fate& fate) const;
    void add_path(Place component, RecoveryTime& time) const;
    Duration thaw(const plan::Component& component, const Fate& fate) const;

    const Outline& outline_;
    const plan::Catalog& catalog_;
    const History& history_;
    const plan::Scenario& scenario_;
    const Damage damage_;
    const Spread detection_;
    const Course course_;
    const Fates fates_;
};

std::vector<Option> Act::options_for(const plan::Component& component, const Fate& fate) const {
    return options_of(outline_.plan, catalog_, history_, damage_, is_attack(scenario_), detection_,
                      component, fates_.site_of_data(fate));
}

/// The method whose points its restore asks for; "" = any.
std::string Act::points_of(const Fate& fate) const {
    return string_or(course_.node(fate.restore).arguments, "from", "");
}

Loss Act::loss_of(const plan::Component& component, const Fate& fate) const {
    if (fates_.keeps_data(component, fate)) return {.worst = Duration::zero(), .at = component.at};
    Choice choice;
    if (fate.restore != nowhere) {
        choice.way = Choice::Way::points;
        choice.from = points_of(fate);
    } else if (fate.promote != nowhere) {
        choice.way = Choice::Way::replica;
    }
    return best_of(options_for(component, fate), component, choice);
}

/// Points in cold storage come back before anything can be restored from them.
Duration Act::thaw(const plan::Component& component, const Fate& fate) const {
    if (fate.restore == nowhere) return {};
    const std::string from = points_of(fate);
    std::optional<Duration> best;
    for (const Option& option : options_for(component, fate)) {
        if (!option.loss.worst || (!from.empty() && from != option.protection->method)) continue;
        const Duration time = retrieval_time(*option.protection);
        best = std::min(best.value_or(time), time);
    }
    return best.value_or(Duration::zero());
}

void Act::add_path(Place place, RecoveryTime& time) const {
    while (fates_.of(place).via != nowhere) place = fates_.of(place).via;
    std::vector<Place> nodes;
    for (Place at = fates_.of(place).ends; at != nowhere; at = course_.timed(at).before)
        nodes.push_back(at);
    std::ranges::reverse(nodes);
    time.path.push_back({.what = "detection",
                         .spread = detection_,
                         .at = scenario_.detect ? scenario_.detect->at : scenario_.at});
    bool own = true;
    for (const Place at : nodes) {
        const Timed& timed = course_.timed(at);
        if (timed.approval.p95 > Duration::zero())
            time.path.push_back({.what = "approval of " + course_.id(at),
                                 .spread = timed.approval,
                                 .at = timed.at});
        time.path.push_back({.what = course_.id(at),
                             .spread = timed.took,
                             .at = timed.at,
                             .verb = course_.node(at).verb});
        ++time.steps;
        time.measured += timed.took.basis == Basis::measured ? 1 : 0;
        own = own && timed.own_account;
    }
    if (const Duration cold = thaw(outline_.plan.components[place], fates_.of(place));
        cold > Duration::zero()) {
        const Spread spread = exactly(cold, Basis::estimate);
        time.path.push_back({.what = "retrieval from cold storage", .spread = spread, .at = {}});
        time.total += spread;
    }
    time.assumed = assumed_share(time.path);
    // The plan's own account covers what its steps do not say.
    if (!own && scenario_.stated_time && *scenario_.stated_time > time.total.p95) {
        const auto key = scenario_.key_at.find("stated_time");
        time.path.push_back(
            {.what = "more, by the plan's own account",
             .spread = exactly(*scenario_.stated_time - time.total.p95, Basis::estimate),
             .at = key == scenario_.key_at.end() ? scenario_.at : key->second});
        time.total = exactly(*scenario_.stated_time, Basis::estimate);
        time.assumed = {};
        time.by_account = true;
    }
}

RecoveryTime Act::time_of_fate(const plan::Component& component, const Fate& fate) const {
    RecoveryTime time{.recovers = fate.recovers, .forgotten = fate.forgotten, .why = fate.why};
    if (!fate.recovers) return time;
    const Finish end = Finish{} + detection_ + exactly({}, Basis::measured);
    time.total = {.p5 = end.p5 + fate.finish.p5,
                  .p50 = end.p50 + fate.finish.p50,
                  .p95 = end.p95 + fate.finish.p95,
                  .basis = Basis::measured};
    if (!component.objectives.rto) return time;
    add_path(outline_.place(component.name), time);
    for (const Part& part : time.path) {
        time.total.basis = std::max(time.total.basis, part.spread.basis);
        const std::size_t samples = part.spread.samples;
        if (samples > 0 && (time.total.samples == 0 || samples < time.total.samples))
            time.total.samples = samples;
    }
    return time;
}

void Act::forecast(std::vector<Forecast>& out) const {
    const auto& components = outline_.plan.components;
    for (std::size_t i = 0; i < components.size(); ++i) {
        const Fate& fate = fates_.of(static_cast<Place>(i));
        if (!fate.hit && !fate.touched) continue;
        const plan::Component& component = components[i];
        Forecast one{.component = component.name,
                     .scenario = scenario_.name,
                     .hit = fate.hit,
                     .touched = fate.touched};
        const plan::KindSpec* kind = catalog_.kind(component.kind);
        if (fate.hit && kind != nullptr && kind->stateful)
            one.loss = loss_of(component, fate);
        else
            one.loss = {.worst = Duration::zero(), .at = component.at};
        one.time = time_of_fate(component, fate);
        one.flaws = fate.flaws;
        const plan::Objectives& promised = component.objectives;
        if (promised.rpo) one.rpo_kept = one.loss.worst && *one.loss.worst <= *promised.rpo;
        if (promised.rto) one.rto_kept = one.time.recovers && one.time.total.p95 <= *promised.rto;
        out.push_back(std::move(one));
    }
}

}  // namespace

std::vector<Forecast> forecast(const plan::Plan& plan, const plan::Catalog& catalog,
                               const History& history) {
    const Outline outline(plan);
    std::vector<Forecast> all;
    for (const plan::Scenario& scenario : plan.scenarios)
        Act(outline, catalog, history, scenario).forecast(all);
    return all;
}

std::vector<Forecast> forecast_alone(const plan::Plan& plan, const plan::Catalog& catalog,
                                     const History& history) {
    std::vector<Forecast> all;
    for (const plan::Component& component : plan.components) {
        if (!component.objectives.rpo) continue;
        Forecast one{.component = component.name, .scenario = {}, .hit = true};
        Damage damage;
        damage.lost.insert(component.name);
        one.loss = best_of(options_of(plan, catalog, history, damage, false, {}, component),
                           component, {});
        one.rpo_kept = one.loss.worst && *one.loss.worst <= *component.objectives.rpo;
        all.push_back(std::move(one));
    }
    return all;
}

}  // namespace lifeboat::readiness

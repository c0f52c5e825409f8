#include "core/readiness/forecast.h"

#include <algorithm>
#include <array>

#include "core/readiness/durations.h"
#include "core/readiness/loss.h"
#include "core/readiness/reach.h"
#include "core/runbook/graph.h"

namespace lifeboat::readiness {
namespace {

using Place = std::uint32_t;  ///< of a component in the plan, or of a node in the graph
constexpr Place none = UINT32_MAX;

/// Gives what needs it new addresses, or starts it with them.
bool is_switch(std::string_view verb) {
    constexpr std::array<std::string_view, 4> verbs{"repoint", "start", "deploy", "redirect"};
    return std::ranges::find(verbs, verb) != verbs.end();
}

/// What does not change from scenario to scenario.
struct Outline {
    explicit Outline(const plan::Plan& plan);
    Place place(std::string_view name) const {
        const auto found = plan.component_index.find(name);
        return found == plan.component_index.end() ? none : static_cast<Place>(found->second);
    }
    const plan::Plan& plan;
    std::vector<std::vector<Place>> needs;  ///< by component
    std::vector<Place> in_order;            ///< each after what it needs
};

Outline::Outline(const plan::Plan& the_plan) : plan(the_plan), needs(the_plan.components.size()) {
    for (std::size_t i = 0; i < needs.size(); ++i)
        for (const std::string& need : plan.components[i].needs)
            if (const Place at = place(need); at != none) needs[i].push_back(at);
    // Needs have no circles: parse() refuses them. Not recursive: chains may be thousands long.
    std::vector<std::size_t> open(needs.size());
    std::vector<std::vector<Place>> users(needs.size());
    for (std::size_t i = 0; i < needs.size(); ++i) {
        open[i] = needs[i].size();
        for (const Place need : needs[i]) users[need].push_back(static_cast<Place>(i));
        if (open[i] == 0) in_order.push_back(static_cast<Place>(i));
    }
    for (std::size_t next = 0; next < in_order.size(); ++next)
        for (const Place user : users[in_order[next]])
            if (--open[user] == 0) in_order.push_back(user);
}

struct Finish {
    Duration p5{}, p50{}, p95{};
};
Finish later(const Finish& a, const Finish& b) {
    return {std::max(a.p5, b.p5), std::max(a.p50, b.p50), std::max(a.p95, b.p95)};
}
Finish operator+(const Finish& at, const Spread& took) {
    return {at.p5 + took.p5, at.p50 + took.p50, at.p95 + took.p95};
}

struct Timed {
    Spread took, approval;
    bool own_account = false;
    Finish finish;
    Place before = none;  ///< the node that it waits for longest
    plan::Position at;
};

/// A component in one scenario.
struct Fate {
    bool hit = false, touched = false, corrupted = false;
    Place restore = none, promote = none;  ///< its steps, the last of each
    Place ends = none;                     ///< the last step that brings it back, or shows it
    bool brought = false, switched = false;
    bool started = false;  ///< where it stands, with the data that it has
    bool recovers = true, forgotten = false;
    Finish finish;
    Place via = none;  ///< the need that is back last, and later than itself
    std::string why;
};

class Act {
public:
    Act(const Outline& outline, const plan::Catalog& catalog, const History& history,
        const plan::Scenario& scenario)
        : outline_(outline),
          catalog_(catalog),
          history_(history),
          scenario_(scenario),
          damage_(damage_of(outline.plan, catalog, scenario)),
          detection_(detection_of(scenario, history)),
          fates_(outline.plan.components.size()) {}

    void forecast(std::vector<Forecast>& out);

private:
    void mark();
    void compile();
    void time_nodes();
    void place_nodes();
    void brings(Place component, Place node, bool back);
    void deployed(const runbook::Node& node, Place at);
    void judge(Place component);
    bool proven_later(Place component) const;
    bool keeps_data(const plan::Component& component, const Fate& fate) const;
    Loss loss_of(const plan::Component& component, const Fate& fate) const;
    RecoveryTime time_of_fate(const plan::Component& component, const Fate& fate) const;
    void add_path(Place component, RecoveryTime& time) const;
    Duration thaw(const plan::Component& component, const Fate& fate) const;

    const Outline& outline_;
    const plan::Catalog& catalog_;
    const History& history_;
    const plan::Scenario& scenario_;
    Damage damage_;
    Spread detection_;
    std::vector<Fate> fates_;
    runbook::Graph graph_;
    std::string uncompiled_;
    std::vector<Timed> timed_;
};

void Act::mark() {
    for (const std::string& name : damage_.lost)
        if (const Place at = outline_.place(name); at != none) fates_[at].hit = true;
    for (const std::string& name : damage_.corrupted)
        if (const Place at = outline_.place(name); at != none)
            fates_[at].hit = fates_[at].corrupted = true;
    for (const std::string& name : damage_.touched)
        if (const Place at = outline_.place(name); at != none) fates_[at].touched = !fates_[at].hit;
}

void Act::compile() {
    // A preview compiles kinds that this build cannot act on, too.
    auto graph =
        runbook::compile(outline_.plan, scenario_.steps, catalog_,
                         {.mode = runbook::RunMode::preview, .run = RunId("run-forecast")});
    if (graph.has_value())
        graph_ = *std::move(graph);
    else
        uncompiled_ = graph.error().message;
}

void Act::time_nodes() {
    std::map<StepId, Place> index;
    timed_.resize(graph_.nodes.size());
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
        const runbook::Node& node = graph_.nodes[i];
        index[node.id] = static_cast<Place>(i);
        Timed& timed = timed_[i];
        const plan::Step* step = step_of(scenario_.steps, node);
        const StepTime time = time_of(outline_.plan, history_, node, step);
        timed.took = time.spread;
        timed.own_account = time.own_account;
        timed.approval = approval_of(history_, node);
        timed.at = step == nullptr ? scenario_.at : step->at;
        for (const StepId& need : node.needs) {
            const auto found = index.find(need);
            if (found == index.end()) continue;
            const Finish& end = timed_[found->second].finish;
            if (timed.before == none || end.p50 > timed_[timed.before].finish.p50)
                timed.before = found->second;
            timed.finish = later(timed.finish, end);
        }
        timed.finish = timed.finish + timed.approval + timed.took;
    }
}

void Act::brings(Place component, Place node, bool back) {
    Fate& fate = fates_[component];
    fate.brought = fate.brought || back;
    if (fate.ends == none || timed_[node].finish.p50 >= timed_[fate.ends].finish.p50)
        fate.ends = node;
}

/// The plan expects it back: a later step looks whether it is.
bool Act::proven_later(Place component) const {
    const std::string& name = outline_.plan.components[component].name;
    return std::ranges::any_of(graph_.nodes, [&](const runbook::Node& node) {
        if (!is_proof(node.verb)) return false;
        if (node.component == name) return true;
        const auto until = node.arguments.find("until");
        return until != node.arguments.end() && string_or(*until, "value", "") == name;
    });
}

/// What is made from a description: what needs it, and what a later step expects on the cluster.
void Act::deployed(const runbook::Node& node, Place at) {
    const plan::Component* into = outline_.plan.component(string_or(node.arguments, "into", ""));
    for (std::size_t i = 0; i < fates_.size(); ++i) {
        const plan::Component& component = outline_.plan.components[i];
        if (!fates_[i].hit) continue;
        const plan::KindSpec* kind = catalog_.kind(component.kind);
        const bool needs =
            std::ranges::find(component.needs, node.component) != component.needs.end();
        const bool on_it = into != nullptr && component.site == into->site && kind != nullptr &&
                           kind->platform == "kubernetes" && !kind->stateful;
        const auto place = static_cast<Place>(i);
        if (needs || (on_it && proven_later(place))) {
            brings(place, at, true);
            fates_[i].switched = true;
        }
    }
}

void Act::place_nodes() {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
        const runbook::Node& node = graph_.nodes[i];
        const auto at = static_cast<Place>(i);
        if (node.verb == "deploy" || node.verb == "provision") deployed(node, at);
        if (node.verb == "wait") {
            const auto until = node.arguments.find("until");
            if (until == node.arguments.end()) continue;
            if (const Place seen = outline_.place(string_or(*until, "value", "")); seen != none)
                brings(seen, at, false);
            continue;
        }
        const Place component = outline_.place(node.component);
        if (component == none || is_bystander(node.verb)) continue;
        Fate& fate = fates_[component];
        if (node.verb == "restore") fate.restore = at;
        if (node.verb == "promote") fate.promote = at;
        if (is_switch(node.verb)) fate.switched = true;
        if (node.verb == "start") fate.started = true;
        brings(component, at, !is_proof(node.verb));
    }
}

/// Whether and when it is back, after all that it needs has been judged.
void Act::judge(Place place) {
    Fate& fate = fates_[place];
    const plan::Component& component = outline_.plan.components[place];
    const plan::KindSpec* kind = catalog_.kind(component.kind);
    const bool data_back = kind == nullptr || !kind->stateful || fate.restore != none ||
                           fate.promote != none || keeps_data(component, fate);
    if (fate.hit && (!fate.brought || !data_back)) {
        fate.recovers = false;
        fate.forgotten = true;
        fate.why = uncompiled_.empty() ? "no step brings it back" : uncompiled_;
        return;
    }
    if (fate.ends != none) fate.finish = timed_[fate.ends].finish;
    for (const Place need : outline_.needs[place]) {
        const Fate& other = fates_[need];
        if (!other.hit && !other.touched) continue;
        const std::string& name = outline_.plan.components[need].name;
        if (!other.recovers) {
            fate.recovers = false;
            fate.why = "it needs " + name + ", which is not back";
            return;
        }
        const bool can_switch = kind != nullptr && kind->verb("repoint") != nullptr;
        if (other.restore != none && can_switch && !fate.switched) {
            fate.recovers = false;
            fate.why = "nothing tells it where the new " + name + " is";
            return;
        }
        if (other.finish.p50 > fate.finish.p50) fate.via = need;
        fate.finish = later(fate.finish, other.finish);
    }
}

/// A scenario that does not say that it is gone, and starts it again where it stands.
bool Act::keeps_data(const plan::Component& component, const Fate& fate) const {
    const bool gone = std::ranges::find(scenario_.lost, component.name) != scenario_.lost.end() ||
                      damage_.sites.contains(component.site);
    return fate.started && !gone && !fate.corrupted && fate.restore == none;
}

Loss Act::loss_of(const plan::Component& component, const Fate& fate) const {
    if (keeps_data(component, fate)) return {.worst = Duration::zero(), .at = component.at};
    Choice choice;
    if (fate.restore != none) {
        choice.way = Choice::Way::points;
        choice.from = string_or(graph_.nodes[fate.restore].arguments, "from", "");
    } else if (fate.promote != none) {
        choice.way = Choice::Way::replica;
    }
    return best_of(options_of(outline_.plan, catalog_, history_, damage_, is_attack(scenario_),
                              detection_, component),
                   component, choice);
}

/// Points in cold storage come back before anything can be restored from them.
Duration Act::thaw(const plan::Component& component, const Fate& fate) const {
    if (fate.restore == none) return {};
    const std::string from = string_or(graph_.nodes[fate.restore].arguments, "from", "");
    std::optional<Duration> best;
    for (const Option& option : options_of(outline_.plan, catalog_, history_, damage_,
                                           is_attack(scenario_), detection_, component)) {
        if (!option.loss.worst || (!from.empty() && from != option.protection->method)) continue;
        const Duration time = retrieval_time(*option.protection);
        best = std::min(best.value_or(time), time);
    }
    return best.value_or(Duration::zero());
}

void Act::add_path(Place place, RecoveryTime& time) const {
    while (fates_[place].via != none) place = fates_[place].via;
    std::vector<Place> nodes;
    for (Place at = fates_[place].ends; at != none; at = timed_[at].before) nodes.push_back(at);
    std::ranges::reverse(nodes);
    time.path.push_back({.what = "detection",
                         .spread = detection_,
                         .at = scenario_.detect ? scenario_.detect->at : scenario_.at});
    bool own = true;
    for (const Place at : nodes) {
        const Timed& timed = timed_[at];
        if (timed.approval.p95 > Duration::zero())
            time.path.push_back({.what = "approval of " + graph_.nodes[at].id.value,
                                 .spread = timed.approval,
                                 .at = timed.at});
        time.path.push_back({.what = graph_.nodes[at].id.value,
                             .spread = timed.took,
                             .at = timed.at,
                             .verb = graph_.nodes[at].verb});
        ++time.steps;
        time.measured += timed.took.basis == Basis::measured ? 1 : 0;
        own = own && timed.own_account;
    }
    if (const Duration cold = thaw(outline_.plan.components[place], fates_[place]);
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

void Act::forecast(std::vector<Forecast>& out) {
    mark();
    compile();
    time_nodes();
    place_nodes();
    for (const Place at : outline_.in_order)
        if (fates_[at].hit || fates_[at].touched) judge(at);
    for (std::size_t i = 0; i < fates_.size(); ++i) {
        const Fate& fate = fates_[i];
        if (!fate.hit && !fate.touched) continue;
        const plan::Component& component = outline_.plan.components[i];
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

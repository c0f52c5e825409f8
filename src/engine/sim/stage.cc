#include "engine/sim/stage.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "core/readiness/durations.h"
#include "core/readiness/loss.h"
#include "platform/base/text.h"

namespace lifeboat::engine::sim {
namespace {

namespace rb = runbook;
using readiness::Damage;

constexpr Duration check_interval = std::chrono::seconds(10);

/// Losses that the plan does not think of are drawn, but must not drown those that it does.
constexpr unsigned weight_unanswered = 2;

/// How often each kind of disaster comes, against the others.
unsigned weight_of(Strike strike) {
    switch (strike) {
        case Strike::component:
            return 6;
        case Strike::zone:
            return 4;
        case Strike::corruption:
            return 3;
        case Strike::site:
            break;
    }
    return 2;
}

Strike strike_of(const plan::Scenario& scenario) {
    if (!scenario.lost_sites.empty()) return Strike::site;
    if (!scenario.corrupted.empty()) return Strike::corruption;
    return scenario.lost.empty() ? Strike::zone : Strike::component;
}

/// Some scenarios are no disasters: they open a shop, or move it on a quiet day.
bool is_disaster(const plan::Scenario& scenario) {
    return strike_of(scenario) != Strike::zone ||
           (scenario.detect && !scenario.detect->signals.empty());
}

/// Simulated providers can do everything that the catalog names.
plan::Catalog all_available(const plan::Catalog& catalog) {
    plan::Catalog all = catalog;
    for (const std::string& name : all.kind_names()) {
        plan::KindSpec kind = *all.kind(name);
        kind.available = true;
        all.add(std::move(kind));
    }
    return all;
}

/// Components that the step is about: its target, the cluster it deploys into, what it waits for.
std::vector<std::string> subjects(const rb::Node& node) {
    std::vector<std::string> names;
    if (!node.component.empty()) names.push_back(node.component);
    if (std::string into = string_or(node.arguments, "into", ""); !into.empty())
        names.push_back(std::move(into));
    if (const auto until = node.arguments.find("until");
        until != node.arguments.end() && until->is_object())
        if (std::string healthy = string_or(*until, "value", ""); !healthy.empty())
            names.push_back(std::move(healthy));
    return names;
}

bool restores_data(std::string_view verb) {
    return verb == "restore" || verb == "promote" || verb == "restore-secrets" ||
           verb == "provision" || verb == "deploy";
}

bool runs_by_itself_elsewhere(const plan::Component& component, const plan::KindSpec* kind) {
    if (kind != nullptr && kind->platform == "kubernetes") return true;
    if (kind != nullptr && !kind->stateful && component.health.empty()) return true;
    const auto zones = component.settings.find("multi_az");
    const bool several = zones != component.settings.end() && zones->is_boolean() && *zones == true;
    const bool followed = std::ranges::any_of(component.protect, [](const plan::Protection& one) {
        return readiness::is_replication(one.method);
    });
    return several || followed || component.kind == "aws.s3" || component.kind == "aws.eks";
}

/// Amazon's DNS is changed through us-east-1 and nowhere else.
bool loses_control_plane(const plan::Plan& plan, const Damage& damage, const rb::Node& node) {
    if (node.kind != "aws.route53" || node.verb != "redirect") return false;
    return std::ranges::any_of(damage.sites, [&](const std::string& name) {
        const plan::Site* site = plan.site(name);
        if (site == nullptr) return false;
        const auto aws = site->platforms.find("aws");
        return aws != site->platforms.end() && string_or(*aws, "region", "") == "us-east-1";
    });
}

/// It acts at a lost site, and no step before it has brought its component back elsewhere.
bool is_out_of_reach(const Act& act, std::uint32_t n) {
    const rb::Node& node = act.nodes[n];
    if (!act.damage.sites.contains(node.site) || readiness::is_bystander(node.verb)) return false;
    // A look from outside follows the traffic.
    if (!node.component.empty() && !act.damage.lost.contains(node.component)) return false;
    for (std::uint32_t before = 0; before < n; ++before) {
        const rb::Node& other = act.nodes[before];
        if (other.component == node.component && !act.damage.sites.contains(other.site) &&
            !readiness::is_bystander(other.verb) && !readiness::is_proof(other.verb))
            return false;
    }
    return true;
}

/// Needs first. A circle of needs (an error of the plan) is cut where it is met.
void visit(const Act& act, std::uint32_t component, std::vector<bool>& seen,
           std::vector<std::uint32_t>& order) {
    if (seen[component]) return;
    seen[component] = true;
    for (const std::uint32_t need : act.ways[component].needs) visit(act, need, seen, order);
    const Way& way = act.ways[component];
    // In the loss of a zone anything may fail over.
    if (way.hit || way.touched || act.strike == Strike::zone) order.push_back(component);
}

/// A restore reads points; a promotion without one takes over the replica.
bool uses(const Way& way, std::string_view method) {
    if (!way.from.empty()) return method == way.from;
    if (way.restored) return !readiness::is_replication(method);
    return !way.promoted || readiness::is_replication(method);
}

/// A few measurements do not take the place of what is assumed of people and signals.
std::optional<Pace> often_measured(const std::vector<Duration>* samples) {
    if (samples == nullptr || samples->size() < readiness::enough_samples) return std::nullopt;
    return Pace::measured(*samples);
}

/// Where the run brings its data back; "" when it does not.
std::string site_of_data(const rb::Graph& graph, const std::string& component) {
    std::string promoted, restored;
    for (const rb::Node& node : graph.nodes) {
        if (node.component != component) continue;
        if (node.verb == "restore") restored = node.site;
        if (node.verb == "promote") promoted = node.site;
    }
    return restored.empty() ? promoted : restored;
}

std::uint32_t place_of(const plan::Plan& plan, const std::string& component) {
    return static_cast<std::uint32_t>(plan.component_index.find(component)->second);
}

std::string scenarios_of(const plan::Plan& plan) {
    std::vector<std::string> names;
    for (const plan::Scenario& scenario : plan.scenarios) names.push_back(scenario.name);
    if (names.empty()) return "The plan has none.";
    return fmt::format("The plan has: {}.", join(names, ", "));
}

}  // namespace

void Stage::add_ways(Act& act, const plan::Catalog& catalog, const rb::Graph& graph) {
    const plan::Plan& plan = *plan_;
    act.ways.resize(plan.components.size());
    for (std::size_t i = 0; i < plan.components.size(); ++i) {
        const plan::Component& component = plan.components[i];
        Way& way = act.ways[i];
        way.hit = act.damage.hits(component.name);
        way.corrupted = act.damage.corrupted.contains(component.name);
        way.touched = act.damage.touched.contains(component.name);
        way.zone_safe = runs_by_itself_elsewhere(component, catalog.kind(component.kind));
        if (act.strike == Strike::zone) way.hit = !way.zone_safe && !is_answered(component.name);
        for (const std::string& need : component.needs) way.needs.push_back(place_of(plan, need));
        way.sources = readiness::sources_of(plan, catalog, act.damage, component,
                                            site_of_data(graph, component.name));
        for (readiness::WayBack& source : way.sources) {
            const plan::Protection& protection = *source.protection;
            way.survives_account.push_back(
                readiness::survives_account(plan, catalog, component, protection));
            if (protection.method == "versioning" && act.damage.lost.contains(component.name))
                source.left = false;  // old versions are lost with what holds them
        }
    }
    for (std::uint32_t n = 0; n < graph.nodes.size(); ++n) {
        const rb::Node& node = graph.nodes[n];
        if (readiness::is_bystander(node.verb)) continue;
        for (const std::string& name : subjects(node)) {
            if (plan.component(name) == nullptr) continue;
            Way& way = act.ways[place_of(plan, name)];
            way.steps.push_back(n);
            if (readiness::is_proof(node.verb)) continue;
            way.brought = true;
            if (restores_data(node.verb)) way.data_brought = true;
            if (node.verb == "restore") way.from = string_or(node.arguments, "from", "");
            if (node.verb == "restore") way.restored = true;
            if (node.verb == "promote") way.promoted = true;
        }
    }
    // What stands on a cluster comes back with what is deployed into it.
    for (std::size_t i = 0; i < plan.components.size(); ++i) {
        const plan::KindSpec* kind = catalog.kind(plan.components[i].kind);
        Way& way = act.ways[i];
        if (!way.hit || way.brought || kind == nullptr || kind->platform != "kubernetes" ||
            kind->stateful)
            continue;
        for (std::uint32_t n = 0; n < graph.nodes.size(); ++n) {
            if (graph.nodes[n].verb != "deploy") continue;
            way.steps.push_back(n);
            way.brought = true;
        }
    }
    for (Way& way : act.ways) {
        std::optional<Duration> least;
        for (readiness::WayBack& source : way.sources) {
            if (!uses(way, source.protection->method)) source.left = false;
            if (!source.left) continue;
            const Duration thaw = readiness::retrieval_time(*source.protection);
            least = least ? std::min(*least, thaw) : thaw;
        }
        way.thaw = least.value_or(Duration::zero());
    }
    std::vector<bool> seen(plan.components.size());
    for (std::uint32_t i = 0; i < plan.components.size(); ++i) visit(act, i, seen, act.in_order);
}

Result<void> Stage::add_scenario(const plan::Scenario& scenario, const plan::Catalog& catalog,
                                 const Options& options) {
    Act act{.name = scenario.name,
            .scenario = &scenario,
            .strike = strike_of(scenario),
            .damage = readiness::damage_of(*plan_, catalog, scenario),
            .check_every = check_interval};
    act.weight = weight_of(act.strike);
    act.attack = readiness::is_attack(scenario);
    act.start.run = RunId("run-simulated");
    act.start.plan = plan_->name;
    act.start.plan_digest = plan_->digest;
    act.start.scenario = scenario.name;
    rb::Graph graph = TRY(rb::compile(*plan_, scenario.steps, catalog, {.run = act.start.run}));
    add_ways(act, catalog, graph);
    for (std::vector<rb::Node>* nodes : {&graph.nodes, &graph.undo})
        for (rb::Node& node : *nodes) {
            // Simulated providers need no arguments, and plans as written may hold secrets.
            if (node.verb != "wait") node.arguments = Json::object();
            act.nodes.push_back(node);
        }
    for (std::uint32_t n = 0; n < act.nodes.size(); ++n) {
        const rb::Node& node = act.nodes[n];
        const plan::Component* component = plan_->component(node.component);
        act.paces.push_back(
            Pace::of_step(node, options.history, component != nullptr ? component->site : ""));
        act.out_of_reach.push_back(is_out_of_reach(act, n));
        const bool thaws = node.verb == "restore" && component != nullptr;
        act.thaw.push_back(thaws ? act.ways[place_of(*plan_, component->name)].thaw
                                 : Duration::zero());
        act.control_plane.push_back(loses_control_plane(*plan_, act.damage, node));
        act.approvals.push_back(node.approve
                                    ? often_measured(options.history.approvals(node.approve->by))
                                    : std::nullopt);
        act.node_of.emplace(node.id, n);
    }
    act.detection = often_measured(options.history.detections(scenario.name));
    act.start.graph = std::move(graph);
    acts_.push_back(std::move(act));
    return ok();
}

/// Components with an objective that no scenario takes by itself: they can be lost all the same.
void Stage::add_unanswered(const plan::Catalog& catalog) {
    for (const plan::Component& component : plan_->components) {
        if (!component.objectives.rto && !component.objectives.rpo) continue;
        if (is_answered(component.name)) continue;
        Act act{.name = component.name + " lost",
                .strike = Strike::component,
                .damage = readiness::damage_of_loss(*plan_, catalog, component.name),
                .check_every = check_interval};
        act.weight = weight_unanswered;
        add_ways(act, catalog, {});
        acts_.push_back(std::move(act));
    }
}

void Stage::note_assumptions() {
    std::size_t measured = 0, estimated = 0, assumed = 0;
    for (const Act& act : acts_)
        for (const Pace& pace : act.paces) {
            measured += pace.basis() == readiness::Basis::measured ? 1U : 0U;
            estimated += pace.basis() == readiness::Basis::estimate ? 1U : 0U;
            assumed += pace.basis() == readiness::Basis::assumed ? 1U : 0U;
        }
    assumptions_.push_back(
        fmt::format("durations of steps: {} measured here, {} estimates, {} assumed", measured,
                    estimated, assumed));
    if (!has_people_)
        assumptions_.emplace_back(
            "nobody in the plan can be called: whoever finds out by chance begins the recovery");
    const bool attacked = std::ranges::any_of(acts_, [](const Act& act) { return act.attack; });
    if (attacked)
        assumptions_.emplace_back(
            "one attacker of four holds the account, and deletes every point that it can delete");
    const bool dns = std::ranges::any_of(acts_, [](const Act& act) {
        return std::ranges::find(act.control_plane, true) != act.control_plane.end();
    });
    if (dns)
        assumptions_.emplace_back(
            "the control plane of DNS goes with its region: half of the time for more than 3h");
    for (const Act& act : acts_)
        if (act.detection)
            assumptions_.push_back(
                fmt::format("{}: noticed as measured here, half of the time within {}", act.name,
                            human_duration(act.detection->median())));
    for (const Act& act : acts_)
        if (act.scenario == nullptr)
            assumptions_.push_back(fmt::format("{}: no scenario answers it", act.name));
}

Result<Stage> Stage::make(const plan::Plan& plan, const plan::Catalog& given,
                          const Options& options) {
    const plan::Catalog catalog = all_available(given);
    Stage stage;
    stage.plan_ = &plan;
    for (std::uint32_t i = 0; i < plan.components.size(); ++i) {
        const plan::Component& component = plan.components[i];
        const plan::Objectives& wanted = component.objectives;
        if (wanted.rto)
            stage.goals_.push_back({i, component.name, false, *wanted.rto, wanted.rto_at});
        if (wanted.rpo)
            stage.goals_.push_back({i, component.name, true, *wanted.rpo, wanted.rpo_at});
    }
    if (stage.goals_.empty())
        return invalid("the plan has no objective, so there is nothing to measure",
                       "Give components `objectives: {rto: …, rpo: …}`.");
    if (!options.scenario.empty() && plan.scenario(options.scenario) == nullptr)
        return not_found(fmt::format("there is no scenario '{}'", options.scenario),
                         scenarios_of(plan));
    for (const plan::Person& person : plan.people)
        stage.has_people_ = stage.has_people_ || !person.placeholder;
    for (const plan::Scenario& scenario : plan.scenarios) {
        if (!scenario.lost_sites.empty()) continue;
        const Damage damage = readiness::damage_of(plan, catalog, scenario);
        stage.answered_.insert(damage.lost.begin(), damage.lost.end());
        stage.answered_.insert(damage.corrupted.begin(), damage.corrupted.end());
    }
    for (const plan::Scenario& scenario : plan.scenarios)
        if (options.scenario.empty() ? is_disaster(scenario) : scenario.name == options.scenario)
            TRY(stage.add_scenario(scenario, catalog, options));
    if (options.scenario.empty()) stage.add_unanswered(catalog);
    for (const Act& act : stage.acts_) stage.weights_ += act.weight;
    if (stage.acts_.empty())
        return invalid("the plan has no scenario that is a disaster",
                       "Say what a scenario loses (`lost:`) or how it is detected (`detect:`).");
    stage.note_assumptions();
    return stage;
}

const Act& Stage::draw_act(Chance& chance) const {
    auto left = static_cast<unsigned>(chance.below(weights_));
    for (const Act& act : acts_) {
        if (left < act.weight) return act;
        left -= act.weight;
    }
    return acts_.back();
}

std::string Stage::title(const Goal& goal) const {
    return fmt::format("{} {} {}", goal.name, goal.loss ? "RPO" : "RTO",
                       human_duration(goal.limit));
}

}  // namespace lifeboat::engine::sim

// What runs and backups leave behind as facts.

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "engine/evidence.h"
#include "engine/look.h"
#include "engine/recovery.h"
#include "platform/observe/log.h"

namespace lifeboat::engine {
namespace {

namespace rb = runbook;
using readiness::Fact;
using readiness::Objective;

constexpr Duration look_limit = std::chrono::seconds(2);
constexpr Duration backup_facts_every = std::chrono::hours(1);
constexpr std::size_t runs_max = 200;  ///< the newest; what is older predicts nothing
constexpr std::uint64_t journal_tail = 50;

/// What the numbers were measured under: site, point, moment that was gone back to.
Json conditions_of(const rb::RunState& run, const std::string& component) {
    Json conditions{{"mode", run.start.mode == rb::RunMode::drill ? "drill" : "real"}};
    for (const rb::Node& node : run.start.graph.nodes) {
        if (node.component != component || node.conduct != rb::Conduct::act) continue;
        if (!conditions.contains("site") || node.makes_instance) conditions["site"] = node.site;
        const auto step = run.steps.find(node.id);
        if (!node.makes_instance || step == run.steps.end()) continue;
        for (const char* name : {"point", "target_time", "target_lsn", "size", "keys"})
            if (step->second.outputs.contains(name)) conditions[name] = step->second.outputs[name];
    }
    return conditions;
}

/// Opening the shop in the morning proves nothing about getting it back: the scenario must be one
/// in which something is lost.
bool is_disaster(const plan::Scenario* scenario) {
    return scenario != nullptr && (scenario->detect || !scenario->lost.empty() ||
                                   !scenario->lost_sites.empty() || !scenario->corrupted.empty());
}

bool has_failed(const rb::RunState& run, const std::string& component) {
    return std::ranges::any_of(run.start.graph.nodes, [&](const rb::Node& node) {
        const auto step = run.steps.find(node.id);
        return node.component == component && node.mutating && step != run.steps.end() &&
               step->second.status == rb::StepStatus::failed;
    });
}

Fact fact_of(const plan::Plan& plan, const rb::RunState& run, const std::string& component,
             Objective objective, const Json& versions) {
    Fact fact = new_fact(plan, component, run.start.scenario, objective, versions);
    fact.at = run.ended;
    fact.source =
        run.start.mode == rb::RunMode::drill ? readiness::Source::drill : readiness::Source::run;
    fact.subject = run.start.run.value;
    fact.conditions = conditions_of(run, component);
    // The run was made by another plan: which part of it differed cannot be told any more.
    if (run.start.plan_digest != plan.digest) fact.part_digest.clear();
    fact.plan_digest = run.start.plan_digest;
    return fact;
}

/// Versions of what the run has brought back. What does not answer has none.
Json look_for_versions(const Context& context, Workspace& workspace, const rb::RunState& run) {
    std::set<std::string> names;
    for (const Measured& one : measure(workspace.plan, run)) {
        names.insert(one.component);
        if (const plan::Component* component = workspace.plan.component(one.component))
            names.insert(component->needs.begin(), component->needs.end());
    }
    if (names.empty()) return versions_in_use({});
    Instances instances(workspace);
    const Look seen = look(context, workspace, instances, {names.begin(), names.end()}, look_limit);
    return versions_in_use(seen.observations);
}

/// When the point before the newest one was begun, by the component's protection journal.
Result<std::optional<Instant>> previous_point(State& state, const std::string& component) {
    const std::string stream = "protection/" + component;
    const std::uint64_t newest = TRY(state.version(stream));
    const auto events = TRY(state.read(stream, newest > journal_tail ? newest - journal_tail : 0));
    std::optional<Instant> newest_point, previous;
    for (const StoredEvent& event : events) {
        if (event.type != "backup_finished") continue;
        const auto took = parse_duration(string_or(event.payload, "took", "0s"));
        previous = newest_point;
        newest_point = event.at - took.value_or(Duration::zero());
    }
    return previous;
}

/// The newest fact that backups of the component have left.
const Fact* last_backup_fact(const std::vector<Fact>& facts, const std::string& component) {
    const Fact* last = nullptr;
    for (const Fact& fact : facts)
        if (fact.source == readiness::Source::backup && fact.component == component) last = &fact;
    return last;
}

Result<void> keep_backup(Workspace& workspace, const plan::Component& component,
                         const Json& arguments, const Json& outputs, Duration took) {
    Fact fact = new_fact(workspace.plan, component.name, "", Objective::rpo, versions_in_use({}));
    fact.at = workspace.now();
    fact.source = readiness::Source::backup;
    fact.subject = string_or(outputs, "point", "");
    fact.conditions =
        Json{{"method", string_or(arguments, "method", "")}, {"took", format_duration(took)}};
    for (const char* name : {"size", "stored", "keys"})
        if (outputs.contains(name)) fact.conditions[name] = outputs[name];
    const bool streams = std::ranges::any_of(
        component.protect, [](const plan::Protection& protection) { return !protection.every; });
    // With a stream beside it, the age of the points is not what would be lost.
    if (!streams) {
        const auto previous = TRY(previous_point(workspace.state, component.name));
        if (previous) fact.value = std::max(Duration::zero(), Duration(fact.at - *previous));
    }
    const auto& objective = component.objectives.rpo;
    fact.met = !fact.value || !objective || *fact.value <= *objective;
    const auto facts = TRY(load_facts(workspace.state));
    const Fact* last = last_backup_fact(facts, component.name);
    const bool repeats = last != nullptr && last->met == fact.met && last->at <= fact.at &&
                         fact.at - last->at < backup_facts_every;
    return repeats ? ok() : record_fact(workspace, fact);
}

}  // namespace

std::vector<Fact> facts_of_run(const plan::Plan& plan, const rb::RunState& run,
                               const Json& versions) {
    std::vector<Fact> facts;
    if (run.status != rb::RunStatus::finished || run.start.mode == rb::RunMode::preview)
        return facts;
    if (!is_disaster(plan.scenario(run.start.scenario))) return facts;
    std::set<std::string> back;
    for (const Measured& one : measure(plan, run)) {
        if (one.rto) back.insert(one.component);
        const auto add = [&](Objective objective, const std::optional<Duration>& promised,
                             const std::optional<Duration>& value) {
            if (!promised || !value) return;
            Fact fact = fact_of(plan, run, one.component, objective, versions);
            fact.value = value;
            fact.met = *value <= *promised;
            facts.push_back(std::move(fact));
        };
        add(Objective::rto, one.rto_objective, one.rto);
        add(Objective::rpo, one.rpo_objective, one.rpo);
    }
    const bool fell_short =
        run.outcome == rb::Outcome::failed || run.outcome == rb::Outcome::partial;
    for (const plan::Component& component : plan.components) {
        if (!fell_short || !component.objectives.rto || back.contains(component.name)) continue;
        if (!has_failed(run, component.name)) continue;
        Fact fact = fact_of(plan, run, component.name, Objective::rto, versions);
        fact.conditions["outcome"] = "the component did not come back";
        facts.push_back(std::move(fact));
    }
    return facts;
}

void record_run(const Context& context, Workspace& workspace, const rb::RunState& run) {
    if (run.status != rb::RunStatus::finished) return;
    const Json versions = look_for_versions(context, workspace, run);
    const auto kept = record_facts(workspace, facts_of_run(workspace.plan, run, versions));
    if (!kept.has_value())
        log::error("evidence", "{}: what the run measured is not kept: {}", run.start.run.value,
                   kept.error().message);
}

Result<void> record_missing_runs(Workspace& workspace) {
    recall_evidence(workspace);
    std::set<std::string> known;
    const auto facts = TRY(load_facts(workspace.state));
    for (const Fact& fact : facts) known.insert(fact.subject);
    auto runs = TRY(list_runs(workspace.state));
    runs.resize(std::min(runs.size(), runs_max));
    std::ranges::reverse(runs);  // the order in which they were measured
    std::vector<Fact> missing;
    for (const RunId& id : runs) {
        if (known.contains(id.value)) continue;
        const rb::RunState run = TRY(load_run(workspace.state, id));
        const auto measured = facts_of_run(workspace.plan, run, versions_in_use({}));
        missing.insert(missing.end(), measured.begin(), measured.end());
    }
    return missing.empty() ? ok() : record_facts(workspace, missing);
}

void record_backup(Workspace& workspace, const plan::Component& component, const Json& arguments,
                   const Json& outputs, Duration took) {
    const auto kept = keep_backup(workspace, component, arguments, outputs, took);
    if (!kept.has_value())
        log::error("evidence", "{}: what the backup measured is not kept: {}", component.name,
                   kept.error().message);
}

}  // namespace lifeboat::engine

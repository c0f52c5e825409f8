#include "engine/verb_call.h"

#include <fmt/core.h>

#include <algorithm>

namespace lifeboat::engine {
namespace {

using providers::Instance;
using runbook::Node;
using runbook::RunMode;

/// Verbs without a component are carried out by the provider that knows how: a shell, an HTTP
/// client.
std::string_view kind_for(const Node& node) {
    if (!node.component.empty()) return node.kind;
    if (node.verb == "run") return "shell";
    if (node.verb == "http") return "http";
    return {};
}

/// The instance that a makes_instance step announced, if any.
Result<std::optional<Instance>> candidate_of(const StepView& step, const std::string& component) {
    const auto found = step.candidates.find(component);
    if (found == step.candidates.end() || !found->second.contains("instance"))
        return std::optional<Instance>();
    return std::optional<Instance>(TRY(providers::instance_from_json(found->second["instance"])));
}

/// Instances around the component, with this run's candidates in a drill (never recorded there).
Result<std::map<std::string, Instance>> instances_for(Instances& instances, const StepView& step,
                                                      const plan::Component& component) {
    auto found = TRY(instances.around(component));
    if (step.mode != RunMode::drill) return found;
    for (auto& [name, instance] : found) {
        if (auto candidate = TRY(candidate_of(step, name))) instance = *candidate;
    }
    return found;
}

}  // namespace

StepView view_of(const runbook::RunState& run, const Node& node) {
    return {.node = node,
            .run = run.start.run,
            .mode = run.start.mode,
            .disaster_at = run.start.disaster_at.value_or(run.began),
            .arguments = runbook::resolve_templates(run, node.arguments),
            .candidates = runbook::candidates(run),
            .fenced = runbook::is_fenced(run, node)};
}

Result<PreparedCall> prepare(Workspace& workspace, Instances& instances, const StepView& step,
                             unsigned attempt) {
    const Node& node = step.node;
    const std::string_view kind = kind_for(node);
    providers::Provider* provider = workspace.registry.find(kind);
    if (provider == nullptr) {
        return unsupported(fmt::format("{}: no provider for '{}' in this build", node.id.value,
                                       kind.empty() ? node.verb : std::string(kind)),
                           "Do it by hand and `lifeboat bypass` the step, or skip it.");
    }
    PreparedCall prepared{.provider = provider,
                          .call = providers::VerbCall{.plan = workspace.plan}};
    providers::VerbCall& call = prepared.call;
    call.verb = node.verb;
    call.run = step.run;
    call.step = node.id;
    call.attempt = attempt;
    call.token = node.token;
    call.site = node.site;
    call.mode = step.mode;
    if (call.mode == RunMode::drill) call.scope = step.run.value;
    call.arguments = TRY(step.arguments);
    call.disaster_at = step.disaster_at;
    if (node.component.empty()) return prepared;

    call.component = workspace.plan.component(node.component);
    if (call.component == nullptr)
        return invalid(fmt::format("component '{}' is no longer in the plan", node.component),
                       "Run with the plan that the run was started from.");
    call.current = TRY(instances.current(node.component));
    call.candidate = TRY(candidate_of(step, node.component));
    // Once switched to, the candidate is the current one; what the record says of it is newer.
    if (call.candidate && call.candidate->made_by == call.current.made_by) call.candidate.reset();
    call.fenced = step.fenced;
    call.instances = TRY(instances_for(instances, step, *call.component));
    return prepared;
}

Result<void> adopt(Instances& instances, const StepView& step) {
    if (step.mode != RunMode::real) return ok();
    for (const std::string& component : step.node.adopts) {
        if (auto candidate = TRY(candidate_of(step, component)))
            TRY(instances.switch_to(*candidate, step.run.value));
    }
    return ok();
}

}  // namespace lifeboat::engine

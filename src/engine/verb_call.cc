#include "engine/verb_call.h"

#include <fmt/core.h>

#include <algorithm>

namespace lifeboat::engine {
namespace {

using providers::Instance;
using runbook::Node;
using runbook::RunMode;
using runbook::RunState;

/// Verbs without a component are carried out by the provider that knows how: a shell, an HTTP
/// client.
std::string_view kind_for(const Node& node) {
    if (!node.component.empty()) return node.kind;
    if (node.verb == "run") return "shell";
    if (node.verb == "http") return "http";
    return {};
}

/// The instance that a makes_instance step announced, if any.
Result<std::optional<Instance>> candidate_of(const RunState& run, const std::string& component) {
    const auto made = runbook::candidates(run);
    const auto found = made.find(component);
    if (found == made.end() || !found->second.contains("instance"))
        return std::optional<Instance>();
    return std::optional<Instance>(TRY(providers::instance_from_json(found->second["instance"])));
}

/// Instances around the component, with this run's candidates in a drill (never recorded there).
Result<std::map<std::string, Instance>> instances_for(Instances& instances, const RunState& run,
                                                      const plan::Component& component) {
    auto found = TRY(instances.around(component));
    if (run.start.mode != RunMode::drill) return found;
    for (auto& [name, instance] : found) {
        if (auto candidate = TRY(candidate_of(run, name))) instance = *candidate;
    }
    return found;
}

}  // namespace

Result<PreparedCall> prepare(Workspace& workspace, Instances& instances, const RunState& run,
                             const Node& node, unsigned attempt) {
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
    call.run = run.start.run;
    call.step = node.id;
    call.attempt = attempt;
    call.token = node.token;
    call.site = node.site;
    call.mode = run.start.mode;
    if (call.mode == RunMode::drill) call.scope = run.start.run.value;
    call.arguments = TRY(runbook::resolve_templates(run, node.arguments));
    call.disaster_at = run.start.disaster_at.value_or(run.began);
    if (node.component.empty()) return prepared;

    call.component = workspace.plan.component(node.component);
    if (call.component == nullptr)
        return invalid(fmt::format("component '{}' is no longer in the plan", node.component),
                       "Run with the plan that the run was started from.");
    call.current = TRY(instances.current(node.component));
    call.candidate = TRY(candidate_of(run, node.component));
    // Once switched to, the candidate is the current one; what the record says of it is newer.
    if (call.candidate && call.candidate->made_by == call.current.made_by) call.candidate.reset();
    call.fenced = runbook::is_fenced(run, node);
    call.instances = TRY(instances_for(instances, run, *call.component));
    return prepared;
}

Result<void> adopt(Instances& instances, const RunState& run, const Node& node) {
    if (run.start.mode != RunMode::real) return ok();
    for (const std::string& component : node.adopts) {
        if (auto candidate = TRY(candidate_of(run, component)))
            TRY(instances.switch_to(*candidate, run.start.run.value));
    }
    return ok();
}

}  // namespace lifeboat::engine

#include "engine/recovery.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "platform/base/text.h"

namespace lifeboat::engine {
namespace {

namespace rb = runbook;
using providers::RecoveryPoint;

/// Components that the graph brings back.
std::vector<std::string> restored_components(const rb::Graph& graph) {
    std::vector<std::string> names;
    for (const rb::Node& node : graph.nodes) {
        if (node.verb == "restore" && !node.component.empty() &&
            std::ranges::find(names, node.component) == names.end())
            names.push_back(node.component);
    }
    return names;
}

/// The point that `to` asks for, or the newest usable one.
Result<RecoveryPoint> choose(const std::vector<RecoveryPoint>& points, const std::string& component,
                             const std::optional<std::string>& to) {
    const RecoveryPoint* newest = nullptr;
    std::string why = "nothing was ever backed up";
    for (const RecoveryPoint& point : points) {
        const bool bad = point.verdict == "bad";
        // "latest" names none: the provider refuses it as well.
        const bool anonymous = point.id == "latest" && (!to || *to == "latest");
        if (bad && anonymous)
            return conflict(
                fmt::format("{}: the newest state was found bad: {}; `--to {}` takes it "
                            "all the same",
                            component, point.verdict_why, point.position),
                "Name a point that is not; `lifeboat points` lists them.");
        if (to && point.id == *to && point.problem.empty()) return point;
        if (!point.problem.empty()) {
            why = point.problem;
            continue;
        }
        if (bad) {  // taken only by name
            why = fmt::format("{} was found bad: {}", point.id, point.verdict_why);
            continue;
        }
        if (newest == nullptr || point.at > newest->at) newest = &point;
    }
    if (newest == nullptr)
        return not_found(fmt::format("{}: no usable recovery point: {}", component, why),
                         "See `lifeboat points`; make one with `lifeboat backup`.");
    RecoveryPoint chosen = *newest;
    if (to) {
        // A time, a position: the provider resolves it exactly; here it is only shown.
        if (auto time = parse_instant(*to)) chosen.at = *time;
        chosen.id = *to;
    }
    return chosen;
}

void add_prospects(const Context& context, Workspace& workspace, const ProposalRequest& request,
                   Proposal& proposal) {
    for (const std::string& name : restored_components(proposal.graph)) {
        const plan::Component* component = workspace.plan.component(name);
        providers::Provider* provider =
            component == nullptr ? nullptr : workspace.registry.find(component->kind);
        if (provider == nullptr) {
            proposal.problems.push_back(
                fmt::format("{}: no provider for its kind in this build", name));
            continue;
        }
        const auto instance = proposal.look.instances.find(name);
        if (instance == proposal.look.instances.end()) {
            proposal.problems.push_back(fmt::format("{}: its instance is not known", name));
            continue;
        }
        auto points = provider->points(
            context, providers::Target{workspace.plan, *component, instance->second});
        auto chosen = points.has_value() ? choose(*points, name, request.to)
                                         : Result<RecoveryPoint>(points.error());
        if (!chosen.has_value()) {
            proposal.problems.push_back(chosen.error().message);
            continue;
        }
        Prospect prospect{.component = name,
                          .point = *chosen,
                          .loss = std::nullopt,
                          .objective = component->objectives.rpo};
        const Instant from = proposal.disaster_at.value_or(workspace.now());
        prospect.loss = std::max(Duration::zero(), Duration(from - chosen->at));
        proposal.prospects.push_back(std::move(prospect));
    }
}

Result<rb::Graph> compile_scenario(Workspace& workspace, const plan::Scenario& scenario,
                                   const ProposalRequest& request) {
    rb::CompileOptions options;
    options.mode = request.mode;
    options.run = request.run;
    options.observe_only = workspace.plan.mode == plan::Mode::observe;
    if (request.to) options.overrides["to"] = *request.to;
    return rb::compile(workspace.plan, scenario.steps, workspace.catalog, options);
}

Result<const plan::Scenario*> find_scenario(Workspace& workspace, const std::string& name) {
    if (const plan::Scenario* scenario = workspace.plan.scenario(name)) return scenario;
    std::vector<std::string> names;
    for (const plan::Scenario& scenario : workspace.plan.scenarios) names.push_back(scenario.name);
    const auto close = nearest(name, names);
    return not_found(fmt::format("no scenario '{}' in the plan", name),
                     close ? fmt::format("Did you mean '{}'?", *close)
                           : fmt::format("The plan has: {}.", join(names, ", ")));
}

std::vector<std::string> lines_of(const Look& look, watch::Health health, std::string_view word) {
    std::vector<std::string> lines;
    for (const auto& [name, seen] : look.sight.components)
        if (seen.health == health)
            lines.push_back(fmt::format("{} is {}: {}", name, word, seen.why));
    return lines;
}

/// Nobody named a scenario, and nothing that is seen calls for one.
Error nothing_applies(const Look& look) {
    const auto unknown = lines_of(look, watch::Health::unknown, "unknown");
    if (unknown.empty())
        return not_found("nothing is unhealthy: no scenario applies",
                         "Name a scenario, and say --although-healthy REASON if you mean it.");
    return not_found(fmt::format("nothing is seen to be unhealthy: no scenario applies; {}",
                                 join(unknown, "; ")),
                     "What cannot be looked at is no proof of a disaster: name a scenario if it is "
                     "one.");
}

}  // namespace

Result<Proposal> propose(const Context& context, Workspace& workspace, Instances& instances,
                         const ProposalRequest& request) {
    Proposal proposal;
    proposal.look = look(context, workspace, instances);
    const auto matches = watch::match(workspace.plan, proposal.look.sight, instances.sites());
    proposal.scenario = request.scenario;
    for (const watch::Match& match : matches) {
        if (!match.applies) continue;
        if (proposal.scenario.empty()) proposal.scenario = match.scenario;
        if (match.scenario == proposal.scenario) proposal.because = match.because;
    }
    if (proposal.because.empty())
        proposal.because = lines_of(proposal.look, watch::Health::unhealthy, "unhealthy");
    if (proposal.scenario.empty()) {
        if (proposal.because.empty()) return nothing_applies(proposal.look);
        return not_found(fmt::format("no scenario of the plan matches what is seen: {}",
                                     join(proposal.because, "; ")),
                         "Name one: `lifeboat recover SCENARIO`.");
    }
    const plan::Scenario* scenario = TRY(find_scenario(workspace, proposal.scenario));
    proposal.graph = TRY(compile_scenario(workspace, *scenario, request));
    proposal.estimate = critical_path(proposal.graph);
    proposal.disaster_at = request.disaster_at;
    for (const auto& [name, seen] : proposal.look.sight.components) {
        if (request.disaster_at) break;
        if (seen.since && (!proposal.disaster_at || *seen.since < *proposal.disaster_at))
            proposal.disaster_at = seen.since;
    }
    for (const std::string& name : restored_components(proposal.graph)) {
        const auto seen = proposal.look.sight.components.find(name);
        if (seen != proposal.look.sight.components.end() &&
            seen->second.health == watch::Health::healthy)
            proposal.healthy.push_back(name);
    }
    add_prospects(context, workspace, request, proposal);
    return proposal;
}

std::string make_id(Environment& environment, std::string_view kind) {
    const auto now = environment.clock.now();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
    // Twelve bits of the second's fraction, then four of chance.
    const auto fraction =
        static_cast<unsigned>((Duration(now - seconds).count() << 12U) / 1'000'000);
    return fmt::format("{}-{:%Y%m%d-%H%M%S}-{:03x}{}", kind,
                       fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), fraction,
                       environment.random.hex(1).substr(1));
}

RunId make_run_id(Environment& environment) { return RunId(make_id(environment, "run")); }

rb::Actor own_actor(Environment& environment, const plan::Plan& plan, const std::string& reason) {
    rb::Actor actor;
    const std::string user = environment.processes.own_user();
    actor.person = user;
    actor.host = environment.processes.host_name();
    actor.reason = reason;
    for (const plan::Person& person : plan.people) {
        if (person.os_user.empty() || person.os_user != user) continue;
        actor.person = person.name;
        actor.proof = "os_user:" + user;
    }
    return actor;
}

Duration critical_path(const rb::Graph& graph) {
    std::map<StepId, Duration> finish;
    Duration longest{};
    for (const rb::Node& node : graph.nodes) {
        Duration begin{};
        for (const StepId& need : node.needs) begin = std::max(begin, finish[need]);
        finish[node.id] = begin + node.estimate;
        longest = std::max(longest, finish[node.id]);
    }
    return longest;
}

namespace {

/// True when `component` is `wanted` or needs it, directly or not.
bool stands_on(const plan::Plan& plan, const std::string& component, const std::string& wanted) {
    std::set<std::string> seen;
    std::vector<std::string> open{component};
    while (!open.empty()) {
        const std::string name = open.back();
        open.pop_back();
        if (name == wanted) return true;
        if (!seen.insert(name).second) continue;
        if (const plan::Component* found = plan.component(name))
            open.insert(open.end(), found->needs.begin(), found->needs.end());
    }
    return false;
}

/// The moment at which the outside check of the component passed: the last of its own steps and of
/// the smoke and verify steps of what stands on it.
std::optional<Instant> back_at(const plan::Plan& plan, const rb::RunState& run,
                               const std::string& component) {
    static const std::set<std::string, std::less<>> after = {"rebuild-protection", "backup",
                                                             "preserve", "monitor", "notify"};
    std::optional<Instant> last;
    bool touched = false;
    for (const rb::Node& node : run.start.graph.nodes) {
        if (node.component.empty() || after.contains(node.verb)) continue;
        const bool own = node.component == component;
        const bool outside = (node.verb == "smoke" || node.verb == "verify") &&
                             stands_on(plan, node.component, component);
        if (!own && !outside) continue;
        const auto state = run.steps.find(node.id);
        if (state == run.steps.end() || state->second.status != rb::StepStatus::done)
            return std::nullopt;
        touched = touched || own;
        if (state->second.ended) last = std::max(last, state->second.ended);
    }
    return touched ? last : std::nullopt;
}

bool is_done(const rb::StepState& step) {
    return step.status == rb::StepStatus::done || step.status == rb::StepStatus::bypassed;
}

/// When the component last came to run as something that this run has made.
std::optional<Instant> switched_at(const rb::RunState& run, const std::string& component) {
    std::optional<Instant> last;
    for (const auto& [id, step] : run.steps) {
        const rb::Node& node = run.node(step);
        if (std::ranges::find(node.adopts, component) == node.adopts.end()) continue;
        // Its beginning would be too early: it may have waited for people, and been tried again.
        if (step.attempt > 0) last = std::max(last, std::optional(step.ended.value_or(run.latest)));
    }
    return last;
}

/// By the instance that the component runs as: of several that were restored, the newest at the
/// time of the switch.
std::optional<Duration> loss_of(const rb::RunState& run, const std::string& component,
                                Instant disaster) {
    const std::optional<Instant> switched = switched_at(run, component);
    const rb::StepState* restored = nullptr;
    for (const rb::Node& node : run.start.graph.nodes) {
        if (!node.makes_instance || node.component != component) continue;
        const auto state = run.steps.find(node.id);
        if (state == run.steps.end() || !is_done(state->second)) continue;
        if (switched && state->second.ended > switched) continue;
        restored = &state->second;
    }
    if (restored == nullptr) return std::nullopt;
    // Made by hand, nobody may have said from what.
    const auto until = get_instant(restored->outputs, "target_time");
    if (!until.has_value()) return std::nullopt;
    return std::max(Duration::zero(), Duration(disaster - *until));
}

}  // namespace

std::vector<Measured> measure(const plan::Plan& plan, const rb::RunState& run) {
    std::vector<Measured> all;
    if (run.start.mode == rb::RunMode::preview) return all;
    const Instant disaster = run.start.disaster_at.value_or(run.began);
    for (const plan::Component& component : plan.components) {
        if (!component.objectives.rto && !component.objectives.rpo) continue;
        Measured measured{.component = component.name,
                          .rto_objective = component.objectives.rto,
                          .rto = std::nullopt,
                          .rpo_objective = component.objectives.rpo,
                          .rpo = loss_of(run, component.name, disaster)};
        if (auto back = back_at(plan, run, component.name))
            measured.rto = std::max(Duration::zero(), Duration(*back - disaster));
        if (measured.rto || measured.rpo) all.push_back(std::move(measured));
    }
    return all;
}

}  // namespace lifeboat::engine

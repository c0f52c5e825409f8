#include "engine/sim/disasters.h"

#include <fmt/core.h>

#include <vector>

namespace lifeboat::engine::sim {
namespace {

namespace rb = runbook;
using plan::Safety;
using plan::VerbSpec;
using std::chrono::minutes;
using std::chrono::seconds;

VerbSpec verb(std::string name, Safety safety = Safety::probeable) {
    VerbSpec spec;
    spec.name = std::move(name);
    spec.safety = safety;
    return spec;
}

plan::Catalog make_catalog() {
    VerbSpec restore = verb("restore");
    restore.makes_instance = true;
    VerbSpec promote = verb("promote");
    promote.needs_fenced = true;
    promote.destructive = true;
    VerbSpec fence = verb("fence");
    fence.destructive = true;
    fence.in_drill = plan::DrillBehaviour::refused;
    VerbSpec repoint = verb("repoint", Safety::idempotent);
    repoint.takes_instance = true;
    VerbSpec redirect = verb("redirect");
    redirect.takes_instance = true;
    redirect.in_drill = plan::DrillBehaviour::recorded;
    VerbSpec isolate = verb("isolate");
    isolate.undo = "release";
    VerbSpec stop = verb("stop", Safety::idempotent);
    stop.undo = "start";
    stop.destructive = true;
    VerbSpec verify = verb("verify", Safety::idempotent);
    verify.mutating = false;
    VerbSpec charge = verb("charge", Safety::once);

    plan::Catalog catalog;
    plan::KindSpec kind;
    kind.name = "simulated";
    kind.verbs = {restore,
                  promote,
                  fence,
                  repoint,
                  redirect,
                  isolate,
                  stop,
                  verify,
                  charge,
                  verb("release", Safety::idempotent),
                  verb("start", Safety::idempotent),
                  verb("scale")};
    catalog.add(std::move(kind));
    return catalog;
}

const plan::Catalog& catalog() {
    static const plan::Catalog* const instance = new plan::Catalog(make_catalog());
    return *instance;
}

constexpr std::array<std::string_view, 12> verbs{"restore", "restore", "promote",  "fence",
                                                 "repoint", "repoint", "redirect", "isolate",
                                                 "stop",    "verify",  "charge",   "scale"};
constexpr std::array<std::string_view, 4> priorities{"P0", "P1", "P2", ""};

plan::Plan draw_plan(Chance& chance) {
    plan::Plan plan;
    plan.name = "simulated";
    const auto count = chance.between(1, 5);
    for (std::uint64_t i = 0; i < count; ++i) {
        plan::Component component;
        component.name = fmt::format("c{}", i);
        component.kind = "simulated";
        component.site = "primary";
        component.priority = chance.pick(priorities);
        for (std::uint64_t j = 0; j < i; ++j)
            if (chance.percent(40)) component.needs.push_back(fmt::format("c{}", j));
        plan.components.push_back(std::move(component));
    }
    for (const std::string_view name : people) {
        plan::Person person;
        person.name = name;
        if (name != "bob") person.roles.emplace_back("security");
        if (name != "alice") person.roles.emplace_back("commander");
        plan.people.push_back(std::move(person));
    }
    return plan;
}

plan::Approval draw_approval(Chance& chance) {
    plan::Approval approval;
    constexpr std::array<std::string_view, 5> names{"security", "commander", "alice", "bob",
                                                    "carol"};
    const auto count = chance.below(3);
    for (std::uint64_t i = 0; i < count; ++i) approval.by.emplace_back(chance.pick(names));
    if (chance.percent(40)) approval.within = chance.between(minutes(1), minutes(60));
    return approval;
}

/// A step that may need those in `before`.
plan::Step draw_step(Chance& chance, const plan::Plan& plan, const std::vector<std::string>& before,
                     std::size_t number) {
    plan::Step step;
    if (chance.percent(5)) {
        step.verb = "wait";
        step.arguments = Json{{"for", "40s"}};
    } else if (chance.percent(5)) {
        step.verb = "approve";
        step.approve = draw_approval(chance);
    } else {
        step.verb = chance.pick(verbs);
        const auto several = chance.percent(20) ? 2U : 1U;
        for (unsigned i = 0; i < several; ++i) {
            const std::string& name = plan.components[chance.below(plan.components.size())].name;
            if (step.targets.empty() || step.targets[0] != name) step.targets.push_back(name);
        }
        if (chance.percent(15)) step.approve = draw_approval(chance);
    }
    step.id = fmt::format("s{}", number);
    if (chance.percent(25)) {
        step.needs_given = true;
        for (const std::string& id : before)
            if (chance.percent(25)) step.needs.push_back(id);
    }
    if (chance.percent(90))
        step.timeout = chance.between(seconds(5), chance.percent(10) ? minutes(30) : minutes(5));
    if (chance.percent(30)) step.retries = static_cast<unsigned>(chance.below(4));
    const auto policy = chance.below(10);
    if (policy == 0) step.on_failure = plan::OnFailure::roll_back;
    if (policy == 1 || policy == 2) step.on_failure = plan::OnFailure::carry_on;
    if (chance.percent(5)) step.in_drill = plan::InDrill::skip;
    if (chance.percent(5)) step.in_drill = plan::InDrill::record;
    return step;
}

std::vector<plan::Step> draw_steps(Chance& chance, const plan::Plan& plan) {
    std::vector<plan::Step> steps;
    std::vector<std::string> ids;
    const auto count = chance.between(1, 7);
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::size_t known = ids.size();
        if (!chance.percent(20)) {
            steps.push_back(draw_step(chance, plan, ids, known));
            ids.push_back(steps.back().id);
            continue;
        }
        plan::Step together;
        together.verb = "parallel";
        const auto children = chance.between(2, 3);
        for (std::uint64_t j = 0; j < children; ++j)
            together.parallel.push_back(draw_step(chance, plan, ids, known + j));
        for (const plan::Step& child : together.parallel) ids.push_back(child.id);
        steps.push_back(std::move(together));
    }
    return steps;
}

/// What the machine itself reads: how long to wait, or that it is a look that a provider takes.
Json own_arguments(const rb::Node& node) {
    if (node.verb == "wait") return node.arguments;
    return Json::object();
}

}  // namespace

rb::RunStarted draw_run(Chance& chance) {
    const plan::Plan plan = draw_plan(chance);
    rb::CompileOptions options;
    options.run = RunId(fmt::format("run-sim-{:08x}", chance.next() & 0xFFFFFFFFU));
    const auto mode = chance.below(20);
    if (mode < 4) options.mode = rb::RunMode::drill;
    if (mode == 4) options.mode = rb::RunMode::preview;
    options.observe_only = chance.percent(2);
    auto graph = rb::compile(plan, draw_steps(chance, plan), catalog(), options);
    CHECK(graph.has_value());  // what is drawn above is sound
    if (chance.percent(20)) graph->concurrency_max = static_cast<unsigned>(chance.between(1, 3));
    rb::RunStarted start;
    start.run = options.run;
    start.plan = plan.name;
    start.scenario = "drawn";
    start.mode = options.mode;
    start.graph = std::move(*graph);
    start.actor.person = "alice";
    return start;
}

Result<rb::RunStarted> scenario_run(const plan::Plan& plan, const std::string& scenario,
                                    const plan::Catalog& catalog, rb::RunMode mode) {
    const plan::Scenario* found = plan.scenario(scenario);
    if (found == nullptr) return not_found(fmt::format("no scenario '{}' in the plan", scenario));
    rb::RunStarted start;
    start.run = RunId("run-sim-" + scenario);
    start.plan = plan.name;
    start.plan_digest = plan.digest;
    start.scenario = scenario;
    start.mode = mode;
    start.graph = TRY(rb::compile(plan, found->steps, catalog, {.mode = mode, .run = start.run}));
    // Simulated providers need no arguments, and plans as they were written may hold secrets.
    for (rb::Node& node : start.graph.nodes) node.arguments = own_arguments(node);
    return start;
}

}  // namespace lifeboat::engine::sim

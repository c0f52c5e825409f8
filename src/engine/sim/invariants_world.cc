#include <fmt/core.h>

#include <algorithm>

#include "core/runbook/names.h"
#include "engine/recovery.h"
#include "engine/sim/invariants.h"

namespace lifeboat::engine::sim {
namespace {

template <class... F>
struct Overloaded : F... {
    using F::operator()...;
};

bool is_settled(rb::StepStatus status) {
    using enum rb::StepStatus;
    return status == done || status == recorded || status == skipped || status == bypassed ||
           status == failed || status == cancelled;
}

/// A restore ended while a switch of its component was under way, in some attempt: the journal does
/// not say which of them came first.
bool is_ambiguous(const rb::RunState& state, const std::string& component) {
    for (const auto& [id, step] : state.steps) {
        const auto& adopts = state.node(step).adopts;
        if (std::ranges::find(adopts, component) == adopts.end() || !step.began) continue;
        const Instant ended = step.ended.value_or(state.latest);
        for (const auto& [other_id, other] : state.steps) {
            const rb::Node& node = state.node(other);
            if (node.makes_instance && node.component == component && other.ended &&
                *other.ended >= *step.began && *other.ended <= ended)
                return true;
        }
    }
    return false;
}

}  // namespace

bool is_repeatable(const rb::Node& node) {
    return !node.mutating || node.safety == plan::Safety::idempotent ||
           node.conduct != rb::Conduct::act;
}

void Invariants::on_command(const rb::Command& command) {
    if (finished_) fail("a command after the end of the run");
    std::visit(
        Overloaded{
            [&](const rb::StartVerb& c) {
                Step* step = find(c.step);
                if (step == nullptr) return;
                if (step->attempt != c.attempt || step->open == Open::no)
                    fail(fmt::format("step '{}' is started without an intent on record",
                                     c.step.value));
                if (++step->started > step->intents)
                    fail(fmt::format("step '{}' is started twice in one attempt", c.step.value));
            },
            [&](const rb::RecordCalls& c) {
                Step* step = find(c.step);
                if (step != nullptr && step->open == Open::no)
                    fail(fmt::format("step '{}' is previewed without an intent", c.step.value));
            },
            [&](const rb::PollVerb& c) {
                Step* step = find(c.step);
                if (step != nullptr && ++step->poll_commands > step->polls)
                    fail(fmt::format("step '{}' is polled without an intent", c.step.value));
            },
            [&](const rb::ProbeVerb& c) {
                Step* step = find(c.step);
                if (step != nullptr && ++step->probe_commands > step->probes)
                    fail(fmt::format("step '{}' is probed without an intent", c.step.value));
            },
            [&](const rb::CancelVerb& c) {
                Step* step = find(c.step);
                if (step != nullptr && ++step->cancel_commands > step->cancels)
                    fail(fmt::format("step '{}' is cancelled without an intent", c.step.value));
            },
            [&](const rb::SetTimer&) {},
        },
        command);
}

void Invariants::on_act(const World& world, const rb::Node& node, const Truth& truth) {
    Step* step = find(node.id);
    if (step == nullptr) return;
    if (node.conduct != rb::Conduct::act)
        fail(fmt::format("step '{}' acts though this run must not do it", node.id.value));
    if (node.destructive && world.strangers.contains(node.component))
        fail(fmt::format("step '{}' destroys something that is not '{}'", node.id.value,
                         node.component));
    if (is_repeatable(node)) return;
    if (truth.there || truth.busy) fail(fmt::format("step '{}' acts twice", node.id.value));
    for (const auto& [token, other] : world.truths())
        if (&other != &truth && other.step == node.id && (other.there || other.busy))
            fail(fmt::format("step '{}' makes a second thing: '{}' is there already", node.id.value,
                             token));
    if (node.needs_fenced && !world.fenced.contains(node.component) &&
        !world.dead.contains(node.component)) {
        const bool waived = std::ranges::any_of(step->approvals, [](const rb::Approved& approval) {
            return approval.break_glass || !approval.actor.proof.empty();
        });
        if (!waived)
            fail(fmt::format("two primaries: step '{}' acts while the old one of '{}' may write",
                             node.id.value, node.component));
    }
}

void Invariants::on_restore(const World& world, const rb::Node& node,
                            const incident::KnownPoint& point) {
    if (point.bad)
        fail(fmt::format("step '{}' restores a point that is known to be bad", node.id.value));
    const auto own = world.points.find(node.component);
    const bool proven = own != world.points.end() &&
                        std::ranges::any_of(own->second, [&](const incident::KnownPoint& one) {
                            // A clock that was set back makes points of the future: no one's proof.
                            return one.proven && !one.bad && one.at < world.wall();
                        });
    if (proven && !point.proven)
        fail(fmt::format("step '{}' restores an unproven point, though there is a proven one",
                         node.id.value));
}

/// What is reported as lost is what is missing from the instance that the component now runs as.
void Invariants::check_loss(const World& world, const rb::RunState& state) {
    plan::Plan plan;
    for (const auto& [component, token] : world.current) {
        plan::Component one;
        one.name = component;
        one.objectives.rpo = std::chrono::hours(1);
        plan.components.push_back(std::move(one));
    }
    const Instant disaster = state.start.disaster_at.value_or(state.began);
    for (const Measured& measured : measure(plan, state)) {
        const auto truth = world.truths().find(world.current.at(measured.component));
        if (!measured.rpo || truth == world.truths().end() || !truth->second.point) continue;
        if (is_ambiguous(state, measured.component)) continue;
        const Duration lost = std::max(Duration::zero(), disaster - truth->second.point->at);
        if (*measured.rpo != lost)
            fail(fmt::format("'{}' is said to have lost {}, and has lost {}", measured.component,
                             human_duration(*measured.rpo), human_duration(lost)));
    }
}

void Invariants::on_adopt(const StepId& step_id, unsigned attempt, const std::string& component,
                          const Truth& made) {
    Step* step = find(step_id);
    if (step == nullptr) return;
    if (!step->adopted.emplace(attempt, component).second)
        fail(fmt::format("step '{}' switches '{}' twice", step_id.value, component));
    if (!made.there)
        fail(fmt::format("step '{}' switches '{}' to an instance that is not there", step_id.value,
                         component));
}

void Invariants::on_replay(const rb::RunState& before, const rb::RunState& replayed) {
    if (!(before == replayed)) fail("the journal replays to another state");
}

void Invariants::on_end(const World& world, const rb::RunState& state) {
    using enum rb::RunStatus;
    if (state.status != finished && state.status != waiting && state.status != paused &&
        state.status != none)
        fail(fmt::format("the run is {}, but nothing will ever happen again",
                         rb::to_string(state.status)));
    // Which instance was switched to is told from recorded times: they must be in order.
    if (state.status == finished && !clock_went_back_) check_loss(world, state);
    for (const auto& [id, step] : state.steps) {
        const auto own = steps_.find(id);
        if (own != steps_.end() && own->second.settled != is_settled(step.status))
            fail(fmt::format("step '{}' is {}, which its journal does not say", id.value,
                             rb::to_string(step.status)));
        if (step.status != rb::StepStatus::done || !state.node(step).undoes.empty()) continue;
        // What is said to be done is really there, unless it was taken back.
        const rb::Node& node = state.node(step);
        if (node.conduct != rb::Conduct::act || rb::StepStatus::done != step.status) continue;
        bool there = false, known = false;
        for (const auto& [token, truth] : world.truths())
            if (truth.step == id) {
                known = true;
                there = there || truth.there;
            }
        const bool undone = state.compensating && !node.undo.empty();
        if (known && !there && !undone)
            fail(fmt::format("step '{}' is said to be done, and is not", id.value));
    }
}

}  // namespace lifeboat::engine::sim

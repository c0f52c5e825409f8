#include "engine/sim/operators.h"

#include <array>

#include "engine/sim/disasters.h"

namespace lifeboat::engine::sim {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr unsigned retries_max = 4;  // of one step: then it is skipped

rb::Actor person(const std::string& name, bool proven = true) {
    return {.person = name,
            .proof = proven ? "os_user:" + name : std::string(),
            .host = "laptop",
            .reason = "simulated"};
}

}  // namespace

rb::Actor Operators::somebody(bool proven) {
    return person(std::string(world_.chance.pick(people)), proven);
}

void Operators::begin() {
    if (!world_.chance.percent(faults_.meddling)) return;
    const auto times = world_.chance.between(1, 4);
    for (std::uint64_t i = 0; i < times; ++i)
        world_.schedule(world_.chance.between(Duration(0), minutes(30)),
                        OperatorLooks{OperatorLooks::At::meddling, {}, 0});
}

void Operators::on_event(const rb::RunState& state, const rb::Event& event) {
    Chance& chance = world_.chance;
    if (const auto* asked = std::get_if<rb::ApprovalAsked>(&event.body)) {
        call_approvers(state, asked->step);
    } else if (const auto* held = std::get_if<rb::StepHeld>(&event.body)) {
        if (chance.percent(6)) return;  // nobody ever comes
        world_.schedule(chance.between(seconds(10), hours(2)),
                        OperatorLooks{OperatorLooks::At::held, held->step, 0});
    } else if (std::holds_alternative<rb::PauseRequested>(event.body)) {
        if (chance.percent(6)) return;
        world_.schedule(chance.between(seconds(1), hours(1)),
                        OperatorLooks{OperatorLooks::At::paused, {}, 0});
    }
}

void Operators::call_approvers(const rb::RunState& state, const StepId& id) {
    Chance& chance = world_.chance;
    const rb::Node* node = state.start.graph.find(id);
    if (chance.percent(6) || node == nullptr || !node->approve) return;
    const auto rounds = node->approve->by.size() + chance.below(4);
    for (unsigned round = 0; round < rounds; ++round)
        world_.schedule(chance.between(seconds(5), minutes(40)),
                        OperatorLooks{OperatorLooks::At::approval, id, round});
}

std::optional<rb::Body> Operators::look(const rb::RunState& state, const OperatorLooks& looks) {
    if (state.status == rb::RunStatus::none) return std::nullopt;
    switch (looks.at) {
        case OperatorLooks::At::approval:
            return approve(state, looks);
        case OperatorLooks::At::held:
            return mend(state, looks.step);
        case OperatorLooks::At::paused:
            return rb::ResumeRequested{somebody()};
        case OperatorLooks::At::meddling:
            return meddle(state);
    }
    return std::nullopt;
}

std::optional<rb::Body> Operators::approve(const rb::RunState& state, const OperatorLooks& looks) {
    Chance& chance = world_.chance;
    const rb::Node* node = state.start.graph.find(looks.step);
    if (node == nullptr || !node->approve) return std::nullopt;
    if (chance.percent(5)) return rb::Denied{looks.step, somebody()};
    if (chance.percent(3)) return rb::Approved{looks.step, somebody(false), true};
    if (chance.percent(10)) return rb::Approved{looks.step, somebody(chance.percent(50)), false};
    const auto& by = node->approve->by;
    if (by.empty()) return rb::Approved{looks.step, somebody(), false};
    const auto holders = node->approvers.find(by[looks.round % by.size()]);
    if (holders == node->approvers.end() || holders->second.empty()) return std::nullopt;
    return rb::Approved{looks.step,
                        person(chance.pick(std::span<const std::string>(holders->second))), false};
}

std::optional<rb::Body> Operators::mend(const rb::RunState& state, const StepId& id) {
    const auto found = state.steps.find(id);
    if (found == state.steps.end() || found->second.status != rb::StepStatus::needs_person)
        return std::nullopt;
    const rb::StepState& step = found->second;
    const rb::Node& node = state.node(step);
    Chance& chance = world_.chance;
    if (chance.percent(7))
        return rb::AbortRequested{.actor = somebody(), .roll_back = chance.percent(60)};
    if (step.unsure) return mend_unsure(node, step);
    if (node.needs_fenced && step.error && step.error->kind == ErrorKind::conflict) {
        if (chance.percent(40)) return rb::Approved{id, somebody(), false};
        world_.fenced.insert(node.component);
        story_.tell("people", "the old primary of '{}' is fenced by hand", node.component);
    }
    const unsigned tries = ++retries_[id];
    if (tries <= retries_max && chance.percent(60)) return rb::RetryRequested{id, somebody()};
    if (chance.percent(50)) return rb::StepSkipped{id, somebody()};
    // Somebody did it by hand.
    providers_.truth_of(node, step.attempt).there = true;
    if (node.verb == "fence") world_.fenced.insert(node.component);
    return rb::StepBypassed{id, somebody(), providers_.outputs_of(node, node.token)};
}

/// Nobody knows what the last attempt did: the person makes sure, and says what they saw.
std::optional<rb::Body> Operators::mend_unsure(const rb::Node& node, const rb::StepState& step) {
    Truth& truth = providers_.truth_of(node, step.attempt);
    providers_.end_calls(truth);
    world_.settle(truth);
    const unsigned tries = ++retries_[node.id];
    if (truth.there) {
        if (world_.chance.percent(50) && node.safety != plan::Safety::once)
            return rb::RetryRequested{node.id, somebody()};  // the probe will find it
        return rb::StepBypassed{node.id, somebody(), providers_.outputs_of(node, node.token)};
    }
    if (truth.busy && tries <= retries_max) return rb::RetryRequested{node.id, somebody()};
    if (truth.busy) {
        truth.busy = false;
        return rb::StepSkipped{node.id, somebody()};
    }
    if (tries > retries_max) return rb::StepSkipped{node.id, somebody()};
    const bool must_say = node.safety == plan::Safety::once;
    return rb::RetryRequested{node.id, somebody(), must_say || world_.chance.percent(50),
                              step.attempt};
}

std::optional<rb::Body> Operators::meddle(const rb::RunState& state) {
    Chance& chance = world_.chance;
    const auto& nodes = state.start.graph.nodes;
    const StepId id = nodes.empty() || chance.percent(5) ? StepId("nobody")
                                                         : nodes[chance.below(nodes.size())].id;
    switch (chance.below(8)) {
        case 0:
        case 1:
            return rb::PauseRequested{somebody()};
        case 2:
            return rb::ResumeRequested{somebody()};
        case 3:
            return rb::AbortRequested{.actor = somebody(), .roll_back = chance.percent(60)};
        case 4: {
            // Skips only what has not begun: what is held is looked at with more care.
            const auto step = state.steps.find(id);
            if (step != state.steps.end() && step->second.status == rb::StepStatus::needs_person)
                return std::nullopt;
            return rb::StepSkipped{id, somebody()};
        }
        case 5:
            return rb::Approved{id, somebody(), false};
        case 6:
            return rb::Denied{id, somebody()};
        default: {
            const auto step = state.steps.find(id);
            if (step != state.steps.end() && step->second.status == rb::StepStatus::needs_person)
                return std::nullopt;
            return rb::RetryRequested{id, somebody()};
        }
    }
}

}  // namespace lifeboat::engine::sim

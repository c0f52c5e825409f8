#include "engine/sim/providers.h"

#include <algorithm>

namespace lifeboat::engine::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

Error broken_error(Chance& chance) {
    switch (chance.below(5)) {
        case 0:
            return invalid("the setting is wrong");
        case 1:
            return conflict("the name is taken");
        case 2:
            return denied("access denied");
        case 3:
            return exhausted("no space left on device");
        default:
            return corrupt("a page does not match its checksum");
    }
}

}  // namespace

void Providers::start(const rb::RunState& state, const rb::Command& command) {
    ++commands_;
    invariants_.on_command(command);
    know(state);
    std::visit([&](const auto& one) { carry(state, one); }, command);
}

void Providers::know(const rb::RunState& state) {
    const auto& nodes = state.start.graph.nodes;
    for (std::size_t i = nodes_.size(); i < nodes.size(); ++i)
        nodes_.emplace(nodes[i].id, nodes[i]);
}

std::string Providers::token_of(const rb::Node& node, unsigned attempt) const {
    if (mutant_ != Mutant::token_of_attempt) return node.token;
    return fmt::format("{}-{}", node.token, attempt);
}

Truth& Providers::truth_of(const rb::Node& node, unsigned attempt) {
    Truth& truth = world_.truth(token_of(node, attempt));
    truth.step = node.id;
    return truth;
}

Json Providers::outputs_of(const rb::Node& node, const std::string& token) {
    Json outputs{{"token", token}};
    if (node.makes_instance) outputs["instance"] = Json{{"host", "127.0.0.1"}, {"name", token}};
    if (const Truth& truth = world_.truth(token); truth.point) {
        Instant at = truth.point->at;
        if (mutant_ == Mutant::report_newest_point) at = world_.points[node.component].front().at;
        outputs["target_time"] = format_instant(at);
    }
    return outputs;
}

Duration Providers::latency() { return world_.chance.between(milliseconds(5), seconds(3)); }

void Providers::reply(Duration after, rb::Body body, std::optional<std::size_t> call) {
    // Again at once, or long after: while the next attempt, or the one after that, is under way.
    Chance& chance = world_.chance;
    if (chance.percent(faults_.twice))
        world_.schedule(
            after + chance.between(milliseconds(1),
                                   chance.percent(70) ? Duration(seconds(8)) : minutes(15)),
            Reply{engine_, body, call});
    world_.schedule(after, Reply{engine_, std::move(body), call});
}

Providers::Fate Providers::draw_fate(const rb::Node& node) {
    Chance& chance = world_.chance;
    if (is_out_of_reach(node)) return Fate::unavailable;
    if (chance.percent(faults_.unavailable)) return Fate::unavailable;
    if (chance.percent(faults_.broken)) return Fate::broken;
    if (chance.percent(faults_.hang)) return Fate::hangs;
    if (chance.percent(faults_.lost)) return Fate::lost;
    if (chance.percent(faults_.unknown))
        return chance.percent(50) ? Fate::unknown_done : Fate::unknown_absent;
    if (chance.percent(faults_.late)) return Fate::late;
    return Fate::works;
}

void Providers::adopt(const rb::RunState& state, const rb::Node& node, unsigned attempt) {
    if (node.adopts.empty()) return;
    const auto made = rb::candidates(state);
    for (const std::string& component : node.adopts) {
        const auto found = made.find(component);
        if (found == made.end()) continue;
        story_.tell("world", "'{}' runs as {} from now on", component,
                    string_or(found->second, "token", "?"));
        invariants_.on_adopt(node.id, attempt, component,
                             world_.truth(string_or(found->second, "token", "")));
        world_.current[component] = string_or(found->second, "token", "");
    }
}

bool Providers::may_promote(const rb::RunState& state, const rb::Node& node) const {
    if (!node.needs_fenced || mutant_ == Mutant::promote_unfenced) return true;
    return world_.fenced.contains(node.component) || world_.dead.contains(node.component) ||
           rb::is_fenced(state, node);
}

void Providers::carry(const rb::RunState& state, const rb::StartVerb& command) {
    const rb::Node& node = nodes_.at(command.step);
    const bool stranger = node.destructive && world_.strangers.contains(node.component);
    if (stranger && mutant_ != Mutant::skip_identity_check)
        return reply(latency(), rb::StepFailed{node.id, command.attempt,
                                               conflict("what answers there is something else")});
    if (node.makes_instance && !world_.sound_point(node.component))
        return reply(latency(), rb::StepFailed{node.id, command.attempt,
                                               not_found("there is no usable point")});
    adopt(state, node, command.attempt);
    if (!may_promote(state, node))
        return reply(latency(), rb::StepFailed{node.id, command.attempt,
                                               conflict("the old primary is not fenced")});
    Chance& chance = world_.chance;
    const bool may_be_long =
        node.safety == plan::Safety::probeable && node.mutating && node.verb != "fence";
    Call call{
        .token = token_of(node, command.attempt),
        .step = node.id,
        .attempt = command.attempt,
        .long_work = may_be_long && (node.makes_instance || chance.percent(faults_.long_work))};
    if (node.makes_instance) {
        // Chosen when it is asked: what turns bad while the request is on its way is no one's
        // fault.
        call.point = mutant_ == Mutant::take_newest_point ? world_.points[node.component].front()
                                                          : world_.sound_point(node.component);
        invariants_.on_restore(world_, node, *call.point);
    }
    truth_of(node, command.attempt);
    const Fate fate = draw_fate(node);
    Duration acts = latency();
    if (fate == Fate::late && chance.percent(50))
        acts = node.timeout + chance.between(milliseconds(1), minutes(10));
    Duration replies = acts + latency();
    if (fate == Fate::late && replies < node.timeout)
        replies = node.timeout + chance.between(Duration(0), minutes(10));
    answer(node, call, fate, acts, replies);
}

void Providers::answer(const rb::Node& node, const Call& call, Fate fate, Duration acts,
                       Duration replies) {
    const StepId& id = node.id;
    switch (fate) {
        case Fate::unavailable:
            return reply(replies,
                         rb::StepFailed{id, call.attempt, unavailable("connection refused")});
        case Fate::broken:
            return reply(replies, rb::StepFailed{id, call.attempt, broken_error(world_.chance)});
        case Fate::hangs:
            return story_.tell("world", "'{}' hangs", id.value);
        case Fate::unknown_absent:
            return reply(replies, rb::StepFailed{id, call.attempt, unknown("connection reset")});
        default:
            break;
    }
    const std::size_t sent = world_.send(call);
    world_.schedule(acts, CallActs{sent});
    if (fate == Fate::lost) return story_.tell("world", "the reply of '{}' gets lost", id.value);
    if (fate == Fate::unknown_done)
        return reply(replies, rb::StepFailed{id, call.attempt, timeout("no reply")});
    if (call.long_work)
        return reply(replies, rb::StepOperating{id, call.attempt, "op-" + call.token}, sent);
    reply(replies, rb::StepSucceeded{id, call.attempt, outputs_of(node, call.token)}, sent);
}

void Providers::act(std::size_t index) {
    Call& call = world_.call(index);
    if (call.ended) return;
    call.ended = call.acted = true;
    const rb::Node& node = nodes_.at(call.step);
    Truth& truth = world_.truth(call.token);
    world_.settle(truth);
    story_.tell("world", "'{}' acts{}", call.step.value,
                call.long_work ? ": it begins to work" : "");
    invariants_.on_act(world_, node, truth);
    ++truth.acts;
    truth.broken = false;
    if (node.makes_instance) {
        truth.point = call.point;
        // Meanwhile points are made of what still runs: the next restore may find a newer one.
        if (world_.chance.percent(30)) {
            auto& points = world_.points[node.component];
            points.insert(points.begin(), {.at = world_.wall() - minutes(1), .proven = true});
        }
    }
    if (call.long_work) {
        Chance& chance = world_.chance;
        truth.busy = true;
        truth.operation = "op-" + call.token;
        truth.begun = world_.monotonic();
        truth.will_fail = chance.percent(faults_.work_fails);
        truth.ends =
            truth.begun + chance.between(seconds(1), chance.percent(10) ? minutes(20) : minutes(3));
        if (chance.percent(faults_.work_stuck)) truth.ends = truth.begun + hours(24 * 365);
        return;
    }
    truth.there = true;
    if (node.verb == "fence") world_.fenced.insert(node.component);
    if (!node.undoes.empty()) {
        const auto original = nodes_.find(node.undoes);
        if (original != nodes_.end()) truth_of(original->second, call.attempt).there = false;
    }
}

void Providers::end_calls(Truth& truth) {
    world_.end_calls(truth, [&](std::size_t index) { act(index); });
}

void Providers::carry(const rb::RunState&, const rb::PollVerb& command) {
    const rb::Node& node = nodes_.at(command.step);
    const StepId& id = command.step;
    Chance& chance = world_.chance;
    if (chance.percent(faults_.poll_hangs))
        return story_.tell("world", "a poll of '{}' hangs", id.value);
    if (is_out_of_reach(node) || chance.percent(faults_.poll_fails))
        return reply(latency(),
                     rb::StepFailed{id, command.attempt, unavailable("connection refused")});
    Truth& truth = truth_of(node, command.attempt);
    world_.settle(truth);
    if (truth.there)
        return reply(latency(),
                     rb::StepSucceeded{id, command.attempt,
                                       outputs_of(node, token_of(node, command.attempt))});
    if (truth.broken) {
        truth.broken = false;
        return reply(latency(), rb::StepFailed{id, command.attempt, corrupt("the work failed")});
    }
    if (!truth.busy)
        return reply(
            latency(),
            rb::StepFailed{id, command.attempt,
                           not_found(fmt::format("no operation '{}'", command.operation))});
    const auto whole = static_cast<std::uint64_t>((truth.ends - truth.begun).count()) + 1;
    const auto done = static_cast<std::uint64_t>((world_.monotonic() - truth.begun).count());
    reply(latency(), rb::StepProgressed{id, command.attempt, done, whole, "us"});
}

void Providers::carry(const rb::RunState& state, const rb::ProbeVerb& command) {
    const rb::Node& node = nodes_.at(command.step);
    Chance& chance = world_.chance;
    Truth& truth = truth_of(node, command.attempt);
    if (mutant_ == Mutant::adopt_twice) adopt(state, node, command.attempt);
    // First end what is under way: only then is what is seen the last word.
    end_calls(truth);
    world_.settle(truth);
    if (chance.percent(faults_.probe_hangs))
        return story_.tell("world", "a probe of '{}' hangs", command.step.value);
    if (is_out_of_reach(node) || chance.percent(faults_.probe_fails))
        return reply(latency(), rb::StepFailed{command.step, command.attempt,
                                               unavailable("no route to host")});
    rb::StepProbed probed{.step = command.step,
                          .attempt = command.attempt,
                          .verdict = rb::ProbeVerdict::absent,
                          .outputs = Json::object(),
                          .operation = {},
                          .explanation = "looked",
                          .probe = command.probe};
    if (chance.percent(faults_.probe_undecided)) {
        probed.verdict = rb::ProbeVerdict::undecided;
    } else if (truth.there) {
        probed.verdict = rb::ProbeVerdict::done;
        probed.outputs = outputs_of(node, token_of(node, command.attempt));
    } else if (truth.busy) {
        probed.verdict = rb::ProbeVerdict::running;
        probed.operation = truth.operation;
    }
    reply(latency(), std::move(probed));
}

void Providers::carry(const rb::RunState&, const rb::CancelVerb& command) {
    const rb::Node& node = nodes_.at(command.step);
    Chance& chance = world_.chance;
    if (chance.percent(faults_.cancel_hangs))
        return story_.tell("world", "a cancel of '{}' hangs", command.step.value);
    Truth& truth = truth_of(node, command.attempt);
    end_calls(truth);
    world_.settle(truth);
    rb::StepCancelled cancelled{command.step, command.attempt, std::nullopt};
    if (chance.percent(faults_.cancel_fails)) {
        cancelled.error = conflict("it cannot be stopped any more");
    } else if (truth.busy) {
        truth.busy = false;  // and what it had made so far is gone with it
        story_.tell("world", "the work of '{}' is stopped", command.step.value);
    }
    reply(latency(), std::move(cancelled));
}

void Providers::carry(const rb::RunState&, const rb::RecordCalls& command) {
    if (world_.chance.percent(faults_.hang)) return;
    reply(latency(), rb::StepRecorded{command.step, Json::array({"a call"})});
}

void Providers::carry(const rb::RunState&, const rb::SetTimer& command) {
    world_.schedule(command.after, TimerDue{engine_, command.timer});
}

}  // namespace lifeboat::engine::sim

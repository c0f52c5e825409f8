#include "engine/sim/invariants.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/runbook/names.h"

namespace lifeboat::engine::sim {
namespace {

template <class... F>
struct Overloaded : F... {
    using F::operator()...;
};

bool repeatable(const rb::Node& node) {
    return !node.mutating || node.safety == plan::Safety::idempotent ||
           node.conduct != rb::Conduct::act;
}

/// Each name of `by` from `at` on gets a person of its own. Slow and plain, unlike the machine's
/// way.
bool can_assign(const rb::Node& node, const std::set<std::string>& people, std::size_t at,
                std::set<std::string>& used) {
    if (at == node.approve->by.size()) return true;
    const auto holders = node.approvers.find(node.approve->by[at]);
    if (holders == node.approvers.end()) return false;
    for (const std::string& person : holders->second) {
        if (!people.contains(person) || used.contains(person)) continue;
        used.insert(person);
        if (can_assign(node, people, at + 1, used)) return true;
        used.erase(person);
    }
    return false;
}

bool is_settled(rb::StepStatus status) {
    using enum rb::StepStatus;
    return status == done || status == recorded || status == skipped || status == bypassed ||
           status == failed || status == cancelled;
}

}  // namespace

void Invariants::fail(std::string what) {
    if (!violation_) violation_ = std::move(what);
}

Invariants::Step* Invariants::find(const StepId& id) {
    const auto found = steps_.find(id);
    if (found != steps_.end()) return &found->second;
    fail(fmt::format("an event of step '{}', which the run does not have", id.value));
    return nullptr;
}

void Invariants::add_nodes(const std::vector<rb::Node>& nodes) {
    for (const rb::Node& node : nodes) {
        const auto [kept, fresh] = nodes_.emplace(node.id, node);
        if (!fresh) fail(fmt::format("two steps are called '{}'", node.id.value));
        steps_[node.id].node = &kept->second;
    }
}

void Invariants::on_event(const rb::RunState& state, const rb::Event& event) {
    ++events_;
    if (finished_ && !std::holds_alternative<rb::RequestTaken>(event.body))
        fail(fmt::format("{} after the end of the run", rb::type_name(event)));
    account(event);
    compare(state, event);
}

void Invariants::on(const rb::StepIntended& e) {
    Step* step = find(e.step);
    if (step == nullptr) return;
    const std::string& id = e.step.value;
    if (e.attempt != step->attempt + 1)
        fail(fmt::format("step '{}': attempt {} after attempt {}", id, e.attempt, step->attempt));
    if (step->settled) fail(fmt::format("step '{}' begins again after its end", id));
    if (step->held) fail(fmt::format("step '{}' goes on without the person it waits for", id));
    if (paused_) fail(fmt::format("step '{}' begins while the run is paused", id));
    if (aborted_ && step->node->undoes.empty())
        fail(fmt::format("step '{}' begins while the run is being aborted", id));
    if (e.attempt == 1 && !held_.empty())
        fail(fmt::format("step '{}' begins while '{}' waits for a person", id,
                         held_.begin()->value));
    if (step->open != Open::no && !repeatable(*step->node))
        fail(fmt::format("step '{}' is tried again though nobody knows what the last attempt did",
                         id));
    if (step->node->conduct != rb::Conduct::act && step->node->conduct != rb::Conduct::record)
        fail(fmt::format("step '{}' begins though this run must not do it", id));
    for (const StepId& need : step->node->needs)
        if (!steps_[need].passed)
            fail(fmt::format("step '{}' begins before '{}', which it needs", id, need.value));
    if (step->node->conduct == rb::Conduct::act && step->node->approve)
        check_approval(*step, e.step);
    step->attempt = e.attempt;
    step->open = Open::call;
    step->acting = true;
    step->operating = step->cancelling = false;
    ++step->intents;
}

void Invariants::check_approval(const Step& step, const StepId& id) {
    const rb::Node& node = *step.node;
    std::set<std::string> proven;
    for (const rb::Approved& approval : step.approvals) {
        if (approval.break_glass) return;
        if (!approval.actor.proof.empty()) proven.insert(approval.actor.person);
    }
    if (!step.met) fail(fmt::format("step '{}' begins without its approval on record", id.value));
    std::set<std::string> used;
    if (can_assign(node, proven, 0, used)) return;
    // One person may stand for two only when all people of the plan together could not do it.
    std::set<std::string> everybody;
    for (const auto& [name, holders] : node.approvers)
        everybody.insert(holders.begin(), holders.end());
    used.clear();
    bool covered = !proven.empty();
    for (const std::string& name : node.approve->by) {
        const auto holders = node.approvers.find(name);
        covered = covered && holders != node.approvers.end() &&
                  std::ranges::any_of(holders->second,
                                      [&](const std::string& p) { return proven.contains(p); });
    }
    if (!covered || can_assign(node, everybody, 0, used))
        fail(fmt::format("step '{}' begins without the people who must approve", id.value));
}

void Invariants::outcome(const StepId& id, unsigned attempt, bool known) {
    Step* step = find(id);
    if (step == nullptr) return;
    if (attempt != step->attempt)
        fail(fmt::format("step '{}': an outcome of attempt {} in attempt {}", id.value, attempt,
                         step->attempt));
    if (step->open == Open::no)
        fail(fmt::format("step '{}': two outcomes of attempt {}", id.value, attempt));
    step->open = known ? Open::no : Open::unknown;
    step->acting = step->cancelling = false;
}

void Invariants::settle(const StepId& id, bool passed) {
    Step* step = find(id);
    if (step == nullptr) return;
    if (step->settled) fail(fmt::format("step '{}' ends twice", id.value));
    step->settled = true;
    step->passed = passed;
    step->held = false;
    held_.erase(id);
}

void Invariants::account(const rb::Event& event) {
    const auto unknown = [](const Error& error) {
        return error.kind == ErrorKind::unknown || error.kind == ErrorKind::timeout;
    };
    std::visit(
        Overloaded{
            [&](const rb::RunStarted& e) {
                if (begun_) fail("the run begins twice");
                begun_ = true;
                add_nodes(e.graph.nodes);
            },
            [&](const rb::GraphExtended& e) { add_nodes(e.nodes); },
            [&](const rb::StepIntended& e) { on(e); },
            [&](const rb::StepOperating& e) {
                if (Step* step = find(e.step)) step->operating = true;
            },
            [&](const rb::PollIntended& e) {
                if (Step* step = find(e.step)) {
                    ++step->polls;
                    if (!step->operating)
                        fail(fmt::format("'{}' is polled, but nothing runs", e.step.value));
                }
            },
            [&](const rb::ProbeIntended& e) {
                if (Step* step = find(e.step)) {
                    ++step->probes;
                    step->acting = true;
                    step->held = step->cancelling = false;
                    held_.erase(e.step);
                    if (step->open == Open::no)
                        fail(fmt::format("'{}' is probed, but its outcome is known", e.step.value));
                }
            },
            [&](const rb::CancelIntended& e) {
                if (Step* step = find(e.step)) {
                    ++step->cancels;
                    step->cancelling = true;
                }
            },
            [&](const rb::StepSucceeded& e) {
                outcome(e.step, e.attempt, true);
                settle(e.step, true);
            },
            [&](const rb::StepFailed& e) { outcome(e.step, e.attempt, !unknown(e.error)); },
            [&](const rb::StepProbed& e) {
                if (e.verdict == rb::ProbeVerdict::running) {
                    if (Step* step = find(e.step)) step->operating = true;
                    return;
                }
                if (e.verdict == rb::ProbeVerdict::undecided) return;
                outcome(e.step, e.attempt, true);
                if (e.verdict == rb::ProbeVerdict::done) settle(e.step, true);
            },
            [&](const rb::StepRecorded& e) {
                if (Step* step = find(e.step)) outcome(e.step, step->attempt, true);
                settle(e.step, true);
            },
            [&](const rb::Approved& e) {
                if (Step* step = find(e.step)) step->approvals.push_back(e);
            },
            [&](const rb::ApprovalMet& e) {
                if (Step* step = find(e.step)) step->met = true;
            },
            [&](const rb::Denied& e) {
                if (Step* step = find(e.step)) step->approvals.clear();
            },
            [&](const rb::StepHeld& e) {
                if (Step* step = find(e.step)) {
                    step->held = true;
                    step->acting = false;
                }
                held_.insert(e.step);
            },
            [&](const rb::RetryRequested& e) {
                Step* step = find(e.step);
                if (step == nullptr) return;
                step->held = false;
                held_.erase(e.step);
                // The person's word stands for a probe where none is possible, or where they
                // looked.
                if (e.surely_absent || step->node->safety == plan::Safety::once)
                    step->open = Open::no;
                if (!step->met && !step->node->needs_fenced) step->approvals.clear();
            },
            [&](const rb::StepSkipped& e) { settle(e.step, true); },
            [&](const rb::StepBypassed& e) { settle(e.step, true); },
            [&](const rb::StepGivenUp& e) {
                if (Step* step = find(e.step))
                    settle(e.step, step->node->on_failure == plan::OnFailure::carry_on ||
                                       step->node->conduct == rb::Conduct::record);
            },
            [&](const rb::StepAbandoned& e) { settle(e.step, false); },
            [&](const rb::PauseRequested&) { paused_ = true; },
            [&](const rb::ResumeRequested&) { paused_ = false; },
            [&](const rb::AbortRequested&) {
                if (aborted_) fail("the run is aborted twice");
                aborted_ = true;
                paused_ = false;
                for (auto& [id, step] : steps_)
                    if (!step.acting) step.settled = true;
                held_.clear();
            },
            [&](const rb::EngineStarted&) {
                for (auto& [id, step] : steps_) {
                    if (step.open != Open::call || step.operating) continue;
                    step.open = Open::unknown;
                    if (repeatable(*step.node) && !step.cancelling) step.acting = false;
                }
            },
            [&](const rb::TimerSet& e) {
                const std::size_t begin = e.timer.find('/') + 1;
                Step* step = find(StepId(e.timer.substr(begin, e.timer.rfind('/') - begin)));
                if (step == nullptr) return;
                if (e.timer.starts_with("backoff/")) step->acting = false;
                if (e.timer.starts_with("wait/")) step->operating = true;
            },
            [&](const rb::RunFinished&) {
                for (const auto& [id, step] : steps_)
                    if (!step.settled)
                        fail(fmt::format("the run ends though '{}' has not", id.value));
                finished_ = true;
            },
            [&](const auto&) {},
        },
        event.body);
}

/// The state after a whole decision must say what the journal says; looked at once per decision.
void Invariants::compare(const rb::RunState& state, const rb::Event& event) {
    if ((state.status == rb::RunStatus::finished) != state.outcome.has_value())
        fail("a finished run without an outcome, or an outcome of a run that goes on");
    std::size_t counted = 0;
    for (const std::uint32_t count : state.index.count) counted += count;
    if (counted != state.steps.size()) fail("the index has lost count of the steps");
    if (const auto* done = std::get_if<rb::StepSucceeded>(&event.body);
        done != nullptr && state.steps.at(done->step).status != rb::StepStatus::done)
        fail(fmt::format("step '{}' succeeded and is not done", done->step.value));
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
    if (repeatable(node)) return;
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

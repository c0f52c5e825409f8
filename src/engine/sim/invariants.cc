#include "engine/sim/invariants.h"

#include <fmt/core.h>

#include <algorithm>

namespace lifeboat::engine::sim {
namespace {

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

void Invariants::begin_step(const rb::StepIntended& e) {
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
    if (step->open != Open::no && !is_repeatable(*step->node))
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

/// What each event says, entered into the account.
struct Invariants::Reader {
    Invariants& on;

    void operator()(const rb::RunStarted& e) const {
        if (on.begun_) on.fail("the run begins twice");
        on.begun_ = true;
        on.add_nodes(e.graph.nodes);
    }
    void operator()(const rb::GraphExtended& e) const { on.add_nodes(e.nodes); }
    void operator()(const rb::StepIntended& e) const { on.begin_step(e); }
    void operator()(const rb::StepOperating& e) const {
        if (Step* step = on.find(e.step)) step->operating = true;
    }
    void operator()(const rb::PollIntended& e) const {
        if (Step* step = on.find(e.step)) {
            ++step->polls;
            if (!step->operating)
                on.fail(fmt::format("'{}' is polled, but nothing runs", e.step.value));
        }
    }
    void operator()(const rb::ProbeIntended& e) const {
        if (Step* step = on.find(e.step)) {
            ++step->probes;
            step->acting = true;
            step->held = step->cancelling = false;
            on.held_.erase(e.step);
            if (step->open == Open::no)
                on.fail(fmt::format("'{}' is probed, but its outcome is known", e.step.value));
        }
    }
    void operator()(const rb::CancelIntended& e) const {
        if (Step* step = on.find(e.step)) {
            ++step->cancels;
            step->cancelling = true;
        }
    }
    void operator()(const rb::StepSucceeded& e) const {
        on.outcome(e.step, e.attempt, true);
        on.settle(e.step, true);
    }
    void operator()(const rb::StepFailed& e) const {
        on.outcome(e.step, e.attempt, !unknown(e.error));
    }
    void operator()(const rb::StepProbed& e) const {
        if (e.verdict == rb::ProbeVerdict::running) {
            if (Step* step = on.find(e.step)) step->operating = true;
            return;
        }
        if (e.verdict == rb::ProbeVerdict::undecided) return;
        on.outcome(e.step, e.attempt, true);
        if (e.verdict == rb::ProbeVerdict::done) on.settle(e.step, true);
    }
    void operator()(const rb::StepRecorded& e) const {
        if (Step* step = on.find(e.step)) on.outcome(e.step, step->attempt, true);
        on.settle(e.step, true);
    }
    void operator()(const rb::Approved& e) const {
        if (Step* step = on.find(e.step)) step->approvals.push_back(e);
    }
    void operator()(const rb::ApprovalMet& e) const {
        if (Step* step = on.find(e.step)) step->met = true;
    }
    void operator()(const rb::Denied& e) const {
        if (Step* step = on.find(e.step)) step->approvals.clear();
    }
    void operator()(const rb::StepHeld& e) const {
        if (Step* step = on.find(e.step)) {
            step->held = true;
            step->acting = false;
        }
        on.held_.insert(e.step);
    }
    void operator()(const rb::RetryRequested& e) const {
        Step* step = on.find(e.step);
        if (step == nullptr) return;
        step->held = false;
        on.held_.erase(e.step);
        // The person has looked.
        if (e.surely_absent) step->open = Open::no;
        if (!step->met && !step->node->needs_fenced) step->approvals.clear();
    }
    void operator()(const rb::StepSkipped& e) const { on.settle(e.step, true); }
    void operator()(const rb::StepBypassed& e) const { on.settle(e.step, true); }
    void operator()(const rb::StepGivenUp& e) const {
        if (Step* step = on.find(e.step))
            on.settle(e.step, step->node->on_failure == plan::OnFailure::carry_on ||
                                  step->node->conduct == rb::Conduct::record);
    }
    void operator()(const rb::StepAbandoned& e) const { on.settle(e.step, false); }
    void operator()(const rb::PauseRequested&) const { on.paused_ = true; }
    void operator()(const rb::ResumeRequested&) const { on.paused_ = false; }
    void operator()(const rb::AbortRequested&) const {
        if (on.aborted_) on.fail("the run is aborted twice");
        on.aborted_ = true;
        on.paused_ = false;
        for (auto& [id, step] : on.steps_)
            if (!step.acting) step.settled = true;
        on.held_.clear();
    }
    void operator()(const rb::EngineStarted&) const {
        for (auto& [id, step] : on.steps_) {
            if (step.open != Open::call || step.operating) continue;
            step.open = Open::unknown;
            if (is_repeatable(*step.node) && !step.cancelling) step.acting = false;
        }
    }
    void operator()(const rb::TimerSet& e) const {
        const std::size_t begin = e.timer.find('/') + 1;
        Step* step = on.find(StepId(e.timer.substr(begin, e.timer.rfind('/') - begin)));
        if (step == nullptr) return;
        if (e.timer.starts_with("backoff/")) step->acting = false;
        if (e.timer.starts_with("wait/")) step->operating = true;
    }
    void operator()(const rb::RunFinished&) const {
        for (const auto& [id, step] : on.steps_)
            if (!step.settled) on.fail(fmt::format("the run ends though '{}' has not", id.value));
        on.finished_ = true;
    }
    template <class T>
    void operator()(const T&) const {}

    static bool unknown(const Error& error) {
        return error.kind == ErrorKind::unknown || error.kind == ErrorKind::timeout;
    }
};

void Invariants::on_event(const rb::RunState& state, const rb::Event& event) {
    ++events_;
    clock_went_back_ = clock_went_back_ || event.at < latest_;
    latest_ = event.at;
    if (finished_ && !std::holds_alternative<rb::RequestTaken>(event.body))
        fail(fmt::format("{} after the end of the run", rb::type_name(event)));
    std::visit(Reader{*this}, event.body);
    compare(state, event);
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

}  // namespace lifeboat::engine::sim

#include <algorithm>

#include "core/runbook/index.h"
#include "core/runbook/ledger.h"
#include "core/runbook/machine.h"
#include "core/runbook/policy.h"

namespace lifeboat::runbook {
namespace {

/// One overload per type of event. No policy in here: what follows from an event stands in the
/// events after it, so that old journals replay under new policies.
class Applier {
public:
    Applier(RunState& state, Instant at) : state_(state), at_(at) {}

    void operator()(const RunStarted& e) {
        state_ = RunState{};
        state_.start = e;
        state_.status = RunStatus::running;
        state_.began = at_;
        index_nodes(state_, 0);
    }
    void operator()(const GraphExtended& e) {
        Graph& graph = state_.start.graph;
        const std::size_t first = graph.nodes.size();
        graph.nodes.insert(graph.nodes.end(), e.nodes.begin(), e.nodes.end());
        graph.undo.insert(graph.undo.end(), e.undo.begin(), e.undo.end());
        if (e.compensation) state_.compensating = true;
        index_nodes(state_, first);
    }
    void operator()(const StepIntended& e) {
        StepState& step = get(e.step);
        step.attempt = e.attempt;
        if (!step.began) step.began = at_;
        step.operation.clear();
        step.unsure = false;
        step.polls = step.poll_failures = step.probe_failures = step.cancels = 0;
        step.done = step.total = 0;
        step.operating_since.reset();
        step.progressed_at.reset();
        forget_timers(step);
        set_status(state_, step, StepStatus::starting);
        note_intent(state_, step);
    }
    void operator()(const StepOperating& e) { operate(get(e.step), e.operation); }
    void operator()(const PollIntended& e) { ++get(e.step).polls; }
    void operator()(const StepProgressed& e) {
        StepState& step = get(e.step);
        step.done = e.done;
        step.total = e.total;
        step.unit = e.unit;
        step.progressed_at = at_;
        step.poll_failures = 0;
    }
    void operator()(const StepSucceeded& e) { succeed(get(e.step), e.outputs); }
    void operator()(const StepFailed& e) {
        StepState& step = get(e.step);
        step.error = e.error;
        ++step.failures;
        step.unsure = e.error.kind == ErrorKind::unknown || e.error.kind == ErrorKind::timeout;
        forget_timers(step);
        set_status(state_, step, StepStatus::pending);
    }
    void operator()(const PollFailed& e) {
        StepState& step = get(e.step);
        step.error = e.error;
        ++step.poll_failures;
    }
    void operator()(const ProbeIntended& e) {
        StepState& step = get(e.step);
        step.probes = e.probe;
        step.unsure = true;
        forget_timers(step);
        set_status(state_, step, StepStatus::probing);
    }
    void operator()(const ProbeFailed& e) {
        StepState& step = get(e.step);
        step.error = e.error;
        ++step.probe_failures;
        forget_timers(step);
    }
    void operator()(const StepProbed& e) {
        StepState& step = get(e.step);
        forget_timers(step);
        step.probe_failures = 0;
        switch (e.verdict) {
            case ProbeVerdict::done:
                succeed(step, e.outputs);
                break;
            case ProbeVerdict::absent:
                step.unsure = false;
                note_absence(state_, step);
                set_status(state_, step, StepStatus::pending);
                break;
            case ProbeVerdict::running:
                operate(step, e.operation);
                break;
            case ProbeVerdict::undecided:
                break;
        }
    }
    void operator()(const CancelIntended& e) {
        StepState& step = get(e.step);
        ++step.cancels;
        step.unsure = true;
        forget_timers(step);
        set_status(state_, step, StepStatus::cancelling);
    }
    void operator()(const StepCancelled& e) { forget_timers(get(e.step)); }
    void operator()(const TimerSet& e) {
        ++state_.timers;
        const TimerName name = parse_timer(e.timer);
        StepState& step = get(name.step);
        if (name.is_deadline()) {
            step.deadline = e.timer;
            step.deadline_due = at_ + e.after;
            return;
        }
        step.timer = e.timer;
        step.timer_due = at_ + e.after;
        if (name.purpose == "backoff") set_status(state_, step, StepStatus::backing_off);
        if (name.purpose == "wait") set_status(state_, step, StepStatus::operating);
    }
    void operator()(const TimerFired& e) {
        const TimerName name = parse_timer(e.timer);
        StepState& step = get(name.step);
        if (step.deadline == e.timer) {
            step.deadline.clear();
            step.deadline_due.reset();
            if (name.purpose == "timeout") ++step.failures;
        } else if (step.timer == e.timer) {
            step.timer.clear();
            step.timer_due.reset();
            if (name.purpose == "backoff") set_status(state_, step, StepStatus::pending);
        }
    }
    void operator()(const ApprovalAsked& e) {
        StepState& step = get(e.step);
        if (!step.began) step.began = at_;
        set_status(state_, step, StepStatus::awaiting_approval);
    }
    void operator()(const Approved& e) { get(e.step).approvals.push_back(e); }
    void operator()(const ApprovalMet& e) {
        StepState& step = get(e.step);
        step.approved = true;
        forget_timers(step);
        set_status(state_, step, StepStatus::pending);
    }
    void operator()(const Denied& e) {
        StepState& step = get(e.step);
        forget_timers(step);
        step.approvals.clear();
    }
    void operator()(const RetryRequested& e) {
        StepState& step = get(e.step);
        step.failures = step.poll_failures = step.probe_failures = 0;
        if (e.surely_absent) step.unsure = false;
        if (!step.approved && !state_.node(step).needs_fenced) step.approvals.clear();
        forget_timers(step);
        set_status(state_, step, StepStatus::pending);
    }
    void operator()(const StepSkipped& e) { settle(get(e.step), StepStatus::skipped); }
    void operator()(const StepBypassed& e) {
        StepState& step = get(e.step);
        step.outputs = e.outputs;
        settle(step, StepStatus::bypassed);
        note_made(state_, step);
    }
    void operator()(const PauseRequested&) { state_.pause = true; }
    void operator()(const ResumeRequested&) { state_.pause = false; }
    void operator()(const AbortRequested& e) {
        state_.abort = e;
        state_.pause = false;
        state_.rolling_back = e.roll_back;
        for (auto& [id, step] : state_.steps) abort(step);
    }
    void operator()(const StepRecorded& e) {
        StepState& step = get(e.step);
        step.outputs = Json{{"calls", e.calls}};
        settle(step, StepStatus::recorded);
    }
    void operator()(const EngineStarted&) {
        for (auto& [id, step] : state_.steps) {
            forget_timers(step);
            if (step.status == StepStatus::starting) interrupt(step);
        }
    }
    void operator()(const RequestTaken& e) { state_.inbox = std::max(state_.inbox, e.version); }
    void operator()(const StepHeld& e) {
        StepState& step = get(e.step);
        step.error = e.error;
        forget_timers(step);
        // An operation that goes on while nobody looks: a retry must first find out.
        if (step.status == StepStatus::operating) step.unsure = true;
        set_status(state_, step, StepStatus::needs_person);
    }
    void operator()(const StepGivenUp& e) {
        StepState& step = get(e.step);
        step.error = e.error;
        const Node& node = state_.node(step);
        if (node.conduct == Conduct::refuse && node.on_failure != plan::OnFailure::carry_on)
            state_.refused = true;
        if (step.status == StepStatus::operating) step.unsure = true;
        settle(step, StepStatus::failed);
    }
    void operator()(const StepAbandoned& e) { settle(get(e.step), StepStatus::cancelled); }
    void operator()(const RunFinished& e) {
        state_.status = RunStatus::finished;
        state_.outcome = e.outcome;
        state_.reason = e.reason;
        state_.ended = at_;
    }

private:
    StepState& get(const StepId& id) {
        StepState* step = find_step(state_, id);
        CHECK(step != nullptr);  // decide() lets no event of an unknown step through
        return *step;
    }

    static void forget_timers(StepState& step) {
        step.timer.clear();
        step.deadline.clear();
        step.timer_due.reset();
        step.deadline_due.reset();
    }

    void operate(StepState& step, const std::string& operation) {
        step.operation = operation;
        step.unsure = false;
        step.polls = step.poll_failures = 0;
        step.operating_since = at_;
        step.progressed_at.reset();
        set_status(state_, step, StepStatus::operating);
    }

    void succeed(StepState& step, const Json& outputs) {
        step.outputs = outputs;
        step.error.reset();
        settle(step, StepStatus::done);
        note_made(state_, step);
    }

    void settle(StepState& step, StepStatus status) {
        if (status == StepStatus::done) step.unsure = false;
        step.ended = at_;
        forget_timers(step);
        set_status(state_, step, status);
    }

    /// The call belonged to an engine that is gone. What may be repeated begins again.
    void interrupt(StepState& step) {
        const Node& node = state_.node(step);
        step.unsure = node.conduct == Conduct::act;
        if (node.conduct == Conduct::record || may_repeat(node))
            set_status(state_, step, StepStatus::pending);
    }

    /// What has not begun is cancelled; what failed and waited for a person has failed. What acts
    /// goes on until it is cancelled and probed.
    void abort(StepState& step) {
        switch (step.status) {
            case StepStatus::pending:
            case StepStatus::awaiting_approval:
            case StepStatus::backing_off:
                settle(step, StepStatus::cancelled);
                break;
            case StepStatus::needs_person:
                settle(step, step.attempt > 0 ? StepStatus::failed : StepStatus::cancelled);
                break;
            default:
                break;
        }
    }

    RunState& state_;
    Instant at_;
};

}  // namespace

std::uint32_t RunState::acting() const {
    return index.in(StepStatus::starting) + index.in(StepStatus::operating) +
           index.in(StepStatus::probing) + index.in(StepStatus::cancelling);
}

void apply_to(RunState& state, const Event& event) {
    std::visit(Applier(state, event.at), event.body);
    // The clock may have jumped back: what is latest does not.
    state.latest = std::max(state.latest, event.at);
    refresh_status(state);
}

RunState apply(RunState state, const Event& event) {
    apply_to(state, event);
    return state;
}

bool operator==(const RunState& a, const RunState& b) {
    const auto rest = [](const RunState& s) {
        return std::tie(s.status, s.outcome, s.reason, s.steps, s.began, s.ended, s.latest, s.inbox,
                        s.timers, s.ledger, s.rolling_back, s.pause, s.abort, s.compensating,
                        s.refused, s.index);
    };
    return rest(a) == rest(b) && a.start == b.start;
}

}  // namespace lifeboat::runbook

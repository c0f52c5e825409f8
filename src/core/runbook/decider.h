#pragma once
/// Inside of decide(): one decision in the making. Each emitted event is applied at once, so that
/// what follows is decided on the state that replay will see. Pure.
///
/// Split by subject: decide.cc (dispatch, beginning steps, the end), outcome.cc (replies, timers,
/// probes), approve.cc (what people ask), abort.cc (abort, rollback), restart.cc.

#include <string>
#include <utility>

#include "core/runbook/index.h"
#include "core/runbook/machine.h"
#include "core/runbook/policy.h"

namespace lifeboat::runbook {

class Decider {
public:
    Decider(RunState& state, Instant at, Decision& decision)
        : state_(state), at_(at), decision_(decision) {}

    /// Begins what may begin, compensates, finishes: after every trigger.
    void settle();

    // Replies of the executor (outcome.cc).
    void on(const StepOperating& e);
    void on(const StepProgressed& e);
    void on(const StepSucceeded& e);
    void on(const StepFailed& e);
    void on(const StepProbed& e);
    void on(const StepCancelled& e);
    void on(const PollFailed& e);
    void on(const ProbeFailed& e);
    void on(const StepRecorded& e);
    void on(const TimerFired& e);
    // The run itself (decide.cc, restart.cc).
    void on(const RunStarted& e);
    void on(const EngineStarted& e);
    void on(const RequestTaken& e);
    // People (approve.cc, abort.cc).
    void on(const Approved& e);
    void on(const Denied& e);
    void on(const RetryRequested& e);
    void on(const StepSkipped& e);
    void on(const StepBypassed& e);
    void on(const PauseRequested& e);
    void on(const ResumeRequested& e);
    void on(const AbortRequested& e);
    /// Everything else follows from decisions, and triggers none.
    template <class T>
    void on(const T&) {
        refuse("an event of this type is no trigger");
    }

private:
    template <class T>
    void emit(T body) {
        decision_.events.push_back(Event{at_, std::move(body)});
        apply_to(state_, decision_.events.back());
    }
    template <class T>
    void command(T command) {
        decision_.commands.emplace_back(std::move(command));
    }
    void refuse(std::string why) { decision_.refused = std::move(why); }

    bool is_open() const {
        return state_.status != RunStatus::none && state_.status != RunStatus::finished;
    }
    /// The step, when the reply is of its present attempt; else refuses.
    StepState* current(const StepId& id, unsigned attempt);
    /// The step, when the request can mean it; else refuses.
    StepState* asked_for(const StepId& id);
    const StepId& id_of(const StepState& step) const { return state_.node(step).id; }
    /// The run is being aborted, and the step is none of its compensations.
    bool is_dropped(const StepState& step) const {
        return state_.abort && state_.node(step).undoes.empty();
    }

    // Beginning (decide.cc).
    bool may_begin(const StepState& step) const;
    void begin_ready();
    void begin(StepState& step);
    void refuse_step(StepState& step);
    void record(StepState& step);
    void act(StepState& step);
    bool ask_for_approval(StepState& step);
    void intend(StepState& step);
    void wait_out(StepState& step);
    void finish_when_settled();

    // Finding out and going on (outcome.cc).
    void set_timer(const StepState& step, std::string_view purpose, Duration after);
    void poll(StepState& step);
    void poll_later(StepState& step);
    void probe(StepState& step);
    void cancel(StepState& step);
    void after_failure(StepState& step, const Error& error);
    void after_cancel(StepState& step);
    void after_probe_failure(StepState& step, const Error& error);
    void retry_or_stop(StepState& step, const Error& error);
    void stop_at(StepState& step, Error error);
    void hold(StepState& step, Error error);
    void wake(StepState& step, const TimerName& timer);
    void end_wait(StepState& step, const TimerName& timer);

    // Abort and rollback (abort.cc).
    void begin_abort(const AbortRequested& e);
    void compensate_when_quiet();
    void restart(StepState& step, Duration timer_left, Duration deadline_left);

    RunState& state_;
    Instant at_;
    Decision& decision_;
};

}  // namespace lifeboat::runbook

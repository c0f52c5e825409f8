#include <fmt/core.h>

#include "core/runbook/decider.h"

namespace lifeboat::runbook {

void Decider::set_timer(const StepState& step, std::string_view purpose, Duration after) {
    std::string name = fmt::format("{}/{}/{}", purpose, id_of(step).value, state_.timers + 1);
    emit(TimerSet{name, after});
    command(SetTimer{std::move(name), after});
}

void Decider::poll(StepState& step) {
    emit(PollIntended{id_of(step), step.attempt});
    command(PollVerb{id_of(step), step.attempt, step.operation});
}

void Decider::poll_later(StepState& step) {
    const Duration elapsed = step.operating_since ? at_ - *step.operating_since : Duration::zero();
    set_timer(step, "poll", poll_interval(step.polls, elapsed));
}

void Decider::probe(StepState& step) {
    const unsigned number = step.probes + 1;
    emit(ProbeIntended{id_of(step), step.attempt, number});
    command(ProbeVerb{id_of(step), step.attempt, number});
    set_timer(step, "probe", probe_limit);
}

void Decider::cancel(StepState& step) {
    emit(CancelIntended{id_of(step), step.attempt});
    command(CancelVerb{id_of(step), step.attempt, step.operation});
    set_timer(step, "cancel", cancel_limit);
}

void Decider::on(const StepOperating& e) {
    StepState* step = current(e.step, e.attempt);
    if (step == nullptr) return;
    if (step->status != StepStatus::starting || state_.node(*step).conduct != Conduct::act)
        return refuse("a late reply");
    // The attempt's limit goes on: it counts from the start, not from the operation's beginning.
    emit(e);
    poll_later(*step);
}

void Decider::on(const StepProgressed& e) {
    StepState* step = current(e.step, e.attempt);
    if (step == nullptr) return;
    if (step->status != StepStatus::operating || !step->timer.empty())
        return refuse("a late reply");
    if (is_progress_worth_keeping(*step, e, at_)) emit(e);
    poll_later(*step);
}

void Decider::on(const StepSucceeded& e) {
    StepState* step = current(e.step, e.attempt);
    if (step == nullptr) return;
    switch (step->status) {
        case StepStatus::starting:
        case StepStatus::operating:
        case StepStatus::probing:
        case StepStatus::cancelling:
            break;
        // The truth came late, but nothing has been done about it yet.
        case StepStatus::pending:
        case StepStatus::backing_off:
        case StepStatus::needs_person:
            if (step->unsure) break;
            return refuse("a late reply");
        default:
            return refuse("a late reply");
    }
    emit(e);
}

void Decider::on(const StepRecorded& e) {
    StepState* step = is_open() ? find_step(state_, e.step) : nullptr;
    if (step == nullptr || step->status != StepStatus::starting ||
        state_.node(*step).conduct != Conduct::record)
        return refuse("a late reply");
    emit(e);
}

void Decider::on(const StepFailed& e) {
    StepState* step = current(e.step, e.attempt);
    if (step == nullptr) return;
    if (step->status == StepStatus::operating && !is_definite(e.error.kind))
        return on(PollFailed{e.step, e.attempt, e.error});
    if (step->status == StepStatus::probing) return on(ProbeFailed{e.step, e.attempt, e.error});
    if (step->status != StepStatus::starting && step->status != StepStatus::operating)
        return refuse("a late reply");
    emit(e);
    after_failure(*step, e.error);
}

void Decider::on(const PollFailed& e) {
    StepState* step = current(e.step, e.attempt);
    if (step == nullptr) return;
    if (step->status != StepStatus::operating || !step->timer.empty())
        return refuse("a late reply");
    emit(e);
    if (step->poll_failures < poll_failures_max) return poll_later(*step);
    // Nobody can tell any more how the operation goes.
    const Error lost = unknown(
        fmt::format("operation '{}' cannot be looked at: {}", step->operation, e.error.message));
    emit(StepFailed{e.step, e.attempt, lost});
    after_failure(*step, lost);
}

void Decider::on(const ProbeFailed& e) {
    StepState* step = current(e.step, e.attempt);
    if (step == nullptr) return;
    if (step->status != StepStatus::probing || !step->timer.empty()) return refuse("a late reply");
    after_probe_failure(*step, e.error);
}

void Decider::after_probe_failure(StepState& step, const Error& error) {
    emit(ProbeFailed{id_of(step), step.attempt, error});
    if (step.probe_failures >= probe_failures_max)
        return stop_at(step, unknown(fmt::format("cannot find out what step '{}' did: {}",
                                                 id_of(step).value, error.message),
                                     "Look yourself, then retry, skip or bypass the step."));
    set_timer(step, "reprobe", backoff(state_.node(step), step.probe_failures));
}

void Decider::on(const StepProbed& e) {
    StepState* step = current(e.step, e.attempt);
    if (step == nullptr) return;
    const bool outdated = e.probe != 0 && e.probe != step->probes;
    // A timer that would probe again means: this probe was answered, or given up.
    if (step->status != StepStatus::probing || outdated || !step->timer.empty())
        return refuse("a late reply");
    if (e.verdict == ProbeVerdict::running && e.operation.empty())
        return after_probe_failure(*step, unavailable("it is still being done"));
    emit(e);
    const Node& node = state_.node(*step);
    switch (e.verdict) {
        case ProbeVerdict::done:
            return;
        case ProbeVerdict::absent:
            if (is_dropped(*step)) return emit(StepAbandoned{e.step});
            // After a crash nothing has failed: it simply begins again.
            if (step->failures > 0)
                retry_or_stop(*step, step->error.value_or(timeout(
                                         fmt::format("step '{}' came to nothing", e.step.value))));
            return;
        case ProbeVerdict::running:
            if (is_dropped(*step)) {
                if (step->cancels < cancels_max) return cancel(*step);
                return stop_at(
                    *step, unknown(fmt::format("operation '{}' cannot be cancelled", e.operation)));
            }
            if (step->failures >= node.attempts_max)
                return stop_at(
                    *step, unknown(fmt::format("operation '{}' still runs after {}", e.operation,
                                               human_duration(node.timeout)),
                                   "Wait for it and retry the step, or cancel it by hand."));
            if (node.timeout != Duration::zero()) set_timer(*step, "timeout", node.timeout);
            return poll(*step);
        case ProbeVerdict::undecided:
            return stop_at(*step, unknown(fmt::format("cannot tell what step '{}' did: {}",
                                                      e.step.value, e.explanation),
                                          "Look yourself, then retry, skip or bypass the step."));
    }
}

void Decider::on(const StepCancelled& e) {
    StepState* step = current(e.step, e.attempt);
    if (step == nullptr) return;
    if (step->status != StepStatus::cancelling || step->deadline.empty())
        return refuse("a late reply");
    emit(e);
    after_cancel(*step);
}

void Decider::after_cancel(StepState& step) {
    const Node& node = state_.node(step);
    if (may_repeat(node)) {
        if (is_dropped(step)) return emit(StepAbandoned{node.id});
        return retry_or_stop(step,
                             timeout(fmt::format("step '{}' took longer than {}", node.id.value,
                                                 human_duration(node.timeout))));
    }
    if (node.safety != plan::Safety::once) return probe(step);
    stop_at(step, unknown(fmt::format("step '{}' was ended after {}; nobody knows what it did",
                                      node.id.value, human_duration(node.timeout)),
                          "Look yourself, then retry, skip or bypass the step."));
}

void Decider::after_failure(StepState& step, const Error& error) {
    const Node& node = state_.node(step);
    const bool outcome_unknown = step.unsure;
    if (outcome_unknown && !may_repeat(node)) {
        if (node.safety == plan::Safety::once) return stop_at(step, error);
        return probe(step);
    }
    if (is_retryable(error, may_repeat(node) ? plan::Safety::idempotent : node.safety))
        return retry_or_stop(step, error);
    stop_at(step, error);
}

void Decider::retry_or_stop(StepState& step, const Error& error) {
    const Node& node = state_.node(step);
    if (step.failures >= node.attempts_max) return stop_at(step, error);
    set_timer(step, "backoff", backoff(node, step.failures));
}

/// This step goes no further by itself.
void Decider::stop_at(StepState& step, Error error) {
    const Node& node = state_.node(step);
    const bool optional =
        node.on_failure == plan::OnFailure::carry_on || node.conduct == Conduct::record;
    if (is_dropped(step) || optional) return emit(StepGivenUp{node.id, std::move(error)});
    if (node.on_failure != plan::OnFailure::roll_back || state_.abort)
        return emit(StepHeld{node.id, std::move(error)});
    const std::string reason = fmt::format("step '{}' failed: {}", node.id.value, error.message);
    emit(StepGivenUp{node.id, std::move(error)});
    begin_abort(
        AbortRequested{.actor = Actor{.person = "plan", .proof = {}, .host = {}, .reason = reason},
                       .roll_back = true,
                       .by_plan = true});
}

/// People have not let it go on: no failure to roll back for.
void Decider::hold(StepState& step, Error error) {
    const StepId& id = id_of(step);
    if (state_.node(step).on_failure == plan::OnFailure::carry_on)
        return emit(StepGivenUp{id, std::move(error)});
    emit(StepHeld{id, std::move(error)});
}

void Decider::on(const TimerFired& e) {
    const TimerName name = parse_timer(e.timer);
    StepState* step = is_open() ? find_step(state_, name.step) : nullptr;
    if (step == nullptr || (step->timer != e.timer && step->deadline != e.timer))
        return refuse("a timer that nobody waits for");
    emit(e);
    if (name.is_deadline())
        end_wait(*step, name);
    else
        wake(*step, name);
}

void Decider::wake(StepState& step, const TimerName& timer) {
    const Node& node = state_.node(step);
    if (timer.purpose == "poll") return poll(step);
    if (timer.purpose == "reprobe") return probe(step);
    if (timer.purpose == "wait") return emit(StepSucceeded{node.id, step.attempt, Json::object()});
    if (timer.purpose == "approval")
        hold(step, timeout(fmt::format("nobody approved step '{}' within {}", node.id.value,
                                       human_duration(*node.approve->within)),
                           "Retry the step to ask again, or skip or bypass it."));
    // After a backoff the step is pending, and settle() begins it when it may.
}

void Decider::end_wait(StepState& step, const TimerName& timer) {
    const Node& node = state_.node(step);
    if (timer.purpose == "cancel") return after_cancel(step);
    if (timer.purpose == "probe")
        return after_probe_failure(
            step, timeout(fmt::format("no answer within {}", human_duration(probe_limit))));
    if (node.conduct == Conduct::record)
        return stop_at(step, timeout(fmt::format("no preview of step '{}' within {}", node.id.value,
                                                 human_duration(node.timeout))));
    cancel(step);
}

}  // namespace lifeboat::runbook

#include <fmt/core.h>

#include <algorithm>

#include "core/runbook/decider.h"
#include "core/runbook/names.h"

namespace lifeboat::runbook {
namespace {

bool has_given(const StepState& step, const Approved& approval) {
    return std::ranges::any_of(step.approvals, [&](const Approved& given) {
        return given.actor.person == approval.actor.person &&
               given.actor.proof == approval.actor.proof &&
               given.break_glass == approval.break_glass;
    });
}

/// Stopped because the old primary is not fenced: people may say that it goes on without.
bool wants_waiver(const Node& node, const StepState& step) {
    return step.status == StepStatus::needs_person && node.needs_fenced && !node.approve &&
           step.error && step.error->kind == ErrorKind::conflict && !step.unsure;
}

}  // namespace

void Decider::on(const Approved& e) {
    StepState* step = asked_for(e.step);
    if (step == nullptr) return;
    const Node& node = state_.node(*step);
    const bool waiver = wants_waiver(node, *step);
    const bool proven = !e.actor.proof.empty();
    if (e.break_glass && e.actor.reason.empty())
        return refuse("break-glass needs a reason: it is put on record");
    if (!node.approve && !waiver)
        return refuse(fmt::format("step '{}' needs no approval", e.step.value));
    if (step->approved) return refuse("it is approved already");
    if (step->status == StepStatus::needs_person && !waiver)
        return refuse("it was denied or its time is over: retry the step to ask again");
    const bool open = step->status == StepStatus::pending ||
                      step->status == StepStatus::awaiting_approval || waiver;
    if (!open) return refuse(fmt::format("step '{}' is {}", e.step.value, to_string(step->status)));
    if (has_given(*step, e)) return refuse(fmt::format("{} has approved already", e.actor.person));
    if (step->approvals.size() >= approvals_max) return refuse("too many approvals of one step");
    emit(e);
    if (waiver) {
        if (proven || e.break_glass) emit(RetryRequested{e.step, e.actor});
        return;
    }
    if (step->status == StepStatus::awaiting_approval && is_approved(node, step->approvals))
        emit(ApprovalMet{e.step});
}

void Decider::on(const Denied& e) {
    StepState* step = asked_for(e.step);
    if (step == nullptr) return;
    if (step->status != StepStatus::awaiting_approval)
        return refuse(fmt::format("step '{}' is {} and asks for no approval", e.step.value,
                                  to_string(step->status)));
    emit(e);
    hold(*step, denied(fmt::format("{} denied step '{}'{}{}", e.actor.person, e.step.value,
                                   e.actor.reason.empty() ? "" : ": ", e.actor.reason),
                       "Retry the step to ask again, or skip or bypass it."));
}

void Decider::on(const RetryRequested& e) {
    StepState* step = asked_for(e.step);
    if (step == nullptr) return;
    if (step->status != StepStatus::needs_person && step->status != StepStatus::backing_off)
        return refuse(fmt::format("step '{}' is {}: there is nothing to retry", e.step.value,
                                  to_string(step->status)));
    if (e.attempt != 0 && e.attempt != step->attempt)
        return refuse(fmt::format("attempt {} of step '{}' has begun meanwhile", step->attempt,
                                  e.step.value));
    const Node& node = state_.node(*step);
    const bool in_doubt = step->unsure && !e.surely_absent && !may_repeat(node);
    // Nobody can look but the person, and they may have asked before they knew that they must.
    if (in_doubt && node.safety == plan::Safety::once)
        return refuse(
            fmt::format("nobody knows what attempt {} of step '{}' did: make sure that it did "
                        "nothing and say so (--surely-absent), or bypass or skip the step",
                        step->attempt, e.step.value));
    emit(e);
    if (in_doubt) probe(*step);
}

void Decider::on(const StepSkipped& e) {
    StepState* step = asked_for(e.step);
    if (step == nullptr) return;
    switch (step->status) {
        case StepStatus::pending:
        case StepStatus::awaiting_approval:
        case StepStatus::backing_off:
        case StepStatus::needs_person:
            return emit(e);
        default:
            refuse(fmt::format("step '{}' is {}: it cannot be skipped", e.step.value,
                               to_string(step->status)));
    }
}

void Decider::on(const StepBypassed& e) {
    StepState* step = asked_for(e.step);
    if (step == nullptr) return;
    switch (step->status) {
        case StepStatus::pending:
        case StepStatus::awaiting_approval:
        case StepStatus::backing_off:
        case StepStatus::needs_person:
            break;
        default:
            return refuse(fmt::format("step '{}' is {}: it cannot be bypassed", e.step.value,
                                      to_string(step->status)));
    }
    if (!e.outputs.is_object()) return refuse("the outputs of a bypassed step must be an object");
    emit(e);
}

void Decider::on(const PauseRequested& e) {
    if (!is_open()) return refuse("the run is not under way");
    if (state_.pause) return refuse("the run is paused already");
    if (state_.abort) return refuse("the run is being aborted");
    emit(e);
}

void Decider::on(const ResumeRequested& e) {
    if (!is_open()) return refuse("the run is not under way");
    if (!state_.pause) return refuse("the run is not paused");
    emit(e);
}

}  // namespace lifeboat::runbook

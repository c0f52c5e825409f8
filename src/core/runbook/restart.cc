#include <fmt/core.h>

#include <algorithm>

#include "core/runbook/decider.h"

namespace lifeboat::runbook {
namespace {

/// What is left of a timer; a clock that jumped cannot make it longer than it was.
Duration left(std::optional<Instant> due, Instant now, Duration longest) {
    if (!due) return longest;
    return std::clamp(Duration(*due - now), Duration::zero(), longest);
}

}  // namespace

/// An engine opened the journal: whatever was under way belongs to one that is gone.
void Decider::on(const EngineStarted& e) {
    if (!is_open()) return refuse("the run is not under way");
    struct Left {
        StepState* step;
        StepStatus status;
        Duration timer, deadline;
        bool had_timer;
    };
    std::vector<Left> steps;
    for (auto& [id, step] : state_.steps) {
        const Node& node = state_.node(step);
        Duration longest = node.backoff_max;
        std::optional<Instant> due = step.timer_due;
        if (step.status == StepStatus::awaiting_approval && node.approve && node.approve->within)
            longest = *node.approve->within;
        if (step.status == StepStatus::operating) {
            longest = Duration::max();
            due = due.value_or(at_);  // it has fired: nothing of the wait is left
        }
        steps.push_back({&step, step.status, left(due, at_, longest),
                         left(step.deadline_due, at_, node.timeout), !step.timer.empty()});
    }
    emit(e);
    for (const Left& left : steps) {
        // One step that is given up may abort the run, and so have decided about the others.
        if (left.step->status != left.status) continue;
        // Without a timer nothing was going to wake it (an approval without an end).
        if (left.step->status == StepStatus::awaiting_approval && !left.had_timer) continue;
        restart(*left.step, left.timer, left.deadline);
    }
}

void Decider::restart(StepState& step, Duration timer_left, Duration deadline_left) {
    const Node& node = state_.node(step);
    switch (step.status) {
        case StepStatus::starting:
            if (node.safety != plan::Safety::once) return probe(step);
            return stop_at(step,
                           unknown(fmt::format("the engine stopped in the middle of step '{}'; "
                                               "nobody knows what it did",
                                               node.id.value),
                                   "Look yourself, then retry, skip or bypass the step."));
        case StepStatus::operating:
            if (is_own_verb(node)) return set_timer(step, "wait", timer_left);
            if (node.timeout != Duration::zero()) set_timer(step, "timeout", deadline_left);
            return poll(step);
        case StepStatus::probing:
            return probe(step);
        case StepStatus::cancelling:
            return after_cancel(step);
        case StepStatus::backing_off:
            return set_timer(step, "backoff", timer_left);
        case StepStatus::awaiting_approval:
            return set_timer(step, "approval", timer_left);
        default:
            return;
    }
}

}  // namespace lifeboat::runbook

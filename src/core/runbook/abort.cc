#include <fmt/core.h>

#include <algorithm>

#include "core/runbook/decider.h"

namespace lifeboat::runbook {
namespace {

/// What was done, or may have been, by this run itself.
bool wants_undo(const Node& node, const StepState& step) {
    if (node.undo.empty() || node.conduct != Conduct::act || !node.undoes.empty()) return false;
    return step.status == StepStatus::done || (step.unsure && step.attempt > 0);
}

}  // namespace

void Decider::on(const AbortRequested& e) {
    if (!is_open()) return refuse("the run is not under way");
    if (state_.abort) return refuse("the run is being aborted already");
    begin_abort(e);
}

void Decider::begin_abort(const AbortRequested& e) {
    emit(e);
    for (auto& [id, step] : state_.steps) {
        const bool waits = is_own_verb(state_.node(step));
        switch (step.status) {
            case StepStatus::starting:
                // Noting what would be done changes nothing.
                if (state_.node(step).conduct == Conduct::record)
                    emit(StepAbandoned{id});
                else
                    cancel(step);
                break;
            case StepStatus::operating:
                if (waits)
                    emit(StepAbandoned{id});
                else
                    cancel(step);
                break;
            default:
                break;  // cancelling and probing go on to where they know
        }
    }
}

/// When nothing acts any more: the way back, newest first, one after the other.
void Decider::compensate_when_quiet() {
    if (!state_.abort || !state_.abort->roll_back || state_.compensating || state_.acting() > 0)
        return;
    std::vector<const StepState*> done;
    for (const auto& [id, step] : state_.steps)
        if (wants_undo(state_.node(step), step)) done.push_back(&step);
    std::ranges::sort(done, [](const StepState* a, const StepState* b) {
        return std::pair(a->ended, a->node) > std::pair(b->ended, b->node);
    });
    GraphExtended extension{.nodes = {}, .undo = {}, .compensation = true};
    for (const StepState* step : done) {
        const StepId& id = id_of(*step);
        const auto& undo = state_.start.graph.undo;
        const auto prepared = std::ranges::find(undo, id, &Node::undoes);
        if (prepared == undo.end()) continue;
        Node node = *prepared;
        // A step may say what its way back needs to know, such as the number of replicas before.
        if (const auto more = step->outputs.find("undo");
            more != step->outputs.end() && more->is_object())
            node.arguments = *more;
        if (!extension.nodes.empty()) node.needs = {extension.nodes.back().id};
        extension.nodes.push_back(std::move(node));
    }
    if (!extension.nodes.empty()) emit(std::move(extension));
}

}  // namespace lifeboat::runbook

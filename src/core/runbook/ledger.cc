#include "core/runbook/ledger.h"

#include "core/runbook/index.h"

namespace lifeboat::runbook {
namespace {

bool leaves_something(const RunState& state, const Node& node) {
    if (node.conduct != Conduct::act || !node.undoes.empty()) return false;
    return node.makes_instance || (state.start.mode == RunMode::drill && node.mutating);
}

Json* entry_of(RunState& state, const StepId& step) {
    for (Json& entry : state.ledger)
        if (entry.contains("state") && entry["step"] == step.value) return &entry;
    return nullptr;
}

}  // namespace

void note_intent(RunState& state, const StepState& step) {
    const Node& node = state.node(step);
    if (!leaves_something(state, node)) return;
    if (Json* entry = entry_of(state, node.id)) {
        (*entry)["state"] = "intended";
        return;
    }
    state.ledger.push_back(Json{{"token", node.token},
                                {"step", node.id.value},
                                {"verb", node.verb},
                                {"component", node.component},
                                {"kind", node.kind},
                                {"site", node.site},
                                {"state", "intended"}});
}

void note_made(RunState& state, const StepState& step) {
    const Node& node = state.node(step);
    if (!node.undoes.empty()) {
        if (Json* entry = entry_of(state, node.undoes)) (*entry)["state"] = "undone";
        return;
    }
    if (leaves_something(state, node) && entry_of(state, node.id) == nullptr)
        note_intent(state, step);  // made by hand: there was no intent
    if (Json* entry = entry_of(state, node.id)) {
        (*entry)["state"] = "made";
        (*entry)["outputs"] = step.outputs;
    }
    if (const auto more = step.outputs.find("ledger");
        more != step.outputs.end() && more->is_array())
        for (const Json& item : *more)
            state.ledger.push_back(Json{{"step", node.id.value}, {"item", item}});
}

void note_absence(RunState& state, const StepState& step) {
    if (Json* entry = entry_of(state, state.node(step).id)) (*entry)["state"] = "absent";
}

std::map<std::string, Json> candidates(const RunState& state) {
    std::set<StepId> undone;
    for (const Node& node : state.start.graph.nodes) {
        if (node.undoes.empty()) continue;
        const StepStatus status = state.steps.at(node.id).status;
        if (status == StepStatus::done || status == StepStatus::bypassed)
            undone.insert(node.undoes);
    }
    std::map<std::string, Json> made;
    for (const Node& node : state.start.graph.nodes) {
        if (!node.makes_instance || node.component.empty() || undone.contains(node.id)) continue;
        const StepState& step = state.steps.at(node.id);
        const bool is_there =
            step.status == StepStatus::done || step.status == StepStatus::bypassed;
        if (is_there && !step.outputs.empty()) made[node.component] = step.outputs;
    }
    return made;
}

bool is_fenced(const RunState& state, const Node& node) {
    for (const Node& other : state.start.graph.nodes) {
        if (other.verb != "fence" || other.component != node.component) continue;
        const StepStatus status = state.steps.at(other.id).status;
        if (other.conduct == Conduct::act &&
            (status == StepStatus::done || status == StepStatus::bypassed))
            return true;
    }
    const auto own = state.steps.find(node.id);
    if (own == state.steps.end()) return false;
    if (node.approve) return own->second.approved;
    for (const Approved& approval : own->second.approvals)
        if (approval.break_glass || !approval.actor.proof.empty()) return true;
    return false;
}

}  // namespace lifeboat::runbook

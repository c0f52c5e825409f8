#include "core/runbook/index.h"

#include "platform/base/text.h"

namespace lifeboat::runbook {
namespace {

/// "P0" first, "P9" last but one, "" last.
std::uint32_t rank_of(const std::string& priority) {
    if (priority.size() < 2 || priority[0] != 'P') return 1000;
    const auto number = parse_integer(std::string_view(priority).substr(1));
    return number && *number >= 0 && *number < 1000 ? static_cast<std::uint32_t>(*number) : 1000;
}

/// Steps that need this one may begin.
bool is_passed(const Node& node, StepStatus status) {
    switch (status) {
        case StepStatus::done:
        case StepStatus::recorded:
        case StepStatus::skipped:
        case StepStatus::bypassed:
            return true;
        case StepStatus::failed:
            return node.on_failure == plan::OnFailure::carry_on || node.conduct == Conduct::record;
        default:
            return false;
    }
}

void make_ready(RunState& state, std::uint32_t node) {
    state.index.ready.emplace(rank_of(state.start.graph.nodes[node].priority), node);
}

}  // namespace

StepState* find_step(RunState& state, const StepId& id) {
    const auto found = state.steps.find(id);
    return found == state.steps.end() ? nullptr : &found->second;
}

void index_nodes(RunState& state, std::size_t first) {
    const std::vector<Node>& nodes = state.start.graph.nodes;
    RunIndex& index = state.index;
    index.followers.resize(nodes.size());
    index.open_needs.resize(nodes.size());
    for (std::size_t i = first; i < nodes.size(); ++i) {
        const auto node = static_cast<std::uint32_t>(i);
        StepState& step = state.steps[nodes[i].id];
        step.node = node;
        ++index.count[static_cast<std::size_t>(StepStatus::pending)];
        for (const StepId& need : nodes[i].needs) {
            const StepState* before = find_step(state, need);
            CHECK(before != nullptr);  // compile() orders the nodes
            if (is_passed(nodes[before->node], before->status)) continue;
            index.followers[before->node].push_back(node);
            ++index.open_needs[i];
        }
        if (index.open_needs[i] == 0) make_ready(state, node);
    }
}

void set_status(RunState& state, StepState& step, StepStatus status) {
    if (step.status == status) return;
    RunIndex& index = state.index;
    const Node& node = state.start.graph.nodes[step.node];
    if (step.status == StepStatus::pending) index.ready.erase({rank_of(node.priority), step.node});
    --index.count[static_cast<std::size_t>(step.status)];
    ++index.count[static_cast<std::size_t>(status)];
    step.status = status;
    if (status == StepStatus::pending && index.open_needs[step.node] == 0)
        make_ready(state, step.node);
    if (!is_passed(node, status)) return;
    for (const std::uint32_t follower : index.followers[step.node]) {
        CHECK(index.open_needs[follower] > 0);
        if (--index.open_needs[follower] > 0) continue;
        if (state.steps.at(state.start.graph.nodes[follower].id).status == StepStatus::pending)
            make_ready(state, follower);
    }
    index.followers[step.node].clear();
}

bool is_settled(StepStatus status) {
    switch (status) {
        case StepStatus::done:
        case StepStatus::recorded:
        case StepStatus::skipped:
        case StepStatus::bypassed:
        case StepStatus::failed:
        case StepStatus::cancelled:
            return true;
        default:
            return false;
    }
}

void refresh_status(RunState& state) {
    if (state.status == RunStatus::none || state.status == RunStatus::finished) return;
    const RunIndex& index = state.index;
    const bool quiet = state.acting() == 0;
    const bool still = quiet && index.in(StepStatus::backing_off) == 0;
    const bool held = index.in(StepStatus::needs_person) > 0;
    const bool asked = index.in(StepStatus::awaiting_approval) > 0;
    if (state.pause)
        state.status = quiet ? RunStatus::paused : RunStatus::pausing;
    else if (still && (held || (asked && index.ready.empty())))
        state.status = RunStatus::waiting;
    else
        state.status = state.abort ? RunStatus::aborting : RunStatus::running;
}

TimerName parse_timer(std::string_view timer) {
    const std::size_t first = timer.find('/');
    const std::size_t last = timer.rfind('/');
    if (first == std::string_view::npos || first == last) return {};
    return {timer.substr(0, first), StepId(std::string(timer.substr(first + 1, last - first - 1)))};
}

}  // namespace lifeboat::runbook

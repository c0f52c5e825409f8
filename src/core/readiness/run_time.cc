#include "core/readiness/run_time.h"

#include <algorithm>
#include <array>
#include <map>

#include "core/readiness/durations.h"

namespace lifeboat::readiness {
namespace {

/// Where a step ends, and which step before it that was due to.
struct Mark {
    Duration p5{}, p50{}, p95{};
    const runbook::Node* after = nullptr;
};

/// Steps that come after what people wait for: service is back without them.
bool is_aftermath(std::string_view verb) {
    static constexpr std::array<std::string_view, 5> verbs{"rebuild-protection", "backup",
                                                           "preserve", "monitor", "notify"};
    return std::ranges::find(verbs, verb) != verbs.end();
}

}  // namespace

RunTime run_time(const plan::Plan& plan, const History& history,
                 const std::vector<plan::Step>& steps, const runbook::Graph& graph) {
    RunTime time;
    std::map<StepId, Mark> marks;
    std::map<StepId, Spread> spreads;
    const runbook::Node* last = nullptr;
    for (const runbook::Node& node : graph.nodes) {
        Mark mark;
        for (const StepId& need : node.needs) {
            const Mark& before = marks[need];
            mark.p5 = std::max(mark.p5, before.p5);
            mark.p95 = std::max(mark.p95, before.p95);
            if (mark.after == nullptr || before.p50 > mark.p50) mark.after = graph.find(need);
            mark.p50 = std::max(mark.p50, before.p50);
        }
        Spread spread = approval_of(history, node);
        if (node.conduct == runbook::Conduct::act) {
            const Spread own = time_of(plan, history, node, step_of(steps, node)).spread;
            if (!node.approve) spread.samples = own.samples;
            spread += own;
        }
        mark.p5 += spread.p5;
        mark.p50 += spread.p50;
        mark.p95 += spread.p95;
        spreads[node.id] = spread;
        marks[node.id] = mark;
        if (is_aftermath(node.verb)) continue;
        if (last == nullptr || mark.p50 >= marks[last->id].p50) last = &node;
        time.total.p5 = std::max(time.total.p5, mark.p5);
        time.total.p50 = std::max(time.total.p50, mark.p50);
        time.total.p95 = std::max(time.total.p95, mark.p95);
    }
    time.total.basis = Basis::measured;
    for (const runbook::Node* node = last; node != nullptr; node = marks[node->id].after) {
        const Spread& spread = spreads[node->id];
        ++time.steps;
        time.total.basis = std::max(time.total.basis, spread.basis);
        if (spread.basis != Basis::measured) continue;
        time.samples = time.measured == 0 ? spread.samples : std::min(time.samples, spread.samples);
        ++time.measured;
    }
    time.total.samples = time.samples;
    return time;
}

}  // namespace lifeboat::readiness

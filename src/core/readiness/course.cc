#include "core/readiness/course.h"

#include <algorithm>
#include <map>

#include "core/readiness/durations.h"

namespace lifeboat::readiness {

Finish later(const Finish& a, const Finish& b) {
    return {std::max(a.p5, b.p5), std::max(a.p50, b.p50), std::max(a.p95, b.p95)};
}

Finish operator+(const Finish& at, const Spread& took) {
    return {at.p5 + took.p5, at.p50 + took.p50, at.p95 + took.p95};
}

Course::Course(const plan::Plan& plan, const plan::Catalog& catalog, const History& history,
               const plan::Scenario& scenario) {
    auto graph =
        runbook::compile(plan, scenario.steps, catalog,
                         {.mode = runbook::RunMode::preview, .run = RunId("run-forecast")});
    if (!graph.has_value()) {
        uncompiled_ = graph.error().message;
        return;
    }
    graph_ = *std::move(graph);
    time_nodes(plan, history, scenario);
    seen_.resize(graph_.nodes.size());
}

void Course::time_nodes(const plan::Plan& plan, const History& history,
                        const plan::Scenario& scenario) {
    std::map<StepId, Place> index;
    timed_.resize(graph_.nodes.size());
    needs_.resize(graph_.nodes.size());
    for (Place i = 0; i < graph_.nodes.size(); ++i) {
        const runbook::Node& node = graph_.nodes[i];
        index[node.id] = i;
        Timed& timed = timed_[i];
        const plan::Step* step = step_of(scenario.steps, node);
        const StepTime time = time_of(plan, history, node, step);
        timed.took = time.spread;
        timed.own_account = time.own_account;
        timed.approval = approval_of(history, node);
        timed.at = step == nullptr ? scenario.at : step->at;
        for (const StepId& need : node.needs) {
            const auto found = index.find(need);
            if (found == index.end()) continue;
            const Place before = found->second;
            needs_[i].push_back(before);
            const Finish& end = timed_[before].finish;
            if (timed.before == nowhere || end.p50 > timed_[timed.before].finish.p50)
                timed.before = before;
            timed.finish = later(timed.finish, end);
            const bool goes_on = graph_.nodes[before].on_failure == plan::OnFailure::carry_on;
            const bool fails = timed_[before].stopped != nowhere;
            if (fails && !(goes_on && timed_[before].stopped == before))
                timed.stopped = timed_[before].stopped;
        }
        if (timed.stopped == nowhere && too_short_limit(node, time.spread.basis == Basis::measured))
            timed.stopped = i;
        timed.finish = timed.finish + timed.approval + timed.took;
    }
}

bool Course::waits(Place last, Place first) const {
    if (first >= last) return false;  // nodes come after what they need
    ++asked_;
    open_.assign(1, last);
    while (!open_.empty()) {
        const Place at = open_.back();
        open_.pop_back();
        for (const Place need : needs_[at]) {
            if (need == first) return true;
            // What comes before the one in question cannot wait for it.
            if (need < first || seen_[need] == asked_) continue;
            seen_[need] = asked_;
            open_.push_back(need);
        }
    }
    return false;
}

bool Course::any_waits(const std::vector<Place>& last, Place first) const {
    return std::ranges::any_of(last, [&](Place one) { return waits(one, first); });
}

}  // namespace lifeboat::readiness

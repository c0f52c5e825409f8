#pragma once
/// How long a run of these steps will take: the critical path over what each step is known to take.
/// Pure.

#include "core/readiness/history.h"
#include "core/runbook/graph.h"

namespace lifeboat::readiness {

struct RunTime {
    Spread total;  ///< from the run's beginning until service is back: protection is built up later
    unsigned steps = 0,
             measured = 0;    ///< of the path to the median: steps, and those measured here
    std::size_t samples = 0;  ///< fewest measurements of any measured step of that path
};

/// The path may lead over other steps at p5 than at p95; each percentile is that of its own path.
/// `steps`: those that the graph was made from, for estimates of their own.
RunTime run_time(const plan::Plan& plan, const History& history,
                 const std::vector<plan::Step>& steps, const runbook::Graph& graph);

}  // namespace lifeboat::readiness

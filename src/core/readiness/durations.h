#pragma once
/// How long one step of a run takes, and what that rests on. Pure.

#include <string>
#include <vector>

#include "core/readiness/forecast.h"
#include "core/runbook/graph.h"

namespace lifeboat::readiness {

/// Where a node of the graph came from; nullptr when it cannot be told.
const plan::Step* step_of(const std::vector<plan::Step>& steps, const runbook::Node& node);

/// Measured, else by the step's own `estimate:`, else by its kind; else nothing is known: zero, and
/// assumed.
struct StepTime {
    Spread spread;
    bool own_account = false;  ///< measured here, or declared for this very step
};
StepTime time_of(const plan::Plan& plan, const History& history, const runbook::Node& node,
                 const plan::Step* step);
/// Waiting for people before the step acts; zero when it needs nobody.
Spread approval_of(const History& history, const runbook::Node& node);

/// Storage whose points must be brought back from the cold first: how long that may take; zero for
/// storage that answers at once.
Duration retrieval_time(const plan::Protection& protection);

Spread exactly(Duration value, Basis basis);
Spread& operator+=(Spread& total, const Spread& part);

}  // namespace lifeboat::readiness

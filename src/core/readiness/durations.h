#pragma once
/// How long it takes until somebody notices, somebody approves, one step of a run is done; and what
/// that rests on. Pure.

#include <optional>
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
/// The time after which the step is stopped each time, for it takes longer by the plan's own
/// account or its kind's. Nothing where it has time enough, or where it was `measured` that it has.
std::optional<Duration> too_short_limit(const runbook::Node& node, bool measured);
/// `for:` of a step that watches, or waits, that long: it takes no less.
std::optional<Duration> fixed_time(const runbook::Node& node);
/// Waiting for people before the step acts; zero when it needs nobody.
Spread approval_of(const History& history, const runbook::Node& node);

/// Storage whose points must be brought back from the cold first: how long that may take; zero for
/// storage that answers at once.
Duration retrieval_time(const plan::Protection& protection);

Spread exactly(Duration value, Basis basis);
Spread& operator+=(Spread& total, const Spread& part);

}  // namespace lifeboat::readiness

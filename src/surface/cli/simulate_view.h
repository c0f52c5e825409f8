#pragma once
/// What simulated disasters came to, for terminals and machines. Pure.

#include <vector>

#include "surface/cli/output.h"
#include "surface/cli/simulate_facts.h"

namespace lifeboat::cli {

/// Tables: one plan alone, or several side by side.
void show_simulated(const Output& output, const std::vector<Simulated>& plans,
                    const SimulatedRuns& runs);
Json simulated_json(const std::vector<Simulated>& plans, const SimulatedRuns& runs);

}  // namespace lifeboat::cli

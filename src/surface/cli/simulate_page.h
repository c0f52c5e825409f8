#pragma once
/// The page of simulated disasters: one HTML file that needs nothing else, for people who decide.
/// First the objectives, then where they are missed, then the distributions, then what to do about
/// it and what the numbers rest on. Pure.

#include <string>
#include <vector>

#include "surface/cli/simulate_facts.h"

namespace lifeboat::cli {

std::string simulated_page(const std::vector<Simulated>& plans, const SimulatedRuns& runs);

}  // namespace lifeboat::cli

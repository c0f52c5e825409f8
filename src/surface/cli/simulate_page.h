#pragma once
/// Simulated disasters as a page: distributions against objectives, drawn as SVG. Self-contained:
/// no script, no network. Pure.

#include <string>
#include <vector>

#include "surface/cli/simulate_view.h"

namespace lifeboat::cli {

std::string simulated_page(const std::vector<Simulated>& plans, const SimulatedRuns& runs);

}  // namespace lifeboat::cli

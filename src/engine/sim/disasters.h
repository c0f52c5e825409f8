#pragma once
/// Runs to simulate: plans made up from the seed, or the scenarios of a plan file. Pure.

#include <array>
#include <string_view>

#include "core/runbook/machine.h"
#include "engine/sim/chance.h"

namespace lifeboat::engine::sim {

/// The people of made-up plans. alice and carol hold "security", bob and carol "commander".
constexpr std::array<std::string_view, 3> people{"alice", "bob", "carol"};

/// A made-up scenario, compiled the way a real one is.
runbook::RunStarted draw_run(Chance& chance);
/// A run of a plan's scenario.
Result<runbook::RunStarted> scenario_run(const plan::Plan& plan, const std::string& scenario,
                                         const plan::Catalog& catalog, runbook::RunMode mode);

}  // namespace lifeboat::engine::sim

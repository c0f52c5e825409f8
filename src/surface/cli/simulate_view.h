#pragma once
/// What simulated disasters came to, for terminals and machines. Pure.

#include <string>
#include <vector>

#include "engine/sim/tally.h"
#include "surface/cli/output.h"

namespace lifeboat::cli {

/// One plan, or one change of it, that was simulated.
struct Simulated {
    std::string name;  ///< the file, or "with components.cache.protect.every=50m"
    const engine::sim::Tally* tally = nullptr;
};

struct SimulatedRuns {
    std::uint64_t asked = 0, seed = 0;
    double seconds = 0;
    unsigned jobs = 1;
    std::string again;  ///< the command, without options that are about one run
};

/// Tables: one plan alone, or several side by side.
void show_simulated(const Output& output, const std::vector<Simulated>& plans,
                    const SimulatedRuns& runs);
Json simulated_json(const std::vector<Simulated>& plans, const SimulatedRuns& runs);

/// "never" where there is none.
std::string duration_or_never(const std::optional<Duration>& duration, bool loss);
/// "98.7 %", and never 100 % or 0 % unless it is exactly that.
std::string share_text(std::uint64_t part, std::uint64_t whole);

}  // namespace lifeboat::cli

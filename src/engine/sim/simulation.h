#pragma once
/// One disaster in virtual time: the real machine and driver, simulated providers, people and
/// crashes. Everything follows from the seed. Thread-safe: each call is on its own.

#include <functional>
#include <optional>
#include <string>

#include "core/runbook/machine.h"
#include "engine/sim/mutants.h"

namespace lifeboat::engine::sim {

struct SimulationOptions {
    std::uint64_t seed = 1;
    Mutant mutant = Mutant::none;
    /// The run; nothing: one is made up from the seed.
    const runbook::RunStarted* start = nullptr;
    /// Instead of crashes by chance: one at the n-th append (1 = the first) …
    std::uint64_t crash_at = 0;
    /// … before it is durable, or after, when nothing that follows from it has been done.
    bool crash_before = false;
    std::function<void(const std::string&)> story;  ///< a line for everything that happens
};

struct SimulationReport {
    std::uint64_t seed = 0;
    std::uint64_t events = 0;  ///< journaled
    std::uint64_t appends = 0;
    unsigned crashes = 0;  ///< engines that died; full disks among them
    runbook::RunStatus status = runbook::RunStatus::none;
    std::optional<runbook::Outcome> outcome;
    Duration took{};  ///< of virtual time
    std::optional<std::string> violation;
};

SimulationReport simulate(const SimulationOptions& options);

}  // namespace lifeboat::engine::sim

#pragma once
/// One disaster and the recovery from it, on a virtual clock: everything follows from the seed. The
/// run is carried by the real machine; by default over a lean journal, with `faithful` by the real
/// driver over the in-memory state.
///
/// Time counts from the first sign of the disaster. Thread-safe: each call is on its own.

#include <optional>
#include <vector>

#include "engine/sim/hands.h"

namespace lifeboat::engine::sim {

/// What came of one goal.
struct Measure {
    bool applies = false;  ///< the disaster concerns it
    bool never = false;    ///< it did not come back, or everything is lost
    bool by_plan = false;  ///< … and could not: nothing in the plan brings it back
    Duration value{};

    bool is_inside(const Goal& goal) const { return !never && value <= goal.limit; }
};

/// What a step added to the time of the whole: the chain of steps that the end waited for.
struct Cost {
    std::uint32_t node = 0;
    Duration time{};
};

struct TrialResult {
    std::uint64_t seed = 0;
    std::uint32_t act = 0;
    bool began = false;  ///< a run answered the disaster
    Duration noticed{};  ///< from the first sign until somebody or something knew
    Duration started{};  ///< … until the run began
    Duration took{};     ///< the run
    runbook::RunStatus status = runbook::RunStatus::none;
    std::optional<runbook::Outcome> outcome;
    std::vector<Measure> measures;  ///< by goal
    std::vector<Cost> path;
    std::uint64_t events = 0;  ///< journaled
    unsigned crashes = 0;
    std::string broken;  ///< what must never happen: the machine itself failed
};

struct TrialOptions {
    std::uint64_t seed = 1;
    bool faithful = false;
    Teller tell;
};

TrialResult run_trial(const Stage& stage, const TrialOptions& options);

/// How the disaster came to be known, and what is lost with it: drawn apart from the run.
struct Strikes {
    const Act* act = nullptr;
    Instant at{};  ///< wall time of the first sign
    bool night = false;
    Duration unnoticed{};   ///< a corruption went on for so long before the first sign
    std::vector<bool> hit;  ///< by component
    std::optional<Duration> noticed, started;  ///< absent: never
    std::vector<std::string> because;          ///< what told of it
};
Strikes draw_strikes(const Stage& stage, std::uint64_t seed);
/// The data that is missing after going back; nothing: all of it.
std::optional<Duration> draw_loss(const Strikes& strikes, std::uint32_t component,
                                  std::uint64_t seed);

}  // namespace lifeboat::engine::sim

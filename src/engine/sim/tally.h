#pragma once
/// What many trials came to, in memory that does not grow with their number. Not thread-safe: one
/// per thread, merged at the end; the result does not depend on who ran what.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/sim/histogram.h"
#include "engine/sim/trial.h"

namespace lifeboat::engine::sim {

/// One objective in one kind of disaster, or in all of them.
struct GoalTally {
    Histogram values;          ///< of those that came back
    std::uint64_t trials = 0;  ///< that concerned it
    std::uint64_t inside = 0;
    std::uint64_t never = 0;    ///< did not come back; everything was lost
    std::uint64_t by_plan = 0;  ///< … because nothing in the plan brings it back

    void add(const Measure& measure, const Goal& goal);
    void merge(const GoalTally& other);
    /// Of all trials, those that did not come back counted as the worst; nothing: it is one of
    /// them.
    std::optional<Duration> percentile(double percent) const;
    double share_inside() const {
        return trials == 0 ? 1.0 : static_cast<double>(inside) / static_cast<double>(trials);
    }
};

struct StepTally {
    std::uint64_t times = 0;  ///< it was in the chain that the end waited for
    Duration total{};
    Histogram values;
};

struct ActTally {
    std::uint64_t trials = 0, began = 0, done = 0, waiting = 0;
    Duration noticed{}, called{};  ///< sums
    std::vector<GoalTally> goals;
    std::vector<StepTally> steps;  ///< by node
};

struct Worst {
    std::uint64_t seed = 0;
    std::uint32_t act = 0, goal = 0;
    bool never = false;
    Duration value{};
    double ratio = 0;  ///< of the objective
};

class Tally {
public:
    explicit Tally(const Stage& stage);
    void add(const TrialResult& result);
    void merge(const Tally& other);

    const std::vector<ActTally>& acts() const { return acts_; }
    GoalTally of_all(std::size_t goal) const;
    const std::vector<Worst>& worst() const { return worst_; }
    std::uint64_t trials() const { return trials_; }
    std::uint64_t events() const { return events_; }
    std::uint64_t crashes() const { return crashes_; }
    /// Seeds and reasons of trials in which the machine itself failed, the first few.
    const std::vector<std::pair<std::uint64_t, std::string>>& broken() const { return broken_; }
    const Stage& stage() const { return *stage_; }

private:
    void note_worst(const Worst& one);

    const Stage* stage_;
    std::vector<ActTally> acts_;
    std::vector<Worst> worst_;
    std::vector<std::pair<std::uint64_t, std::string>> broken_;
    std::uint64_t trials_ = 0, events_ = 0, crashes_ = 0;
};

}  // namespace lifeboat::engine::sim

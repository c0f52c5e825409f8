#pragma once
/// How long something takes, as a distribution: what was measured here, else a declared estimate
/// with a heavy tail. Pure.

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/readiness/history.h"
#include "core/runbook/graph.h"
#include "engine/sim/chance.h"

namespace lifeboat::engine::sim {

class Pace {
public:
    Pace() = default;
    /// Log-normal: half of the draws are below `median`, one in twenty is above `p95`.
    static Pace around(Duration median, Duration p95,
                       readiness::Basis basis = readiness::Basis::assumed);
    /// Draws from the samples themselves when there are enough, else around what they say.
    static Pace measured(const std::vector<Duration>& samples);
    /// Of a step: its history, the estimate of the plan or the kind, or what such a verb takes.
    static Pace of_step(const runbook::Node& node, const readiness::History& history,
                        std::string_view own_site);

    Duration draw(Chance& chance) const;
    Duration median() const { return median_; }
    readiness::Basis basis() const { return basis_; }

private:
    Duration median_{};
    double sigma_ = 0;
    readiness::Basis basis_ = readiness::Basis::assumed;
    std::vector<Duration> samples_;
};

}  // namespace lifeboat::engine::sim

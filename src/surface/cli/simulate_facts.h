#pragma once
/// What simulated disasters came to, as terminals, machines and the page tell it: which objectives,
/// which steps, in which words. Pure.

#include <optional>
#include <string>
#include <vector>

#include "engine/sim/tally.h"

namespace lifeboat::cli {

/// One plan, or one change of it, that was simulated.
struct Simulated {
    std::string name;   ///< the file, or "with components.cache.protect.every=50m"
    std::string again;  ///< the command that tries this one again, but for --runs and --seed
    const engine::sim::Tally* tally = nullptr;
};

struct SimulatedRuns {
    std::uint64_t asked = 0, seed = 0;
    double seconds = 0;
    unsigned jobs = 1;
    Instant at{};  ///< when it was done
};

/// "A", "B", …: what the plan at this place is called beside others.
char letter_of(std::size_t place);
/// "10,000".
std::string grouped(std::uint64_t number);
/// "98.7 %", and never 100 % or 0 % unless it is exactly that.
std::string share_text(std::uint64_t part, std::uint64_t whole);
/// "98 %", and never 100 % or 0 % unless it is exactly that.
std::string whole_share_text(std::uint64_t part, std::uint64_t whole);
/// Nothing stands for "never" (back), or "all lost".
std::string duration_or_never(const std::optional<Duration>& duration, bool loss);
/// "database RTO".
std::string name_of(const engine::sim::Goal& goal);
/// "half back within 51m38s · 95 % within 2h18m · the slowest after 13h26m"; where some did not
/// come back, how many, and whether the plan is the reason.
std::string spread_text(const engine::sim::Goal& goal, const engine::sim::GoalTally& tally);
/// What kept any of them from coming back at all; "" when the plan is not the reason.
std::string by_plan_text(const engine::sim::Goal& goal, const engine::sim::GoalTally& tally);
/// A mean; "–" of none.
std::string mean_text(Duration sum, std::uint64_t count);

/// The objectives that any disaster concerns, by component: {RTO, RPO}, as far as there are.
std::vector<std::vector<std::size_t>> goals_by_component(const engine::sim::Tally& tally);
/// The objectives of all plans, by name, in the order of their first mention.
std::vector<std::string> goal_names(const std::vector<Simulated>& plans);
std::optional<std::size_t> find_goal(const engine::sim::Stage& stage, const std::string& name);

struct CostlyStep {
    std::string act, step, basis;
    const engine::sim::StepTally* tally = nullptr;

    /// Of the times that it was in the chain that the end waited for. Requires: 0 < percent ≤ 100.
    Duration percentile(double percent) const;
};
/// The steps that the ends of runs waited for, the costliest first.
std::vector<CostlyStep> costly_steps(const engine::sim::Tally& tally);
/// "21.1 %": of all that these steps cost.
std::string share_of_cost(const CostlyStep& step, const std::vector<CostlyStep>& all);

}  // namespace lifeboat::cli

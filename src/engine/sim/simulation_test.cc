#include "engine/sim/simulation.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "core/runbook/names.h"

namespace lifeboat::engine::sim {
namespace {

std::string replay_command(std::uint64_t seed) {
    return "./dev sim --seed " + std::to_string(seed) + " --verbose";
}

TEST(Simulation, keeps_every_invariant_through_a_thousand_disasters) {
    std::map<runbook::RunStatus, unsigned> ends;
    std::map<runbook::Outcome, unsigned> outcomes;
    unsigned crashes = 0;
    for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
        const SimulationReport report = simulate({.seed = seed});
        ASSERT_FALSE(report.violation.has_value())
            << *report.violation << "\nreplay: " << replay_command(seed);
        ++ends[report.status];
        if (report.outcome) ++outcomes[*report.outcome];
        crashes += report.crashes;
    }
    // The thousand must really contain what they are for.
    EXPECT_GT(ends[runbook::RunStatus::finished], 500U);
    EXPECT_GT(ends[runbook::RunStatus::waiting], 10U);
    for (const runbook::Outcome outcome :
         {runbook::Outcome::done, runbook::Outcome::partial, runbook::Outcome::failed,
          runbook::Outcome::aborted, runbook::Outcome::refused})
        EXPECT_GT(outcomes[outcome], 5U) << runbook::to_string(outcome);
    EXPECT_GT(crashes, 500U);
}

TEST(Simulation, tells_the_same_story_for_the_same_seed) {
    std::vector<std::string> first, second;
    (void)simulate({.seed = 42, .story = [&](const std::string& line) { first.push_back(line); }});
    (void)simulate({.seed = 42, .story = [&](const std::string& line) { second.push_back(line); }});
    EXPECT_GT(first.size(), 5U);
    EXPECT_EQ(first, second);
}

TEST(Simulation, survives_a_crash_at_every_journal_record) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        const SimulationReport calm = simulate({.seed = seed, .crash_at = ~std::uint64_t{0}});
        ASSERT_FALSE(calm.violation.has_value()) << *calm.violation << "\n" << replay_command(seed);
        for (std::uint64_t at = 1; at <= calm.appends; ++at) {
            for (const bool before : {true, false}) {
                const auto report =
                    simulate({.seed = seed, .crash_at = at, .crash_before = before});
                ASSERT_FALSE(report.violation.has_value())
                    << *report.violation << "\nreplay: " << replay_command(seed) << " --crash-at "
                    << at << (before ? " --crash-before" : "");
            }
        }
    }
}

/// The seed whose run shows the defect; 0 when none of the first `runs` does.
std::uint64_t caught_by(Mutant mutant, std::uint64_t runs) {
    for (std::uint64_t seed = 1; seed <= runs; ++seed)
        if (simulate({.seed = seed, .mutant = mutant}).violation) return seed;
    return 0;
}

TEST(Mutants, are_each_caught_within_four_thousand_runs) {
    for (const MutantName& mutant : mutants) {
        const std::uint64_t seed = caught_by(mutant.mutant, 4000);
        EXPECT_NE(seed, 0U) << mutant.name << " goes unnoticed";
        if (seed != 0)
            RecordProperty(std::string(mutant.name),
                           "caught after " + std::to_string(seed) + " runs");
    }
}

}  // namespace
}  // namespace lifeboat::engine::sim

#include "engine/sim/pace.h"

#include <gtest/gtest.h>

namespace lifeboat::engine::sim {
namespace {

using std::chrono::minutes;

Duration slowest_of(const Pace& pace) {
    Duration slowest{};
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        Chance chance = Chance::of(seed, 1);
        slowest = std::max(slowest, pace.draw(chance));
    }
    return slowest;
}

TEST(Pace, of_a_watch_is_the_while_that_it_watches) {
    runbook::Node node;
    node.verb = "monitor";
    node.estimate = minutes(5);
    EXPECT_EQ(slowest_of(Pace::of_step(node, {}, "")), Duration(minutes(5)))
        << "it would be stopped for taking too long";
    node.estimate = {};
    const Pace unsaid = Pace::of_step(node, {}, "");
    EXPECT_EQ(unsaid.basis(), readiness::Basis::assumed);
    EXPECT_LT(slowest_of(unsaid), Duration(minutes(10)));
    node.verb = "verify";
    node.estimate = minutes(5);
    EXPECT_GT(slowest_of(Pace::of_step(node, {}, "")), Duration(minutes(10))) << "this may drag on";
}

}  // namespace
}  // namespace lifeboat::engine::sim

#include "core/readiness/history.h"

#include <gtest/gtest.h>

namespace lifeboat::readiness {
namespace {

using namespace std::chrono_literals;

TEST(spread_of, takes_the_nearest_rank_of_many_samples) {
    std::vector<Duration> samples;
    for (int i = 100; i >= 1; --i) samples.emplace_back(std::chrono::seconds(i));
    const Spread spread = spread_of(samples);
    EXPECT_EQ(spread.p5, Duration(5s));
    EXPECT_EQ(spread.p50, Duration(50s));
    EXPECT_EQ(spread.p95, Duration(95s));
    EXPECT_EQ(spread.basis, Basis::measured);
    EXPECT_EQ(spread.samples, 100U);
}

TEST(spread_of, is_wider_the_fewer_samples_there_are) {
    const Spread one = spread_of({10s});
    EXPECT_EQ(one.p5, Duration(5s));
    EXPECT_EQ(one.p50, Duration(10s));
    EXPECT_EQ(one.p95, Duration(15s));
    const Spread two = spread_of({10s, 10s});
    EXPECT_GT(two.p5, one.p5);
    EXPECT_LT(two.p95, one.p95);
    const Spread enough = spread_of({10s, 10s, 10s, 10s, 10s});
    EXPECT_EQ(enough.p5, Duration(10s));
    EXPECT_EQ(enough.p95, Duration(10s));
    static_assert(enough_samples == 5);
}

TEST(history, keeps_what_a_step_does_apart_by_verb_component_and_site) {
    History history;
    EXPECT_TRUE(history.empty());
    history.add({"restore", "db", ""}, 1s);
    history.add({"restore", "db", "dr"}, 2s);
    history.add({"restore", "db", ""}, 3s);
    ASSERT_NE(history.find({"restore", "db", ""}), nullptr);
    EXPECT_EQ(history.find({"restore", "db", ""})->size(), 2U);
    EXPECT_EQ(history.find({"restore", "db", "dr"})->size(), 1U);
    EXPECT_EQ(history.find({"restore", "cache", ""}), nullptr);
    EXPECT_EQ(history.find({"promote", "db", ""}), nullptr);
}

TEST(history, knows_how_long_people_and_detection_took) {
    History history;
    history.add_approval(4min);
    history.add_detection(10s);
    EXPECT_EQ(history.approvals().size(), 1U);
    EXPECT_EQ(history.detections().size(), 1U);
    EXPECT_TRUE(history.empty()) << "no step was measured";
}

}  // namespace
}  // namespace lifeboat::readiness

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

TEST(measured_or, believes_the_plan_until_enough_was_measured) {
    const Spread own{.p5 = 30min, .p50 = 30min, .p95 = 30min};
    std::vector<Duration> samples;
    EXPECT_EQ(measured_or(nullptr, own), own);
    EXPECT_EQ(measured_or(&samples, own), own);
    samples.assign(1, 6s);
    const Spread once = measured_or(&samples, own);
    EXPECT_EQ(once.p95, Duration(30min)) << "one run that was seen at once proves nothing";
    EXPECT_EQ(once.p5, Duration(3s)) << "but it may happen";
    EXPECT_EQ(once.basis, Basis::assumed);
    EXPECT_EQ(once.samples, 1U);
    samples.assign(1, 2h);
    EXPECT_EQ(measured_or(&samples, own).p95, Duration(3h)) << "what was worse counts at once";
    samples.assign(enough_samples, 6s);
    EXPECT_EQ(measured_or(&samples, own).p95, Duration(6s));
    EXPECT_EQ(measured_or(&samples, own).basis, Basis::measured);
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
    history.add_approval({"security", "ic"}, 4min);
    history.add_detection("fire", 10s);
    ASSERT_NE(history.approvals({"ic", "security"}), nullptr) << "in whatever order";
    EXPECT_EQ(history.approvals({"ic", "security"})->size(), 1U);
    EXPECT_EQ(history.approvals({"ic"}), nullptr) << "who has to ask one person waits less";
    ASSERT_NE(history.detections("fire"), nullptr);
    EXPECT_EQ(history.detections("fire")->size(), 1U);
    EXPECT_EQ(history.detections("flood"), nullptr);
    EXPECT_TRUE(history.empty()) << "no step was measured";
}

}  // namespace
}  // namespace lifeboat::readiness

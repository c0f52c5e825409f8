#include "providers/contract/health.h"

#include <gtest/gtest.h>

namespace lifeboat::providers {
namespace {

using watch::Health;

TEST(HealthOf, a_wrong_answer_or_none_is_unhealthy_and_a_question_that_could_not_be_put_unknown) {
    EXPECT_EQ(health_of(probe::CheckResult{.passed = true}), Health::healthy);
    EXPECT_EQ(health_of(probe::CheckResult{.timed_out = true}), Health::unhealthy);
    EXPECT_EQ(health_of(probe::CheckResult{.detail = "0, expected > 0"}), Health::unhealthy);
    EXPECT_EQ(health_of(probe::CheckResult{.blind = true}), Health::unknown);
}

TEST(HealthOf, being_turned_away_at_the_door_is_no_disaster) {
    EXPECT_EQ(health_of(unavailable("connection refused")), Health::unhealthy);
    EXPECT_EQ(health_of(timeout("no answer")), Health::unhealthy);
    EXPECT_EQ(health_of(denied("WRONGPASS")), Health::unknown);
}

}  // namespace
}  // namespace lifeboat::providers

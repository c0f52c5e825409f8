#include "core/schedule/every.h"

#include <gtest/gtest.h>

namespace lifeboat::schedule {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Instant noon = *parse_instant("2026-11-23T12:00:00Z");

TEST(Every, is_due_at_once_when_it_never_ran) {
    const Due due = next_due(std::nullopt, hours(6), noon);
    EXPECT_EQ(due.at, noon);
    EXPECT_EQ(due.missed, 0U);
}

TEST(Every, is_due_one_interval_after_the_last_run) {
    EXPECT_EQ(next_due(noon - hours(2), hours(6), noon).at, noon + hours(4));
}

TEST(Every, is_due_now_when_exactly_one_interval_passed) {
    const Due due = next_due(noon - hours(6), hours(6), noon);
    EXPECT_EQ(due.at, noon);
    EXPECT_EQ(due.missed, 0U);
}

TEST(Every, counts_the_intervals_that_passed_without_a_run) {
    const Due due = next_due(noon - hours(20), hours(6), noon);
    EXPECT_EQ(due.missed, 2U) << "due at -14h and -8h, and once more at -2h";
    EXPECT_EQ(due.at, noon - hours(2));
    EXPECT_LE(due.at, noon);
}

TEST(Every, keeps_its_anchor_when_a_run_begins_late) {
    // Due at noon, began 10 minutes late: the next is due six hours after it began, not later.
    const Instant began = noon + minutes(10);
    EXPECT_EQ(next_due(began, hours(6), began + minutes(1)).at, noon + hours(6) + minutes(10));
}

TEST(Every, waits_one_interval_when_the_clock_jumped_back) {
    const Due due = next_due(noon + hours(10), hours(1), noon);
    EXPECT_EQ(due.at, noon + hours(1));
    EXPECT_EQ(due.missed, 0U);
}

TEST(Every, is_due_only_once_after_a_clock_jumped_far_ahead) {
    const Due due = next_due(noon, seconds(30), noon + hours(24 * 365 * 50));
    EXPECT_LE(due.at, noon + hours(24 * 365 * 50));
    EXPECT_EQ(due.missed, 1'000'000U) << "bounded";
    EXPECT_GT(next_due(due.at, seconds(30), due.at + seconds(1)).at, due.at);
}

TEST(Every, does_not_spin_on_an_interval_of_nothing) {
    EXPECT_GT(next_due(noon, Duration(0), noon).at, noon);
    EXPECT_GT(retry_after(1, Duration(0)), Duration(0));
}

TEST(Every, retries_sooner_than_it_repeats_and_backs_off) {
    EXPECT_EQ(retry_after(1, hours(6)), seconds(5));
    EXPECT_EQ(retry_after(2, hours(6)), seconds(10));
    EXPECT_EQ(retry_after(4, hours(6)), seconds(40));
    EXPECT_EQ(retry_after(1000, hours(6)), hours(6));
    EXPECT_EQ(retry_after(1, seconds(2)), seconds(2));
}

}  // namespace
}  // namespace lifeboat::schedule

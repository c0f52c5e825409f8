#include "providers/postgres/canary.h"

#include <gtest/gtest.h>

namespace lifeboat::postgres {
namespace {

const Canary one{1, "2026-11-23T11:00:01.000000Z", 100};
const Canary two{2, "2026-11-23T11:00:02.000000Z", 200};
const Canary three{3, "2026-11-23T11:00:03.000000Z", 300};

TEST(Canary, the_rows_that_were_committed_before_the_end_are_there_and_no_others) {
    EXPECT_TRUE(canary_differences({one, two, three}, {one, two}, 250, {}).empty());
    EXPECT_TRUE(canary_differences({one, two, three}, {one}, 250, {}).empty())
        << "when the second was committed is not known: between 200 and 300";
    EXPECT_FALSE(canary_differences({one, two, three}, {two}, 250, {}).empty());
    EXPECT_FALSE(canary_differences({one, two, three}, {one}, 300, {}).empty());
    EXPECT_FALSE(canary_differences({one, two, three}, {one, two, three}, 250, {}).empty());
}

TEST(Canary, of_the_last_one_it_is_known_when_it_was_written_for_this) {
    const WrittenCanary written{.row = three, .durable = 350, .at = {}};
    EXPECT_TRUE(canary_differences({one, two, three}, {one, two}, 340, written).empty());
    EXPECT_FALSE(canary_differences({one, two, three}, {one, two}, 350, written).empty());
}

TEST(Canary, a_row_says_the_same_on_both_sides) {
    Canary other = two;
    other.at = "2026-11-23T12:00:02.000000Z";
    const auto told = canary_differences({one, two, three}, {one, other, three}, 400, {});
    ASSERT_EQ(told.size(), 1U);
    EXPECT_TRUE(told[0].contains("canary 2 says"));
}

TEST(Canary, what_the_source_has_removed_since_is_no_difference) {
    EXPECT_TRUE(canary_differences({two, three}, {one, two, three}, 400, {}).empty());
    EXPECT_TRUE(canary_differences({}, {one}, 400, {}).empty());
    EXPECT_FALSE(canary_differences({one, three}, {one, two, three}, 400, {}).empty());
}

}  // namespace
}  // namespace lifeboat::postgres

#include "providers/postgres/history.h"

#include <gtest/gtest.h>

namespace lifeboat::postgres {
namespace {

TEST(History, of_the_third_timeline_names_both_ancestors) {
    const auto history =
        parse_history(3,
                      "1\t0/5000148\tno recovery target specified\n\n2\t0/7000060\tbefore "
                      "2026-11-23 11:06:43+00\n");
    ASSERT_TRUE(history.has_value());
    EXPECT_EQ(history->ancestors, (std::vector<Ancestor>{{1, 0x5000148}, {2, 0x7000060}}));
    EXPECT_EQ(history->begin(), 0x7000060U);
    EXPECT_EQ(history->path(), (std::vector<Timeline>{1, 2, 3}));
    EXPECT_EQ(history->end_of(1), 0x5000148U);
    EXPECT_EQ(history->end_of(3), ~Lsn{0});
    EXPECT_EQ(history->end_of(4), std::nullopt);
}

TEST(History, of_a_branch_leaves_out_what_is_no_ancestor) {
    const auto history = parse_history(3, "1\t0/5000148\treason\n");
    ASSERT_TRUE(history.has_value());
    EXPECT_EQ(history->end_of(2), std::nullopt);
}

TEST(History, damaged_text_is_refused) {
    for (const char* text :
         {"", "1\n", "x\t0/5000148\ty\n", "1\tnowhere\ty\n", "3\t0/5000148\ty\n",
          "2\t0/7000060\tx\n1\t0/5000148\ty\n", "1\t0/7000060\tx\n2\t0/5000148\ty\n"}) {
        const auto history = parse_history(3, text);
        ASSERT_FALSE(history.has_value()) << text;
        EXPECT_EQ(history.error().kind, ErrorKind::corrupt);
    }
}

}  // namespace
}  // namespace lifeboat::postgres

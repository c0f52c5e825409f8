#include "surface/cli/what_if.h"

#include <gtest/gtest.h>

namespace lifeboat::cli {
namespace {

constexpr std::string_view plan = R"(
lifeboat: 1
components:
  cache:
    protect:   # daily
      - {method: snapshot, every: 24h, keep: 7d}
      - {method: replica}
    objectives: {rto: 15m}
    verify: [{sql: "SELECT 1", expect: "> 0"}]
)";

std::string changed(const std::string& change) {
    auto text = with_changes(plan, {change});
    return text.has_value() ? *text : text.error().message;
}

TEST(WhatIf, changes_the_items_of_a_list_that_have_the_key) {
    EXPECT_NE(changed("components.cache.protect.every=50m")
                  .find(R"([{"method": snapshot, "every": 50m, "keep": 7d}, {"method": replica}])"),
              std::string::npos)
        << changed("components.cache.protect.every=50m");
}

TEST(WhatIf, finds_an_item_by_its_method_or_its_place) {
    EXPECT_NE(changed("components.cache.protect.replica.every=5s")
                  .find(R"({"method": replica, "every": 5s})"),
              std::string::npos);
    EXPECT_NE(
        changed("components.cache.protect.1.every=5s").find(R"({"method": replica, "every": 5s})"),
        std::string::npos);
}

TEST(WhatIf, takes_whole_values_and_adds_and_removes_keys) {
    EXPECT_NE(changed("components.cache.protect=[{method: continuous}]")
                  .find(R"("protect": [{"method": continuous}])"),
              std::string::npos);
    EXPECT_NE(changed("components.cache.objectives.rpo=1h").find(R"({"rto": 15m, "rpo": 1h})"),
              std::string::npos);
    EXPECT_NE(changed("components.cache.objectives.rto=null").find(R"("objectives": {})"),
              std::string::npos);
}

TEST(WhatIf, keeps_texts_that_look_like_something_else) {
    EXPECT_NE(changed("lifeboat=1").find(R"({"sql": "SELECT 1", "expect": "> 0"})"),
              std::string::npos);
}

TEST(WhatIf, names_what_it_cannot_change) {
    EXPECT_EQ(changed("components.cash.site=dr"),
              "'components.cash.site=dr': the plan has no 'cash' there");
    EXPECT_EQ(changed("components.cache.protect.site=dr"),
              "'components.cache.protect.site=dr': nothing in the list has 'site'");
    EXPECT_EQ(changed("components.cache.protect.7.every=1h"),
              "'components.cache.protect.7.every=1h': the list has 2 items, counted from 0");
    EXPECT_EQ(changed("lifeboat.x=1"), "'lifeboat.x=1': 'lifeboat' has nothing inside");
    EXPECT_EQ(changed("nonsense"), "'nonsense' changes nothing");
    EXPECT_EQ(changed("a..b=1"), "the path of 'a..b=1' has an empty part");
}

}  // namespace
}  // namespace lifeboat::cli

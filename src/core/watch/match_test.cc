#include "core/watch/match.h"

#include <gtest/gtest.h>

namespace lifeboat::watch {
namespace {

using plan::Signal;

plan::Component component(const std::string& name, const std::string& site = "primary") {
    plan::Component c;
    c.name = name;
    c.kind = "process";
    c.site = site;
    c.health.push_back(plan::Check{.type = "tcp", .settings = Json{{"value", 1}}});
    return c;
}

plan::Step step(const std::string& verb, std::vector<std::string> targets) {
    plan::Step s;
    s.verb = verb;
    s.targets = std::move(targets);
    return s;
}

plan::Scenario scenario(const std::string& name, std::vector<Signal> signals,
                        std::vector<plan::Step> steps, bool all = false) {
    plan::Scenario s;
    s.name = name;
    s.detect = plan::Detection{.all = all, .signals = std::move(signals)};
    s.steps = std::move(steps);
    return s;
}

Signal unhealthy(const std::string& name) {
    return {.type = Signal::Type::unhealthy, .name = name};
}
Signal site_lost(const std::string& name) {
    return {.type = Signal::Type::site_lost, .name = name};
}
Signal alert(const std::string& name) { return {.type = Signal::Type::alert, .name = name}; }

/// A shop with a database and a cache at `primary`, and the scenarios of the demo.
plan::Plan shop() {
    plan::Plan plan;
    plan.components = {component("database"), component("cache"), component("shop")};
    plan.scenarios = {
        scenario("site-lost", {site_lost("primary")},
                 {step("restore", {"database", "cache"}), step("start", {"shop"})}),
        scenario("database-lost", {alert("DatabaseDown"), unhealthy("database")},
                 {step("restore", {"database"}), step("repoint", {"shop"}),
                  step("verify", {"database"})}),
        scenario("cache-lost", {unhealthy("cache")}, {step("restore", {"cache"})}),
    };
    return plan;
}

Sight sight(std::map<std::string, Health> health) {
    Sight sight;
    for (const auto& [name, h] : health)
        sight.components[name] = Seen{.health = h, .why = "no answer"};
    return sight;
}

TEST(Match, finds_nothing_when_all_is_healthy) {
    for (const Match& match : match(shop(),
                                    sight({{"database", Health::healthy},
                                           {"cache", Health::healthy},
                                           {"shop", Health::healthy}}),
                                    {}))
        EXPECT_FALSE(match.applies) << match.scenario;
}

TEST(Match, names_the_scenario_of_the_component_that_failed) {
    const auto matches = match(shop(),
                               sight({{"database", Health::unhealthy},
                                      {"cache", Health::healthy},
                                      {"shop", Health::unhealthy}}),
                               {});
    ASSERT_EQ(matches.size(), 3U);
    EXPECT_EQ(matches[0].scenario, "database-lost");
    EXPECT_TRUE(matches[0].applies);
    EXPECT_EQ(matches[0].explained, 2U) << "the shop is repointed";
    ASSERT_EQ(matches[0].because.size(), 1U) << "the alert did not ring";
    EXPECT_EQ(matches[0].because[0], "database is unhealthy: no answer");
    EXPECT_FALSE(matches[1].applies);
}

TEST(Match, prefers_the_scenario_that_explains_more) {
    const auto matches = match(shop(),
                               sight({{"database", Health::unhealthy},
                                      {"cache", Health::unhealthy},
                                      {"shop", Health::unhealthy}}),
                               {});
    EXPECT_EQ(matches[0].scenario, "site-lost");
    EXPECT_EQ(matches[0].explained, 3U);
    EXPECT_TRUE(matches[1].applies);
    EXPECT_TRUE(matches[2].applies);
}

TEST(Match, prefers_the_narrower_of_two_that_explain_the_same) {
    plan::Plan plan = shop();
    plan.scenarios.insert(plan.scenarios.begin(), scenario("everything", {unhealthy("cache")},
                                                           {step("restore", {"cache"}),
                                                            step("verify", {"database", "shop"})}));
    const auto matches = match(plan, sight({{"cache", Health::unhealthy}}), {});
    EXPECT_EQ(matches[0].scenario, "cache-lost");
    EXPECT_EQ(matches[1].scenario, "everything");
}

TEST(Match, keeps_the_order_of_the_plan_between_equals) {
    plan::Plan plan = shop();
    plan.scenarios.push_back(
        scenario("cache-lost-too", {unhealthy("cache")}, {step("restore", {"cache"})}));
    const auto matches = match(plan, sight({{"cache", Health::unhealthy}}), {});
    EXPECT_EQ(matches[0].scenario, "cache-lost");
    EXPECT_EQ(matches[1].scenario, "cache-lost-too");
}

TEST(Match, needs_every_signal_when_the_plan_says_all) {
    plan::Plan plan = shop();
    plan.scenarios = {scenario("both", {unhealthy("cache"), unhealthy("database")},
                               {step("restore", {"cache", "database"})}, true)};
    EXPECT_FALSE(match(plan, sight({{"cache", Health::unhealthy}}), {})[0].applies);
    EXPECT_TRUE(
        match(plan, sight({{"cache", Health::unhealthy}, {"database", Health::unhealthy}}), {})[0]
            .applies);
    plan.scenarios[0].detect->signals.push_back(alert("Down"));
    EXPECT_FALSE(
        match(plan, sight({{"cache", Health::unhealthy}, {"database", Health::unhealthy}}), {})[0]
            .applies)
        << "nobody has told of an alert";
}

TEST(Match, does_not_apply_without_detection) {
    plan::Plan plan = shop();
    plan.scenarios[2].detect.reset();
    for (const Match& m : match(plan, sight({{"cache", Health::unhealthy}}), {}))
        EXPECT_FALSE(m.applies);
}

TEST(SiteLost, holds_when_nothing_there_answers) {
    const plan::Plan plan = shop();
    const auto all = sight({{"database", Health::unhealthy},
                            {"cache", Health::unhealthy},
                            {"shop", Health::unhealthy}});
    EXPECT_TRUE(is_site_lost(plan, all, "primary", {}));
    EXPECT_FALSE(is_site_lost(plan, all, "dr", {})) << "nothing runs there";
    const auto one_left = sight({{"database", Health::unhealthy},
                                 {"cache", Health::degraded},
                                 {"shop", Health::unhealthy}});
    EXPECT_FALSE(is_site_lost(plan, one_left, "primary", {}));
}

TEST(SiteLost, follows_where_components_run_now) {
    const plan::Plan plan = shop();
    const auto seen = sight(
        {{"database", Health::unhealthy}, {"cache", Health::healthy}, {"shop", Health::healthy}});
    EXPECT_TRUE(is_site_lost(plan, seen, "dr", {{"database", "dr"}}));
    EXPECT_FALSE(is_site_lost(plan, seen, "primary", {{"database", "dr"}}));
}

TEST(SiteLost, is_not_concluded_from_what_could_not_be_seen) {
    const plan::Plan plan = shop();
    EXPECT_FALSE(is_site_lost(plan, sight({}), "primary", {}));
    EXPECT_FALSE(is_site_lost(plan, sight({{"database", Health::unhealthy}}), "primary", {}));
    EXPECT_TRUE(is_site_lost(plan,
                             sight({{"database", Health::unhealthy}, {"shop", Health::unhealthy}}),
                             "primary", {}));
}

TEST(SiteLost, ignores_components_without_a_health_check) {
    plan::Plan plan = shop();
    plan.components[1].health.clear();
    EXPECT_TRUE(is_site_lost(plan,
                             sight({{"database", Health::unhealthy},
                                    {"cache", Health::healthy},
                                    {"shop", Health::unhealthy}}),
                             "primary", {}));
}

}  // namespace
}  // namespace lifeboat::watch

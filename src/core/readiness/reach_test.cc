#include "core/readiness/reach.h"

#include <gtest/gtest.h>

namespace lifeboat::readiness {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

plan::Component component(const std::string& name, const std::string& kind,
                          std::vector<std::string> needs = {}) {
    plan::Component made;
    made.name = name;
    made.kind = kind;
    made.site = "primary";
    made.needs = std::move(needs);
    return made;
}

plan::Protection protection(const std::string& method, std::optional<Duration> every = {},
                            std::optional<std::string> copy_to = {}) {
    plan::Protection made;
    made.method = method;
    made.every = every;
    made.copy_to = std::move(copy_to);
    return made;
}

/// A database, a shop on the cluster that needs it, a page that needs the shop.
plan::Plan shop() {
    plan::Plan plan;
    plan.components = {component("database", "aws.rds"), component("cluster", "aws.eks"),
                       component("shop", "kubernetes.deployment", {"database"}),
                       component("page", "http", {"shop"})};
    plan.components[0].protect = {protection("snapshot", hours(6), "dr"), protection("continuous"),
                                  protection("replica")};
    return plan;
}

TEST(Damage, takes_what_stands_at_a_lost_site_and_touches_what_needs_it) {
    plan::Scenario scenario;
    scenario.lost_sites = {"primary"};
    const Damage damage = damage_of(shop(), plan::Catalog(), scenario);
    EXPECT_EQ(damage.lost, (std::set<std::string>{"database", "cluster", "shop"}));
    EXPECT_EQ(damage.touched, std::set<std::string>{"page"}) << "it is only a look from outside";
}

TEST(Damage, takes_what_stands_on_a_lost_cluster) {
    plan::Scenario scenario;
    scenario.lost = {"cluster"};
    const Damage damage = damage_of(shop(), plan::Catalog(), scenario);
    EXPECT_EQ(damage.lost, (std::set<std::string>{"cluster", "shop"}));
    EXPECT_EQ(damage.touched, std::set<std::string>{"page"});
}

TEST(Damage, of_one_component_touches_the_whole_chain_above_it) {
    const Damage damage = damage_of_loss(shop(), plan::Catalog(), "database");
    EXPECT_EQ(damage.lost, std::set<std::string>{"database"});
    EXPECT_EQ(damage.touched, (std::set<std::string>{"shop", "page"}));
}

TEST(Sources, of_a_lost_site_are_what_was_copied_away) {
    const plan::Plan plan = shop();
    plan::Scenario scenario;
    scenario.lost_sites = {"primary"};
    const plan::Catalog catalog;
    const auto sources =
        sources_of(plan, catalog, damage_of(plan, catalog, scenario), plan.components[0]);
    ASSERT_EQ(sources.size(), 3U);
    EXPECT_TRUE(sources[0].left);
    EXPECT_EQ(sources[0].place, "dr");
    EXPECT_EQ(sources[0].interval, hours(6));
    EXPECT_EQ(sources[0].make, minutes(10)) << "what its kind says of a backup";
    EXPECT_GT(sources[0].copy, Duration::zero());
    EXPECT_FALSE(sources[1].left);
    EXPECT_EQ(sources[1].why, "its points are lost with primary");
}

TEST(Sources, do_not_trust_replication_with_wrong_data) {
    const plan::Plan plan = shop();
    plan::Scenario scenario;
    scenario.corrupted = {"database"};
    const plan::Catalog catalog;
    const auto sources =
        sources_of(plan, catalog, damage_of(plan, catalog, scenario), plan.components[0]);
    EXPECT_TRUE(sources[0].left);
    EXPECT_EQ(sources[0].copy, Duration::zero()) << "it need not be read from elsewhere";
    EXPECT_TRUE(sources[1].left);
    EXPECT_FALSE(sources[2].left);
}

TEST(Sources, are_wanted_where_the_component_is_brought_back) {
    const plan::Plan plan = shop();
    const plan::Catalog catalog;
    plan::Scenario scenario;
    scenario.lost = {"database"};
    const Damage damage = damage_of(plan, catalog, scenario);
    const auto there = sources_of(plan, catalog, damage, plan.components[0], "dr");
    EXPECT_TRUE(there[0].left);
    EXPECT_EQ(there[0].place, "dr");
    EXPECT_GT(there[0].copy, Duration::zero()) << "its points come there only when they are copied";
    EXPECT_FALSE(there[1].left);
    EXPECT_TRUE(there[1].elsewhere);
    EXPECT_EQ(there[1].why, "its points lie at primary, and nothing copies them to dr");
    const auto third = sources_of(plan, catalog, damage, plan.components[0], "third");
    EXPECT_TRUE(third[0].elsewhere) << "a copy in dr is of no use in a third site";
    const auto home = sources_of(plan, catalog, damage, plan.components[0], "primary");
    EXPECT_TRUE(home[0].left && home[1].left && home[2].left);
    EXPECT_EQ(home[0].copy, Duration::zero());
}

TEST(Sources, in_the_own_vault_are_at_every_site) {
    plan::Plan plan = shop();
    plan.vault = plan::VaultSettings{};
    plan.components[0].kind = "postgres";
    plan.components[0].protect = {protection("continuous")};
    plan::Catalog catalog;
    catalog.add({.name = "postgres", .stateful = true, .platform = "local"});
    plan::Scenario scenario;
    scenario.lost = {"database"};
    const auto sources =
        sources_of(plan, catalog, damage_of(plan, catalog, scenario), plan.components[0], "dr");
    EXPECT_TRUE(sources[0].left);
    EXPECT_EQ(sources[0].place, "vault");
}

}  // namespace
}  // namespace lifeboat::readiness

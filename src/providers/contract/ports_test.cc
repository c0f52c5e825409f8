#include <fmt/core.h>
#include <gtest/gtest.h>

#include "platform/env/sim_clock.h"
#include "platform/env/sim_files.h"
#include "platform/env/sim_random.h"
#include "providers/contract/local_site.h"

namespace lifeboat::providers {
namespace {

/// Knows which ports somebody listens on; can nothing else. Not thread-safe.
class KnownPorts final : public Network {
public:
    std::set<std::uint16_t> taken;

    Result<void> probe_tcp(const Context&, const Endpoint&) override {
        return unsupported("probe");
    }
    Result<bool> is_free(const Endpoint& endpoint) override {
        return !taken.contains(endpoint.port);
    }
};

class Ports : public testing::Test {
protected:
    Ports() {
        site_.name = "dr";
        site_.directory = "/srv/dr";
        site_.port_first = 100;
        site_.port_last = 104;
    }
    Result<std::uint16_t> reserve(const std::string& token) {
        return reserve_port(environment_, site_, token);
    }

    SimClock clock_;
    SimFiles files_{clock_};
    SeededRandom random_{1};
    KnownPorts network_;
    Environment environment_{.clock = clock_,
                             .files = files_,
                             .processes = real_environment().processes,  // never asked
                             .network = network_,
                             .random = random_};
    LocalSite site_;
};

TEST_F(Ports, each_token_gets_a_port_of_its_own_and_always_the_same) {
    EXPECT_EQ(reserve("a"), 100);
    EXPECT_EQ(reserve("b"), 101);
    network_.taken.insert(100);  // by a's own server
    EXPECT_EQ(reserve("a"), 100);
    EXPECT_EQ(*reserved_port(environment_, site_, "b"), 101);
    EXPECT_EQ(*reserved_port(environment_, site_, "c"), std::nullopt);
}

TEST_F(Ports, a_reserved_port_that_a_stranger_took_is_given_up_for_another) {
    EXPECT_EQ(reserve("a"), 100);
    EXPECT_EQ(reserve_free_port(environment_, site_, "a"), 100);
    network_.taken.insert(100);
    EXPECT_EQ(reserve_free_port(environment_, site_, "a"), 101);
    EXPECT_EQ(*reserved_port(environment_, site_, "a"), 101);
    network_.taken.clear();
    EXPECT_EQ(reserve("b"), 100);
    EXPECT_EQ(reserve_free_port(environment_, site_, "c"), 102);
}

TEST_F(Ports, ports_that_are_listened_on_or_planned_are_passed_over) {
    network_.taken.insert(100);
    site_.planned = {101, 103};
    EXPECT_EQ(reserve("a"), 102);
    EXPECT_EQ(reserve("b"), 104);
}

TEST_F(Ports, when_none_is_left_the_error_says_who_holds_which) {
    for (const char* token : {"a", "b", "c", "d", "e"}) EXPECT_TRUE(reserve(token).has_value());
    const auto none = reserve("f");
    ASSERT_FALSE(none.has_value());
    EXPECT_EQ(none.error().kind, ErrorKind::exhausted);
    EXPECT_TRUE(none.error().message.contains("102 by c")) << none.error().message;
    EXPECT_TRUE(release_port(environment_, site_, "c").has_value());
    EXPECT_TRUE(release_port(environment_, site_, "c").has_value());
    EXPECT_EQ(reserve("f"), 102);
}

TEST_F(Ports, a_crash_at_any_write_leaves_one_reservation_or_none) {
    for (std::uint64_t at = 1;; ++at) {
        SimFiles files(clock_, at);
        Environment world{.clock = clock_,
                          .files = files,
                          .processes = real_environment().processes,
                          .network = network_,
                          .random = random_};
        files.crash_at(at);
        const auto first = reserve_port(world, site_, "a");
        if (!files.crashed()) break;
        EXPECT_FALSE(first.has_value());
        files.reboot();
        const auto port = reserve_port(world, site_, "a");
        ASSERT_TRUE(port.has_value()) << port.error().message;
        EXPECT_NE(*reserve_port(world, site_, "b"), *port);
        files.crash();
        files.reboot();  // what was promised is durable
        EXPECT_EQ(*reserved_port(world, site_, "a"), *port);
        ASSERT_LT(at, 100U);
    }
}

TEST(LocalSite, is_read_from_the_plan_and_its_mistakes_are_named) {
    plan::Plan plan;
    plan::Site site;
    site.name = "primary";
    site.platforms = Json{{"local", {{"directory", "here"}, {"ports", "15500-15599"}}}};
    plan.sites.push_back(site);
    plan::Component component;
    component.settings = Json{{"port", 15501}};
    component.at_site["dr"] = Json{{"ports", {15502, 15503}}};
    plan.components.push_back(component);
    const auto found = local_site(plan, "primary", "/plans");
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->directory, "/plans/here");
    EXPECT_EQ(found->port_first, 15500);
    EXPECT_EQ(found->port_last, 15599);
    EXPECT_EQ(found->planned, (std::set<std::uint16_t>{15501, 15502, 15503}));

    EXPECT_EQ(local_site(plan, "moon", "/plans").error().kind, ErrorKind::invalid);
    for (const Json& wrong :
         {Json("9-5"), Json("many"), Json("1-2-3"), Json(""), Json("0-70000")}) {
        plan.sites[0].platforms["local"]["ports"] = wrong;
        const auto refused = local_site(plan, "primary", "/plans");
        ASSERT_FALSE(refused.has_value()) << dump(wrong);
        EXPECT_TRUE(refused.error().message.contains("primary"));
        EXPECT_FALSE(refused.error().hint.empty());
    }
}

}  // namespace
}  // namespace lifeboat::providers

#include "engine/instances.h"

#include "engine/testing.h"

namespace lifeboat::engine {
namespace {

using namespace testing;

Instance made(Instances& instances, const std::string& endpoint) {
    Instance instance = *instances.current("db");
    instance.endpoint = endpoint;
    instance.made_by = "lb-restore-" + endpoint.substr(endpoint.rfind(':') + 1);
    return instance;
}

TEST(instances, the_first_one_is_that_of_the_plan) {
    World world(two_components);
    Instances instances(world.workspace());
    const auto first = instances.current("db");
    ASSERT_TRUE(first.has_value());
    EXPECT_EQ(first->endpoint, "127.0.0.1:15900");
    EXPECT_EQ(first->made_by, "");
    EXPECT_EQ(instances.current("nothing").error().kind, ErrorKind::not_found);
}

TEST(instances, after_a_switch_everybody_sees_the_new_one) {
    World world(two_components);
    Instances instances(world.workspace());
    ASSERT_TRUE(instances.switch_to(made(instances, "new:1"), "run-1").has_value());
    ASSERT_TRUE(instances.switch_to(made(instances, "new:1"), "run-1").has_value());
    Instances others(world.workspace());
    EXPECT_EQ(others.current("db")->endpoint, "new:1");
    const auto around = others.around(*world.workspace().plan.component("web"));
    ASSERT_TRUE(around.has_value());
    EXPECT_EQ(around->at("db").endpoint, "new:1");
    EXPECT_EQ(around->at("web").endpoint, "127.0.0.1:15901");
}

TEST(instances, come_back_from_the_vault_when_the_state_directory_is_empty) {
    World world(two_components);
    world.open_vault();
    {
        Instances instances(world.workspace());
        ASSERT_TRUE(instances.switch_to(made(instances, "new:1"), "run-1").has_value());
        ASSERT_TRUE(instances.switch_to(made(instances, "new:2"), "run-2").has_value());
        ASSERT_TRUE(instances.pin("db", {{"system_identifier", "7001"}}).has_value());
    }
    world.lose_state();
    Instances instances(world.workspace());
    EXPECT_EQ(instances.current("db")->endpoint, "new:2");
    EXPECT_EQ(instances.current("db")->identity["system_identifier"], "7001");
    EXPECT_EQ(instances.current("web")->endpoint, "127.0.0.1:15901");
    EXPECT_NE(world.state().get("instance/db")->version, 0U) << "it is on record again";
}

TEST(instances, a_switch_in_a_new_state_directory_is_newer_than_what_the_vault_remembers) {
    World world(two_components);
    world.open_vault();
    {
        Instances instances(world.workspace());
        for (const char* name : {"new:1", "new:2", "new:3"})
            ASSERT_TRUE(instances.switch_to(made(instances, name), "run").has_value());
    }
    world.lose_state();
    {
        Instances instances(world.workspace());
        Instance next;  // without having asked for the current one before
        next.component = "db";
        next.endpoint = "new:4";
        next.made_by = "lb-4";
        ASSERT_TRUE(instances.switch_to(next, "run").has_value());
    }
    world.lose_state();
    EXPECT_EQ(Instances(world.workspace()).current("db")->endpoint, "new:4");
}

TEST(instances, another_cluster_at_the_same_address_is_refused) {
    World world(two_components);
    Instances instances(world.workspace());
    ASSERT_TRUE(instances.pin("db", {{"system_identifier", "7001"}}).has_value());
    ASSERT_TRUE(instances.pin("db", {{"system_identifier", "7001"}, {"pid", 12}}).has_value());
    const auto refused = instances.pin("db", {{"system_identifier", "9999"}});
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
    EXPECT_NE(refused.error().message.find("9999"), std::string::npos);
    EXPECT_EQ(instances.current("db")->identity["system_identifier"], "7001");
}

}  // namespace
}  // namespace lifeboat::engine

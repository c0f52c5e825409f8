#include "engine/protection.h"

#include "engine/testing.h"
#include "platform/state/lease_rules.h"

namespace lifeboat::engine {
namespace {

using namespace testing;

constexpr const char* streamed = R"(
components:
  db: {kind: fake, port: 15900, protect: [{method: continuous}]}
)";

TEST(protection, follows_a_component_to_its_new_instance) {
    World world(streamed);
    Instances instances(world.workspace());
    std::stop_source stop;
    TaskScope scope(world.context().with_stop(stop.get_token()));
    ProtectOptions options;
    options.on_news = [&](const ProtectionNews& news) { world.story.tell(news.message); };
    scope.spawn([&](const Context& task) {
        (void)protect(task, world.workspace(), instances, options);
        return ok();
    });
    ASSERT_TRUE(world.story.await("streaming 127.0.0.1:15900"));
    ASSERT_TRUE(world.story.await("streaming from 127.0.0.1:15900"));
    Instance next = *instances.current("db");
    EXPECT_EQ(next.identity["system_identifier"], "7001") << "pinned at first adoption";
    next.endpoint = "new:1";
    next.made_by = "lb-1";
    ASSERT_TRUE(instances.switch_to(next, "run-1").has_value());
    ASSERT_TRUE(world.story.await("left 127.0.0.1:15900"));
    ASSERT_TRUE(world.story.await("streaming from new:1"));
    const auto status = protection_status(world.workspace(), "db");
    ASSERT_TRUE(status.has_value());
    EXPECT_TRUE(status->running);
    EXPECT_TRUE(status->stream.has_value());
    scope.stop();
    EXPECT_TRUE(scope.wait().has_value());
    EXPECT_FALSE(protection_status(world.workspace(), "db")->running) << "the lease is given back";
}

TEST(protection, another_cluster_on_that_port_is_not_streamed) {
    World world(streamed);
    Instances instances(world.workspace());
    ASSERT_TRUE(instances.pin("db", {{"system_identifier", "7001"}}).has_value());
    world.provider->identity = "9999";
    const auto refused = backup(world.context(), world.workspace(), instances, "db", {}, {});
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
    EXPECT_FALSE(has(world.story.lines(), "backup db"));
    EXPECT_NE(protection_status(world.workspace(), "db")->last_error, "");
}

TEST(protection, a_backup_pins_the_identity_and_is_noted) {
    World world(streamed);
    Instances instances(world.workspace());
    const auto done = backup(world.context(), world.workspace(), instances, "db", {}, {});
    ASSERT_TRUE(done.has_value()) << done.error().message;
    EXPECT_EQ(done->outputs["point"], "a-point");
    EXPECT_EQ(instances.current("db")->identity["system_identifier"], "7001");
    EXPECT_TRUE(protection_status(world.workspace(), "db")->last_backup.has_value());
}

TEST(protection, the_second_backup_at_once_is_told_who_holds_the_lease) {
    World world(streamed);
    Instances instances(world.workspace());
    Holder other = own_holder(world.environment(), "backup db by somebody");
    other.host = "elsewhere";
    ASSERT_TRUE(world.state().acquire("backup/db", other, std::chrono::hours(1)).has_value());
    const auto refused = backup(world.context(), world.workspace(), instances, "db", {}, {});
    ASSERT_FALSE(refused.has_value());
    EXPECT_TRUE(LeaseRules::is_held_by(refused.error()));
    EXPECT_TRUE(LeaseRules::is_held_by(Error(refused.error()).in("db")));
    EXPECT_FALSE(LeaseRules::is_held_by(conflict("'db' is held by somebody")));
}

}  // namespace
}  // namespace lifeboat::engine

#include "vault/testing.h"

namespace lifeboat::vault {
namespace {

using namespace testing;

/// Every committed point restores; verify finds nothing.
void expect_sound(World& world, const std::map<PointId, TestTree>& trees) {
    Vault& vault = world.reopen();
    const auto points = must(vault.points());
    int number = 0;
    for (const Point& point : points) {
        const auto tree = trees.find(point.id);
        const Path directory = fmt::format("/restored-{}", number++);
        const auto restored = try_restore(vault, world, point.id, directory);
        ASSERT_TRUE(restored.has_value()) << restored.error().message;
        if (tree != trees.end()) {
            ASSERT_EQ(*restored, tree->second);
        }
        must(world.files.remove_tree(directory));
    }
    for (const auto& finding : must(vault.verify(world.context(), true, {})).findings)
        FAIL() << finding.object << ": " << finding.what;
}

TestTree tree_of(SeededRandom& random, int version) {
    TestTree tree;
    tree["same"] = {.bytes = Bytes(70000, std::byte{5})};
    tree["changes"] = {.bytes = random_bytes(random, 90000)};
    tree[fmt::format("new-{}", version)] = {.bytes = page_bytes(random, 5000)};
    return tree;
}

struct Progressed {
    std::map<PointId, TestTree> trees;  ///< of points whose commit returned
    std::vector<PointId> pruned;
};

Result<void> back_up_three(World& world, Progressed& done) {
    for (int version = 0; version < 3; ++version) {
        auto vault = TRY(world.open());
        const TestTree tree = tree_of(world.random, version);
        const Point point = TRY(try_backup(*vault, world, "database", tree));
        done.trees[point.id] = tree;
        world.clock.advance(24h);
    }
    return ok();
}

/// Runs `work` again and again with the power failing at each of its operations.
void at_every_operation(const std::function<void(World&)>& prepare,
                        const std::function<void(World&)>& work,
                        const std::function<void(World&)>& check, int seeds = 2) {
    std::uint64_t operations = 0;
    {
        World world;
        prepare(world);
        const std::uint64_t before = world.files.operations();
        work(world);
        operations = world.files.operations() - before;
    }
    ASSERT_GT(operations, 5U);
    for (std::uint64_t n = 1; n <= operations; ++n)
        for (int seed = 1; seed <= seeds; ++seed) {
            SCOPED_TRACE(
                fmt::format("power fails at operation {} of {}, seed {}", n, operations, seed));
            World world(static_cast<std::uint64_t>(seed));
            prepare(world);
            must(world.files.sync_all("/"));
            world.files.crash_at(n);
            work(world);
            world.opened.clear();
            world.files.reboot();
            check(world);
            if (::testing::Test::HasFatalFailure() || ::testing::Test::HasNonfatalFailure()) return;
        }
}

TEST(Crash, at_any_operation_of_a_backup_leaves_all_committed_points) {
    Progressed done;
    at_every_operation([&](World&) { done = {}; },
                       [&](World& world) { (void)back_up_three(world, done); },
                       [&](World& world) {
                           const auto points = must(world.reopen().points());
                           ASSERT_GE(points.size(), done.trees.size());
                           expect_sound(world, done.trees);
                           // And the next backup works as if nothing had been.
                           const TestTree tree = tree_of(world.random, 9);
                           const Point point = backup(world.reopen(), world, "database", tree);
                           done.trees[point.id] = tree;
                           expect_sound(world, done.trees);
                       });
}

TEST(Crash, at_any_operation_of_a_prune_leaves_all_kept_points) {
    Progressed done;
    const PruneRule rule{.keep_newest = 1, .keep = {{"database", 36h}}};
    at_every_operation(
        [&](World& world) {
            done = {};
            must(back_up_three(world, done));
            world.clock.advance(24h);
        },
        [&](World& world) {
            auto vault = world.open();
            if (vault.has_value()) (void)(*vault)->prune(world.context(), rule, 1h, false);
        },
        [&](World& world) {
            expect_sound(world, done.trees);
            const PointId newest = must(world.reopen().points()).back().id;
            ASSERT_TRUE(done.trees.contains(newest));
            // The dead prune's session is in the way for an hour.
            world.clock.advance(2h);
            must(world.reopen().prune(world.context(), rule, 1h, false));
            const auto left = must(world.reopen().points());
            ASSERT_EQ(left.size(), 1U);
            ASSERT_EQ(left[0].id, newest);
            expect_sound(world, done.trees);
            std::uint64_t packs = 0;
            for (const std::string& object : all_objects(world)) {
                packs += object.starts_with("packs/") ? 1U : 0U;
                EXPECT_FALSE(object.starts_with("tmp/")) << object;
                EXPECT_FALSE(object.starts_with("condemned/")) << object;
            }
            EXPECT_LE(packs, 3U);
            backup(world.reopen(), world, "database", tree_of(world.random, 7));
            expect_sound(world, done.trees);
        },
        1);
}

TEST(Crash, at_any_operation_of_init_can_be_repeated) {
    at_every_operation(
        [](World&) {},
        [](World& world) { (void)init_vault(world.environment, "/other", world.key); },
        [](World& world) {
            const auto again = init_vault(world.environment, "/other", world.key);
            if (!again.has_value()) {
                ASSERT_EQ(again.error().kind, ErrorKind::conflict);
            }
            ASSERT_OK(open_vault(world.environment, "/other", world.key));
        },
        4);
}

TEST(Crash, while_a_key_is_made_leaves_a_whole_key_or_none) {
    at_every_operation([](World&) {},
                       [](World& world) { (void)make_key(world.environment, "/keys/second"); },
                       [](World& world) {
                           const auto key = load_key(world.environment, "/keys/second");
                           if (!key.has_value()) {
                               ASSERT_EQ(key.error().kind, ErrorKind::not_found);
                           }
                       },
                       4);
}

TEST(Full, disk_fails_a_backup_cleanly_and_keeps_earlier_points) {
    for (std::uint64_t room = 0; room < 400000; room += 9001) {
        SCOPED_TRACE(fmt::format("room for {} bytes", room));
        World world;
        Progressed done;
        must(back_up_three(world, done));
        Vault& vault = world.reopen();
        world.files.set_capacity((std::uint64_t{1} << 40U) - must(world.files.free_space("/")) +
                                 room);
        TestTree tree = tree_of(world.random, 5);
        tree["more"] = {.bytes = random_bytes(world.random, 400000)};
        const auto failed = try_backup(vault, world, "database", tree);
        ASSERT_FALSE(failed.has_value());
        ASSERT_EQ(failed.error().kind, ErrorKind::exhausted) << failed.error().message;
        ASSERT_EQ(must(vault.points()).size(), 3U);
        world.files.set_capacity(std::uint64_t{1} << 40U);
        expect_sound(world, done.trees);
        for (const std::string& object : all_objects(world))
            ASSERT_FALSE(object.starts_with("tmp/"));
        const Point point = backup(vault, world, "database", tree);
        done.trees[point.id] = tree;
        expect_sound(world, done.trees);
    }
}

}  // namespace
}  // namespace lifeboat::vault

#include "vault/prune.h"

#include <algorithm>

#include "vault/session.h"
#include "vault/testing.h"

namespace lifeboat::vault {
namespace {

using namespace testing;

constexpr Duration grace = 1h;

std::size_t count_objects(World& world, std::string_view prefix) {
    const auto objects = all_objects(world);
    return static_cast<std::size_t>(std::ranges::count_if(
        objects, [&](const std::string& object) { return object.starts_with(prefix); }));
}

TestTree some_tree(World& world) {
    return {{"same", {.bytes = Bytes(70000, std::byte{3})}},
            {"other", {.bytes = random_bytes(world.random, 70000)}}};
}

Json needs(std::uint64_t branch, std::uint64_t from, std::uint64_t to) {
    Json facts = Json::object();
    facts["log"] = {{"lineage", "7301"}, {"branch", branch}, {"from", from}, {"to", to}};
    return facts;
}

TEST(Prune, keeps_by_age_but_always_the_newest) {
    std::vector<Point> points;
    for (int day = 0; day < 10; ++day)
        for (const char* component : {"database", "cache"}) {
            Point point;
            point.id = PointId(fmt::format("{}-{}", component, day));
            point.component = component;
            point.ended = Instant(std::chrono::hours(24 * day));
            points.push_back(point);
        }
    const Instant now(std::chrono::hours(24 * 9 + 1));
    const auto ids = [&](const PruneRule& rule) {
        std::vector<std::string> found;
        for (const Point& point : expired_points(points, rule, now))
            found.push_back(point.id.value);
        return found;
    };
    EXPECT_TRUE(ids({}).empty());
    EXPECT_EQ(ids({.keep_newest = 1, .keep = {{"cache", 7 * 24h + 1h}}}),
              (std::vector<std::string>{"cache-0", "cache-1"}));
    EXPECT_EQ(ids({.keep_newest = 3, .keep = {{"database", 0h}}}).size(), 7U);
    EXPECT_EQ(ids({.keep_newest = 0, .keep = {{"database", 0h}}}).size(), 10U);
}

TEST(Prune, removes_what_nothing_needs_and_nothing_else) {
    World world;
    std::map<PointId, TestTree> trees;
    std::vector<PointId> order;
    for (int day = 0; day < 6; ++day) {
        const TestTree tree = some_tree(world);
        order.push_back(backup(world.reopen(), world, "database", tree).id);
        trees[order.back()] = tree;
        world.clock.advance(24h);
    }
    Vault& vault = world.reopen();
    const PruneRule rule{.keep_newest = 1, .keep = {{"database", 60h}}};
    const auto planned = must(vault.prune(world.context(), rule, grace, true));
    EXPECT_EQ(planned.removed.size(), 4U);
    EXPECT_EQ(must(vault.points()).size(), 6U);
    EXPECT_EQ(count_objects(world, "packs/"), 6U);
    const auto done = must(vault.prune(world.context(), rule, grace, false));
    EXPECT_EQ(done.removed, planned.removed);
    EXPECT_EQ(done.removed, std::vector<PointId>(order.begin(), order.begin() + 4));
    EXPECT_EQ(done.bytes_freed, planned.bytes_freed);
    EXPECT_EQ(done.objects_removed, planned.objects_removed);
    // The first pack holds what all share.
    EXPECT_EQ(count_objects(world, "packs/"), 3U);
    EXPECT_EQ(count_objects(world, "sessions/"), 0U);
    EXPECT_TRUE(must(vault.verify(world.context(), true, {})).findings.empty());
    for (const Point& point : must(vault.points())) {
        EXPECT_EQ(must(try_restore(vault, world, point.id, "/out")), trees.at(point.id));
        must(world.files.remove_tree("/out"));
    }
    // The chain goes on behind the hole.
    EXPECT_EQ(backup(vault, world, "database", some_tree(world)).sequence, 7U);
    EXPECT_TRUE(must(vault.verify(world.context(), true, {})).findings.empty());
}

TEST(Prune, leaves_garbage_alone_until_its_grace_is_over) {
    World world;
    {
        auto writer = must(world.reopen().begin_point("database", "base", world.clock.now()));
        ASSERT_OK(writer->begin_file("a", {}, Chunking::content_defined));
        ASSERT_OK(writer->write(world.context(), random_bytes(world.random, 40 << 20)));
        // Destroyed without a commit.
    }
    Vault& vault = world.reopen();
    backup(vault, world, "cache", some_tree(world));
    const std::size_t before = count_objects(world, "packs/");
    ASSERT_GE(before, 2U);
    must(vault.prune(world.context(), {}, grace, false));
    EXPECT_EQ(count_objects(world, "packs/"), before);
    world.clock.advance(2h);
    must(vault.prune(world.context(), {}, grace, false));
    EXPECT_EQ(count_objects(world, "packs/"), 1U);
    EXPECT_TRUE(must(vault.verify(world.context(), true, {})).findings.empty());
}

TEST(Prune, sweeps_nothing_while_somebody_writes_and_a_writer_may_reuse_what_it_saw) {
    World world;
    const TestTree tree = some_tree(world);
    backup(world.reopen(), world, "database", tree);
    world.clock.advance(48h);
    backup(world.reopen(), world, "database", some_tree(world));
    Vault& vault = world.reopen();
    auto writer = must(world.reopen().begin_point("database", "base", world.clock.now()));
    ASSERT_OK(writer->begin_file("other", {}, Chunking::fixed_64k));
    world.clock.advance(30min);
    ASSERT_OK(writer->write(world.context(), tree.at("other").bytes));  // renews the session
    world.clock.advance(45min);
    const auto report = must(vault.prune(
        world.context(), {.keep_newest = 1, .keep = {{"database", 24h}}}, grace, false));
    EXPECT_EQ(report.removed.size(), 1U);
    EXPECT_EQ(count_objects(world, "packs/"), 2U);
    const Point point = must(writer->commit(world.context(), world.clock.now(), {}, {}));
    EXPECT_EQ(must(try_restore(world.reopen(), world, point.id, "/out")).at("other"),
              tree.at("other"));
}

TEST(Prune, gives_up_the_session_of_a_dead_writer_which_cannot_commit_any_more) {
    World world;
    backup(world.reopen(), world, "database", some_tree(world));
    auto stalled = must(world.reopen().begin_point("database", "base", world.clock.now()));
    ASSERT_OK(stalled->begin_file("a", {}, Chunking::fixed_64k));
    ASSERT_OK(stalled->write(world.context(), as_bytes("x")));
    world.clock.advance(3h);
    must(world.reopen().prune(world.context(), {}, grace, false));
    const auto committed = stalled->commit(world.context(), world.clock.now(), {}, {});
    ASSERT_FALSE(committed.has_value());
    EXPECT_EQ(committed.error().kind, ErrorKind::conflict);
}

TEST(Prune, is_done_by_one_at_a_time) {
    World world;
    Environment& environment = world.environment;
    const auto store = must(open_directory_store("/vault", environment));
    Access access{environment, *store, {}, {}};
    auto other = must(Session::begin(access, "prune"));
    EXPECT_EQ(world.reopen().prune(world.context(), {}, grace, false).error().kind,
              ErrorKind::conflict);
    other.reset();
    EXPECT_OK(world.reopen().prune(world.context(), {}, grace, false));
}

TEST(Prune, refuses_while_a_manifest_is_damaged) {
    World world;
    backup(world.reopen(), world, "database", some_tree(world));
    must(world.files.flip_byte("/vault/manifests/0000000000000001", 100));
    EXPECT_EQ(world.reopen().prune(world.context(), {}, grace, false).error().kind,
              ErrorKind::corrupt);
}

TEST(Prune, keeps_the_log_from_the_oldest_kept_point_on) {
    World world;
    const auto append_file = [&](const LogName& name, std::uint64_t bytes) {
        auto writer = must(world.reopen().append_log(name, 0));
        ASSERT_OK(writer->append(writer->end(), Bytes(bytes), writer->end() + bytes, {}));
        must(writer->sync());
    };
    const LogName one{"database", "7301", 1};
    const LogName two{"database", "7301", 2};
    for (int i = 0; i < 4; ++i) append_file(one, 1000);
    append_file(two, 4500);
    append_file({"cache", "abc", 1}, 1000);
    world.clock.advance(2h);
    // No point says what it needs: nothing goes.
    must(world.reopen().prune(world.context(), {}, grace, false));
    EXPECT_EQ(count_objects(world, "logs/"), 6U);
    backup(world.reopen(), world, "database", {{"a", {}}}, needs(1, 2500, 2700));
    must(world.reopen().prune(world.context(), {}, grace, false));
    const auto logs = must(world.reopen().logs("database"));
    ASSERT_EQ(logs.size(), 2U);
    EXPECT_EQ(logs[0].begin, 2000U);
    EXPECT_EQ(logs[0].end, 4000U);
    EXPECT_EQ(logs[1].begin, 0U);
    // Once only the later branch is needed, the earlier one goes as a whole.
    backup(world.reopen(), world, "database", {{"a", {}}}, needs(2, 4200, 4300));
    world.clock.advance(1000h);
    must(world.reopen().prune(world.context(), {.keep_newest = 1, .keep = {{"database", 1h}}},
                              grace, false));
    EXPECT_EQ(must(world.reopen().logs("database")).size(), 1U);
    EXPECT_EQ(must(world.reopen().logs("cache")).size(), 1U);
    EXPECT_TRUE(must(world.reopen().verify(world.context(), true, {})).findings.empty());
}

TEST(Verify, names_the_points_whose_stretch_of_the_log_is_damaged) {
    World world;
    const LogName name{"database", "7301", 1};
    {
        auto writer = must(world.reopen().append_log(name, 0));
        for (int i = 0; i < 3; ++i) {
            ASSERT_OK(writer->append(writer->end(), random_bytes(world.random, 1000), 0, {}));
            must(writer->sync());
        }
        writer.reset();
    }
    const Point before = backup(world.reopen(), world, "database", {{"a", {}}}, needs(1, 0, 900));
    const Point within =
        backup(world.reopen(), world, "database", {{"a", {}}}, needs(1, 900, 1500));
    for (const std::string& object : all_objects(world))
        if (object.starts_with("logs/")) must(world.files.flip_byte("/vault/" + object, 1500));
    const auto findings = must(world.reopen().verify(world.context(), true, {})).findings;
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].affects,
              (std::vector<std::string>{"log database/7301/1", within.id.value}));
}

}  // namespace
}  // namespace lifeboat::vault

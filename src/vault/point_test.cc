#include "vault/testing.h"

namespace lifeboat::vault {
namespace {

using namespace testing;

/// What a restore gives back: directories on the way exist even if nobody named them.
TestTree with_parents(TestTree tree) {
    TestTree all = tree;
    for (const auto& [path, file] : tree)
        for (std::size_t slash = path.find('/'); slash != std::string::npos;
             slash = path.find('/', slash + 1))
            all.try_emplace(path.substr(0, slash + 1), TestFile{});
    return all;
}

TEST(Point, brings_back_every_kind_of_entry) {
    World world;
    const auto vault = must(world.open());
    const TestTree tree = varied_tree(world.random);
    const Point point = backup(*vault, world, "database", tree);
    EXPECT_EQ(point.sequence, 1U);
    EXPECT_EQ(must(try_restore(*vault, world, point.id, "/out")), with_parents(tree));
    const TestTree restored = read_tree(world.files, "/out");
    EXPECT_EQ(restored.at("chunk-and-one").mode, 0640U);
    EXPECT_EQ(restored.at("deep/").mode, 0750U);
    const auto reader = must(vault->open_point(point.id));
    EXPECT_EQ(must(reader->read_file("noise")), tree.at("noise").bytes);
    EXPECT_OK(reader->verify(world.context(), {}));
}

TEST(Point, is_listed_with_its_facts_by_another_process) {
    World world;
    Json facts = Json::object();
    facts["system_identifier"] = "7301";
    const Point point = backup(world.reopen(), world, "database", {{"a", {}}}, facts);
    const auto points = must(world.reopen().points("database"));
    ASSERT_EQ(points.size(), 1U);
    EXPECT_EQ(points[0].id, point.id);
    EXPECT_EQ(points[0].facts, facts);
    EXPECT_TRUE(must(world.reopen().points("cache")).empty());
}

TEST(Point, stores_what_the_vault_has_only_once) {
    World world;
    const auto vault = must(world.open());
    TestTree tree;
    tree["a"] = {.bytes = random_bytes(world.random, 40 * 65536)};
    tree["copy-of-a"] = tree["a"];
    const Point first = backup(*vault, world, "database", tree);
    EXPECT_LT(first.stored, 42U * 65536);
    tree["a"].bytes[5 * 65536] ^= std::byte{1};
    tree["copy-of-a"].bytes[5 * 65536] ^= std::byte{1};
    const Point second = backup(*vault, world, "database", tree);
    EXPECT_LT(second.stored, 2U * 65536);
    EXPECT_EQ(must(try_restore(*vault, world, second.id, "/out")), tree);
}

TEST(Point, cuts_streams_by_content_so_that_an_insertion_costs_little) {
    World world;
    const auto vault = must(world.open());
    TestTree tree;
    tree["rdb"] = {.bytes = random_bytes(world.random, 12 << 20),
                   .chunking = Chunking::content_defined};
    backup(*vault, world, "cache", tree);
    tree["rdb"].bytes.insert(tree["rdb"].bytes.begin() + 100, std::byte{1});
    const Point second = backup(*vault, world, "cache", tree);
    EXPECT_LT(second.stored, 5U << 20U);
    EXPECT_EQ(must(try_restore(*vault, world, second.id, "/out")), tree);
}

TEST(Point, costs_nothing_for_zeros) {
    World world;
    const auto vault = must(world.open());
    TestTree tree;
    tree["zeros"] = {.bytes = Bytes(20 << 20)};
    EXPECT_LT(backup(*vault, world, "database", tree).stored, 2000U);
}

TEST(Point, is_invisible_until_it_is_committed) {
    World world;
    const auto vault = must(world.open());
    auto writer = must(vault->begin_point("database", "base", world.clock.now()));
    ASSERT_OK(writer->begin_file("a", {}, Chunking::fixed_64k));
    ASSERT_OK(writer->write(world.context(), random_bytes(world.random, 100000)));
    EXPECT_TRUE(must(vault->points()).empty());
    writer.reset();
    EXPECT_TRUE(must(vault->points()).empty());
    EXPECT_TRUE(must(vault->verify(world.context(), true, {})).findings.empty());
}

TEST(Point, of_two_writers_at_once_are_both_kept) {
    World world;
    const auto one = must(world.open());
    const auto two = must(world.open());
    auto first = must(one->begin_point("database", "base", world.clock.now()));
    auto second = must(two->begin_point("cache", "snapshot", world.clock.now()));
    ASSERT_OK(first->begin_file("a", {}, Chunking::fixed_64k));
    ASSERT_OK(second->begin_file("b", {}, Chunking::fixed_64k));
    ASSERT_OK(first->write(world.context(), as_bytes("first")));
    ASSERT_OK(second->write(world.context(), as_bytes("second")));
    const Point b = must(second->commit(world.context(), world.clock.now(), {}, {}));
    const Point a = must(first->commit(world.context(), world.clock.now(), {}, {}));
    EXPECT_NE(a.sequence, b.sequence);
    EXPECT_EQ(must(one->points()).size(), 2U);
    EXPECT_TRUE(must(one->verify(world.context(), true, {})).findings.empty());
}

TEST(Point, refuses_paths_that_are_no_paths_of_a_tree) {
    World world;
    const auto vault = must(world.open());
    auto writer = must(vault->begin_point("database", "base", world.clock.now()));
    for (const char* path : {"", "/etc/passwd", "../up", "a/../../b", "a//b", "./a", "a/"})
        EXPECT_EQ(writer->begin_file(path, {}, Chunking::fixed_64k).error().kind,
                  ErrorKind::invalid)
            << path;
    ASSERT_OK(writer->add_directory("a", {}));
    EXPECT_EQ(writer->add_directory("a", {}).error().kind, ErrorKind::invalid);
}

TEST(Restore, refuses_a_directory_that_is_not_empty) {
    World world;
    const auto vault = must(world.open());
    const Point point = backup(*vault, world, "database", {{"a", {}}});
    must(world.files.make_directories("/out/there"));
    const auto refused = try_restore(*vault, world, point.id, "/out");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
    EXPECT_EQ(must(world.files.list("/out")), std::vector<std::string>{"there"});
}

TEST(Restore, says_before_it_begins_that_there_is_no_room) {
    World world;
    const auto vault = must(world.open());
    const Point point =
        backup(*vault, world, "database", {{"a", {.bytes = random_bytes(world.random, 1 << 20)}}});
    world.files.set_capacity(2 << 20);
    const auto refused = try_restore(*vault, world, point.id, "/out");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::exhausted);
    EXPECT_FALSE(world.files.status("/out").has_value());
}

TEST(Restore, maps_and_leaves_out_entries_but_never_leads_out_of_its_directory) {
    World world;
    const auto vault = must(world.open());
    const Point point = backup(*vault, world, "database",
                               {{"keep", {.bytes = to_bytes(as_bytes("x"))}}, {"drop", {}}});
    const auto reader = must(vault->open_point(point.id));
    RestoreOptions options;
    options.map = [](const Entry& entry) -> std::optional<std::string> {
        if (entry.path == "drop") return std::nullopt;
        return "moved/" + entry.path;
    };
    ASSERT_OK(reader->restore(world.context(), "/out", options, {}));
    const TestTree restored = read_tree(world.files, "/out");
    EXPECT_EQ(restored.size(), 2U);
    EXPECT_TRUE(restored.contains("moved/keep"));
    options.map = [](const Entry&) { return std::optional<std::string>("../evil"); };
    EXPECT_EQ(reader->restore(world.context(), "/other", options, {}).error().kind,
              ErrorKind::invalid);
}

TEST(Restore, is_durable_when_it_returns) {
    World world;
    const auto vault = must(world.open());
    world.files.set_loss(Loss::everything);
    const TestTree tree = varied_tree(world.random);
    const Point point = backup(*vault, world, "database", tree);
    ASSERT_OK(try_restore(*vault, world, point.id, "/out"));
    world.files.crash();
    world.files.reboot();
    EXPECT_EQ(read_tree(world.files, "/out"), with_parents(tree));
}

TEST(Restore, reports_its_progress_up_to_the_end) {
    World world;
    const auto vault = must(world.open());
    const Point point = backup(*vault, world, "database", varied_tree(world.random));
    std::uint64_t last = 0;
    const auto reader = must(vault->open_point(point.id));
    ASSERT_OK(
        reader->restore(world.context(), "/out", {}, [&](std::uint64_t done, std::uint64_t total) {
            EXPECT_GE(done, last);
            EXPECT_EQ(total, point.size);
            last = done;
        }));
    EXPECT_EQ(last, point.size);
}

// Trees of random sizes and contents come back, whatever the seed.
TEST(Point, brings_back_random_trees) {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        SCOPED_TRACE(fmt::format("seed {}", seed));
        World world(seed);
        const auto vault = must(world.open());
        TestTree tree;
        const std::uint64_t count = world.random.below(30);
        for (std::uint64_t i = 0; i < count; ++i) {
            TestFile file;
            const std::size_t size = world.random.below(std::uint64_t{1} << world.random.below(21));
            file.bytes = world.random.one_in(2) ? random_bytes(world.random, size)
                                                : page_bytes(world.random, size);
            if (world.random.one_in(3)) file.chunking = Chunking::content_defined;
            tree[fmt::format("d{}/f{}", world.random.below(4), i)] = std::move(file);
        }
        const Point point = backup(*vault, world, "database", tree);
        EXPECT_EQ(must(try_restore(*vault, world, point.id, "/out")), with_parents(tree));
        EXPECT_TRUE(must(vault->verify(world.context(), true, {})).findings.empty());
    }
}

}  // namespace
}  // namespace lifeboat::vault

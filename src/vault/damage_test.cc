#include "vault/testing.h"

namespace lifeboat::vault {
namespace {

using namespace testing;

struct Damaged {
    World world;
    TestTree tree;
    Point first, second;
    Bytes document = to_bytes(as_bytes("1\t0/3000000\tno recovery target specified\n"));

    Damaged() {
        Vault& vault = world.reopen();
        tree["same"] = {.bytes = page_bytes(world.random, 200)};
        tree["changes"] = {.bytes = random_bytes(world.random, 300)};
        first = backup(vault, world, "database", tree);
        TestTree other = tree;
        other["changes"] = {.bytes = random_bytes(world.random, 310)};
        second = backup(vault, world, "database", other);
        tree = other;
        must(vault.put_document("database", "pg/7301/00000002.history", document));
        world.opened.clear();
        must(world.files.sync_all("/"));
    }

    std::vector<std::string> objects(std::string_view prefix) {
        std::vector<std::string> found;
        for (const std::string& object : all_objects(world))
            if (object.starts_with(prefix)) found.push_back(object);
        return found;
    }

    bool restores(const PointId& id, const TestTree& expected) {
        const auto restored = try_restore(world.reopen(), world, id, "/out");
        if (restored.has_value()) {
            EXPECT_EQ(*restored, expected);  // right, or not at all
        } else {
            EXPECT_EQ(restored.error().kind, ErrorKind::corrupt) << restored.error().message;
            EXPECT_FALSE(world.files.status("/out").has_value());
        }
        must(world.files.remove_tree("/out"));
        world.opened.clear();
        return restored.has_value();
    }

    std::vector<Finding> findings(bool deep = true) {
        auto report = must(world.reopen().verify(world.context(), deep, {}));
        world.opened.clear();
        return report.findings;
    }
};

/// Inverts each byte of the object in turn and looks what becomes of it.
void for_every_byte(Damaged& it, const std::string& object,
                    const std::function<void(std::uint64_t)>& check) {
    const Path path = "/vault/" + object;
    const std::uint64_t size = must(it.world.files.status(path)).size;
    for (std::uint64_t offset = 0; offset < size; ++offset) {
        SCOPED_TRACE(fmt::format("{}: offset {} of {}", object, offset, size));
        must(it.world.files.flip_byte(path, offset));
        check(offset);
        must(it.world.files.flip_byte(path, offset));
        if (::testing::Test::HasFailure()) return;
    }
    EXPECT_TRUE(it.findings().empty());
}

TEST(Damage, to_any_byte_of_a_pack_is_found_and_named_and_never_restored) {
    Damaged it;
    const auto packs = it.objects("packs/");
    ASSERT_EQ(packs.size(), 2U);
    for (const std::string& pack : packs)
        for_every_byte(it, pack, [&](std::uint64_t) {
            const bool restorable = it.restores(it.second.id, it.tree);
            const auto findings = it.findings();
            ASSERT_EQ(findings.size(), 1U);
            EXPECT_EQ(findings[0].object, pack);
            EXPECT_NE(findings[0].what.find(pack), std::string::npos);
            const auto& affects = findings[0].affects;
            EXPECT_EQ(std::ranges::find(affects, it.second.id.value) == affects.end(), restorable);
        });
}

TEST(Damage, to_any_byte_of_a_manifest_is_found_and_its_point_is_not_restored) {
    Damaged it;
    for (const std::string& manifest : it.objects("manifests/"))
        for_every_byte(it, manifest, [&](std::uint64_t) {
            const auto findings = it.findings(false);
            ASSERT_FALSE(findings.empty());
            EXPECT_EQ(findings[0].object, manifest);
            EXPECT_FALSE(findings[0].affects.empty());
            std::vector<Finding> damaged;
            const auto points = must(it.world.reopen().points("", &damaged));
            EXPECT_EQ(points.size() + damaged.size(), 2U);
            const PointId& id = manifest.ends_with('1') ? it.first.id : it.second.id;
            EXPECT_FALSE(try_restore(it.world.reopen(), it.world, id, "/out").has_value());
            it.world.opened.clear();
        });
}

TEST(Damage, to_any_byte_of_the_index_is_found_and_costs_nothing_but_space) {
    Damaged it;
    for (const std::string& index : it.objects("index/"))
        for_every_byte(it, index, [&](std::uint64_t) {
            const auto findings = it.findings();
            ASSERT_FALSE(findings.empty());
            EXPECT_EQ(findings[0].object, index);
            EXPECT_TRUE(findings[0].affects.empty());
            EXPECT_TRUE(it.restores(it.second.id, it.tree));
        });
}

TEST(Damage, to_any_byte_of_a_document_is_found_and_it_is_not_given_out) {
    Damaged it;
    const std::string object = it.objects("documents/").at(0);
    for_every_byte(it, object, [&](std::uint64_t) {
        const auto findings = it.findings(false);
        ASSERT_EQ(findings.size(), 1U);
        EXPECT_EQ(findings[0].object, object);
        const auto read = it.world.reopen().get_document("database", "pg/7301/00000002.history");
        ASSERT_FALSE(read.has_value());
        EXPECT_EQ(read.error().kind, ErrorKind::corrupt);
        it.world.opened.clear();
    });
}

TEST(Damage, to_any_byte_of_the_format_record_is_told_at_once) {
    Damaged it;
    const std::uint64_t size = must(it.world.files.status("/vault/vault.json")).size;
    for (std::uint64_t offset = 0; offset < size; ++offset) {
        must(it.world.files.flip_byte("/vault/vault.json", offset));
        const auto opened = it.world.open();
        ASSERT_FALSE(opened.has_value());
        EXPECT_EQ(opened.error().kind, ErrorKind::corrupt) << offset << opened.error().message;
        EXPECT_NE(opened.error().message.find("vault.json"), std::string::npos);
        must(it.world.files.flip_byte("/vault/vault.json", offset));
    }
}

TEST(Damage, by_a_pack_that_is_gone_names_the_points_that_need_it) {
    Damaged it;
    for (const std::string& pack : it.objects("packs/")) {
        must(it.world.files.rename("/vault/" + pack, "/aside"));
        const auto findings = it.findings(false);
        ASSERT_EQ(findings.size(), 1U);
        EXPECT_EQ(findings[0].object, pack);
        EXPECT_NE(findings[0].what.find("missing"), std::string::npos);
        EXPECT_FALSE(findings[0].affects.empty());
        must(it.world.files.rename("/aside", "/vault/" + pack));
    }
}

TEST(Damage, by_a_pack_that_is_cut_off_is_found_by_a_shallow_look) {
    Damaged it;
    const Path path = "/vault/" + it.objects("packs/").at(0);
    {
        auto file = must(it.world.files.open(path, OpenMode::update));
        must(file->truncate(must(file->size()) - 1));
    }
    EXPECT_EQ(it.findings(false).size(), 1U);
}

TEST(Damage, by_a_manifest_that_was_taken_away_shows_as_a_hole_in_the_chain) {
    Damaged it;
    must(it.world.files.remove("/vault/manifests/0000000000000001"));
    const auto findings = it.findings(false);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_NE(findings[0].what.find("no prune"), std::string::npos);
}

TEST(Damage, by_objects_that_were_swapped_is_found) {
    Damaged it;
    Files& files = it.world.files;
    must(files.rename("/vault/manifests/0000000000000001", "/aside"));
    must(files.rename("/vault/manifests/0000000000000002", "/vault/manifests/0000000000000001"));
    must(files.rename("/aside", "/vault/manifests/0000000000000002"));
    EXPECT_TRUE(must(it.world.reopen().points()).empty());
    EXPECT_GE(it.findings(false).size(), 2U);
}

TEST(Index, is_rebuilt_from_the_packs_when_it_is_gone) {
    Damaged it;
    for (const std::string& index : it.objects("index/"))
        must(it.world.files.remove("/vault/" + index));
    EXPECT_TRUE(it.restores(it.second.id, it.tree));
    const Point third = backup(it.world.reopen(), it.world, "database", it.tree);
    EXPECT_LT(third.stored, 1000U);  // its tree, no data
    EXPECT_FALSE(it.objects("index/").empty());
    EXPECT_TRUE(it.findings().empty());
}

TEST(Index, never_points_at_a_pack_that_a_crash_tore) {
    Damaged it;
    for (const std::string& index : it.objects("index/"))
        must(it.world.files.remove("/vault/" + index));
    for (const std::string& pack : it.objects("packs/"))
        must(it.world.files.flip_byte("/vault/" + pack, 100));
    const Point third = backup(it.world.reopen(), it.world, "database", it.tree);
    EXPECT_TRUE(it.restores(third.id, it.tree));
}

TEST(Damage, that_verify_has_found_is_healed_by_the_next_backup) {
    Damaged it;
    for (const std::string& pack : it.objects("packs/"))
        must(it.world.files.flip_byte("/vault/" + pack, 60));
    const Point blind = backup(it.world.reopen(), it.world, "database", it.tree);
    EXPECT_FALSE(it.restores(blind.id, it.tree));
    EXPECT_FALSE(it.findings().empty());
    const Point healed = backup(it.world.reopen(), it.world, "database", it.tree);
    EXPECT_TRUE(it.restores(healed.id, it.tree));
}

TEST(Damage, by_a_pack_that_is_gone_stops_one_backup_at_the_most) {
    Damaged it;
    for (const std::string& pack : it.objects("packs/"))
        must(it.world.files.remove("/vault/" + pack));
    const auto refused = try_backup(it.world.reopen(), it.world, "database", it.tree);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
    const auto point = try_backup(it.world.reopen(), it.world, "database", it.tree);
    ASSERT_OK(point);
    EXPECT_TRUE(it.restores(point->id, it.tree));
}

TEST(Index, stays_small_in_number_however_many_backups_there_are) {
    World world;
    for (int i = 0; i < 30; ++i)
        backup(world.reopen(), world, "cache", {{"a", {.bytes = random_bytes(world.random, 100)}}});
    std::size_t segments = 0;
    for (const std::string& object : all_objects(world))
        segments += object.starts_with("index/") ? 1U : 0U;
    EXPECT_LE(segments, 9U);
    EXPECT_TRUE(must(world.reopen().verify(world.context(), true, {})).findings.empty());
}

}  // namespace
}  // namespace lifeboat::vault

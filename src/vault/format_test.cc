#include "vault/format_record.h"

#include <algorithm>

#include "vault/chunker.h"
#include "vault/merkle.h"
#include "vault/testing.h"

namespace lifeboat::vault {
namespace {

using namespace testing;

std::string text_of(World& world, const Path& path) {
    return std::string(as_text(must(read_file(world.files, path))));
}
void write_text(World& world, const Path& path, std::string_view text) {
    must(write_file_durably(world.files, path, as_bytes(text)));
}

TEST(Key, is_told_from_that_of_another_vault_at_once) {
    World world;
    must(make_key(world.environment, "/other-key"));
    const auto opened =
        open_vault(world.environment, "/vault", must(load_key(world.environment, "/other-key")));
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().kind, ErrorKind::denied);
}

TEST(Key, that_was_damaged_or_mistyped_is_told_from_a_wrong_one) {
    World world;
    const std::string text = text_of(world, "/key");
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
        std::string other = text;
        other[i] = other[i] == 'q' ? 'w' : 'q';
        write_text(world, "/copy", other);
        const auto key = load_key(world.environment, "/copy");
        ASSERT_FALSE(key.has_value()) << i;
        EXPECT_EQ(key.error().kind, ErrorKind::corrupt) << i;
    }
    write_text(world, "/copy", "  " + text + "\n\n");
    EXPECT_EQ(must(load_key(world.environment, "/copy")), world.key);
}

TEST(Key, is_never_replaced) {
    World world;
    EXPECT_EQ(make_key(world.environment, "/key").error().kind, ErrorKind::conflict);
    EXPECT_EQ(must(load_key(world.environment, "/key")), world.key);
}

TEST(Key, that_others_can_read_is_refused) {
    World world;
    must(world.files.set_permissions("/key", 0640));
    EXPECT_EQ(load_key(world.environment, "/key").error().kind, ErrorKind::denied);
    EXPECT_EQ(load_key(world.environment, "/none").error().kind, ErrorKind::not_found);
}

TEST(Format, of_a_newer_lifeboat_is_refused_by_name) {
    World world;
    FormatRecord record{.vault = {},
                        .created = world.clock.now(),
                        .read_features = {"repacked-2"},
                        .write_features = {}};
    write_text(world, "/vault/vault.json", write_format_record(record, world.key));
    auto opened = world.open();
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().kind, ErrorKind::unsupported);
    EXPECT_NE(opened.error().message.find("repacked-2"), std::string::npos);
}

TEST(Format, with_unknown_write_features_can_be_read_only) {
    World world;
    const Point point = backup(world.reopen(), world, "database", {{"a", {}}});
    auto record = must(read_format_record(text_of(world, "/vault/vault.json"), world.key)).record;
    record.write_features = {"tiered-3"};
    write_text(world, "/vault/vault.json", write_format_record(record, world.key));
    Vault& vault = world.reopen();
    EXPECT_OK(try_restore(vault, world, point.id, "/out"));
    EXPECT_EQ(vault.begin_point("a", "base", {}).error().kind, ErrorKind::unsupported);
    EXPECT_EQ(vault.append_log({"a", "b", 1}, 0).error().kind, ErrorKind::unsupported);
    EXPECT_EQ(vault.put_document("a", "b", {}).error().kind, ErrorKind::unsupported);
    EXPECT_EQ(vault.prune(world.context(), {}, 0s, false).error().kind, ErrorKind::unsupported);
}

TEST(Format, is_not_looked_for_where_there_is_no_vault) {
    World world;
    EXPECT_EQ(open_vault(world.environment, "/nowhere", world.key).error().kind,
              ErrorKind::not_found);
    must(world.files.make_directories("/plain"));
    EXPECT_EQ(open_vault(world.environment, "/plain", world.key).error().kind,
              ErrorKind::not_found);
    EXPECT_EQ(init_vault(world.environment, "/vault", world.key).error().kind, ErrorKind::conflict);
    must(make_key(world.environment, "/plain/key"));
    EXPECT_EQ(init_vault(world.environment, "/plain", world.key).error().kind, ErrorKind::conflict);
}

TEST(Document, is_put_once_and_the_same_again_is_no_conflict) {
    World world;
    Vault& vault = world.reopen();
    ASSERT_OK(vault.put_document("database", "pg/1/00000002.history", as_bytes("one")));
    EXPECT_OK(vault.put_document("database", "pg/1/00000002.history", as_bytes("one")));
    EXPECT_EQ(vault.put_document("database", "pg/1/00000002.history", as_bytes("two")).error().kind,
              ErrorKind::conflict);
    ASSERT_OK(vault.put_document("database", "instance", as_bytes("{}")));
    EXPECT_EQ(must(vault.documents("database")),
              (std::vector<std::string>{"instance", "pg/1/00000002.history"}));
    EXPECT_EQ(vault.get_document("database", "none").error().kind, ErrorKind::not_found);
    EXPECT_EQ(vault.put_document("database", "../up", {}).error().kind, ErrorKind::invalid);
}

TEST(Store, puts_an_object_once_and_never_changes_it) {
    World world;
    const auto store = must(open_directory_store("/vault", world.environment));
    ASSERT_OK(store->put("packs/aa/one", as_bytes("1")));
    EXPECT_OK(store->put("packs/aa/one", as_bytes("1")));
    EXPECT_EQ(store->put("packs/aa/one", as_bytes("2")).error().kind, ErrorKind::conflict);
    EXPECT_EQ(as_text(must(store->get("packs/aa/one"))), "1");
    EXPECT_EQ(store->get_range("packs/aa/one", 0, 2).error().kind, ErrorKind::corrupt);
    EXPECT_EQ(store->get("packs/aa/two").error().kind, ErrorKind::not_found);
    EXPECT_EQ(must(store->list("packs/a")).size(), 1U);
    EXPECT_TRUE(must(store->list("packs/b")).empty());
    EXPECT_TRUE(must(store->list("none/")).empty());
    EXPECT_EQ(store->put("../evil", {}).error().kind, ErrorKind::invalid);
    EXPECT_EQ(store->put("/etc/evil", {}).error().kind, ErrorKind::invalid);
}

TEST(Store, has_what_it_confirmed_after_a_crash) {
    World world;
    world.files.set_loss(Loss::everything);
    const auto store = must(open_directory_store("/vault", world.environment));
    ASSERT_OK(store->put("packs/aa/now", as_bytes("1")));
    ASSERT_OK(store->put("packs/bb/deferred", as_bytes("2"), true));
    ASSERT_OK(store->put("packs/cc/lost", as_bytes("3"), true));
    world.files.crash();
    world.files.reboot();
    EXPECT_OK(store->get("packs/aa/now"));
    EXPECT_FALSE(store->get("packs/bb/deferred").has_value());
    const auto again = must(open_directory_store("/vault", world.environment));
    ASSERT_OK(again->put("packs/bb/deferred", as_bytes("2"), true));
    ASSERT_OK(again->barrier());
    world.files.crash();
    world.files.reboot();
    EXPECT_OK(again->get("packs/bb/deferred"));
}

TEST(Chunker, cuts_at_the_same_places_however_the_bytes_come) {
    SeededRandom random(7);
    const Bytes bytes = random_bytes(random, 20 << 20);
    const GearTable gear = make_gear_table(crypto::Key(crypto::sha256(as_bytes("key"))));
    for (const Chunking chunking : {Chunking::fixed_64k, Chunking::content_defined}) {
        std::vector<std::vector<std::uint64_t>> cuts(3);
        for (std::size_t run = 0; run < cuts.size(); ++run) {
            Chunker chunker(chunking, gear);
            std::uint64_t at = 0;
            std::uint64_t start = 0;
            while (at < bytes.size()) {
                const std::size_t piece =
                    run == 0 ? bytes.size() : 1 + random.below(run == 1 ? 300000 : 5000);
                const auto step = chunker.feed(ByteView(bytes).subspan(at).first(
                    std::min<std::size_t>(piece, bytes.size() - at)));
                at += step.taken;
                if (!step.cut) continue;
                EXPECT_LE(at - start, content_chunk_max);
                EXPECT_GE(at - start,
                          chunking == Chunking::fixed_64k ? fixed_chunk_size : content_chunk_min);
                cuts[run].push_back(at);
                start = at;
            }
        }
        EXPECT_EQ(cuts[0], cuts[1]);
        EXPECT_EQ(cuts[0], cuts[2]);
        EXPECT_GT(cuts[0].size(), 8U);
    }
}

TEST(Merkle, root_is_that_of_rfc_6962) {
    Merkle merkle;
    EXPECT_EQ(to_hex(merkle.root()),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    const auto leaf = [](std::string_view text) {
        return crypto::sha256(as_bytes(std::string(1, '\0') + std::string(text)));
    };
    merkle.add(leaf(""));
    EXPECT_EQ(to_hex(merkle.root()),
              "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    merkle.add(leaf(std::string_view("\0", 1)));
    EXPECT_EQ(to_hex(merkle.root()),
              "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
    merkle.add(leaf("\x10"));
    EXPECT_EQ(to_hex(merkle.root()),
              "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77");
}

}  // namespace
}  // namespace lifeboat::vault

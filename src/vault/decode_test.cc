/// A vault written by this code is read by docs/format/decode.py, which shares nothing with it but
/// the page that describes the format.

#include "vault/testing.h"

namespace lifeboat::vault {
namespace {

using namespace testing;

/// A vault in a real directory, which the test's end takes away.
struct RealWorld {
    RealWorld() {
        root = std::filesystem::temp_directory_path() / ("lifeboat-decode-" + real_random().hex(6));
        must(environment.files.make_directories(root));
        must(make_key(environment, root / "key"));
        key = must(load_key(environment, root / "key"));
        must(init_vault(environment, root / "vault", key));
        vault = must(open_vault(environment, root / "vault", key));
        // The clone's root is above the directory of this program.
        decoder = environment.processes.own_program().parent_path().parent_path() /
                  "docs/format/decode.py";
    }
    ~RealWorld() { must(environment.files.remove_tree(root)); }

    Exit decode(std::vector<std::string> arguments) {
        Command command;
        command.arguments = {"/usr/bin/python3", decoder.string(), (root / "vault").string(),
                             (root / "key").string()};
        std::ranges::move(arguments, std::back_inserter(command.arguments));
        return must(environment.processes.run(Context(environment.clock), command));
    }

    Environment& environment = real_environment();
    Path root, decoder;
    crypto::Key key;
    std::unique_ptr<Vault> vault;
};

TEST(Decoder, gets_points_logs_and_documents_out_without_lifeboat) {
    RealWorld real;
    Command probe;
    probe.arguments = {"/usr/bin/python3", "-c", "import cryptography"};
    const auto python = real.environment.processes.run(Context(real.environment.clock), probe);
    if (!python.has_value() || python->code != 0) GTEST_SKIP() << "python3-cryptography is missing";

    World world;  // only for its seed
    TestTree tree = varied_tree(world.random);
    const Context context(real.environment.clock);
    auto writer = must(real.vault->begin_point("database", "base", real.environment.clock.now()));
    for (const auto& [path, file] : tree) {
        if (path.ends_with('/')) {
            ASSERT_OK(writer->add_directory(path.substr(0, path.size() - 1), {.mode = file.mode}));
        } else if (!file.target.empty()) {
            ASSERT_OK(writer->add_symlink(path, file.target));
        } else {
            ASSERT_OK(writer->begin_file(path, {.mode = file.mode}, file.chunking));
            ASSERT_OK(writer->write(context, file.bytes));
        }
    }
    const Point point = must(writer->commit(context, real.environment.clock.now(), {}, {}));

    Bytes stream;
    for (int session = 0; session < 3; ++session) {
        auto log = must(real.vault->append_log({"database", "7301", 1}, 0));
        for (int i = 0; i < 5; ++i) {
            const Bytes piece = page_bytes(world.random, 1 + world.random.below(400000));
            ASSERT_OK(log->append(log->end(), piece, log->end() + piece.size(),
                                  {{point.ended, log->end(), "mark"}}));
            append(stream, piece);
            must(log->sync());
        }
    }
    ASSERT_OK(real.vault->put_document("database", "pg/7301/00000002.history",
                                       as_bytes("1\t0/3000000\n")));

    const Exit listed = real.decode({});
    ASSERT_EQ(listed.code, 0) << listed.error;
    for (const std::string& name : {point.id.value, std::string("database/7301/1"),
                                    std::string("database/pg/7301/00000002.history")})
        EXPECT_NE(listed.output.find(name), std::string::npos) << listed.output;
    const Exit restored = real.decode({"point", point.id.value, (real.root / "files").string()});
    ASSERT_EQ(restored.code, 0) << restored.error;
    const Exit logged = real.decode({"log", "database/7301/1", (real.root / "log").string()});
    ASSERT_EQ(logged.code, 0) << logged.error;
    const Exit document = real.decode(
        {"document", "database/pg/7301/00000002.history", (real.root / "document").string()});
    ASSERT_EQ(document.code, 0) << document.error;

    Files& files = real.environment.files;
    ASSERT_OK(must(real.vault->open_point(point.id))->restore(context, real.root / "ours", {}, {}));
    const TestTree theirs = read_tree(files, real.root / "files");
    EXPECT_EQ(theirs, read_tree(files, real.root / "ours"));
    for (const auto& [path, file] : tree) {
        EXPECT_EQ(theirs.at(path).bytes, file.bytes) << path;
        if (file.target.empty()) {
            EXPECT_EQ(theirs.at(path).mode, file.mode) << path;
        }
    }
    EXPECT_EQ(must(read_file(files, real.root / "log", std::uint64_t{1} << 30U)), stream);
    EXPECT_EQ(as_text(must(read_file(files, real.root / "document"))), "1\t0/3000000\n");
}

TEST(Decoder, writes_nothing_from_a_damaged_pack) {
    RealWorld real;
    const Context context(real.environment.clock);
    auto writer = must(real.vault->begin_point("database", "base", real.environment.clock.now()));
    ASSERT_OK(writer->begin_file("a", {}, Chunking::fixed_64k));
    ASSERT_OK(writer->write(context, as_bytes("some bytes")));
    const Point point = must(writer->commit(context, real.environment.clock.now(), {}, {}));
    const auto packs = must(real.vault->store().list("packs/"));
    auto file =
        must(real.environment.files.open(real.root / "vault" / packs.at(0).name, OpenMode::update));
    ASSERT_OK(file->write_at(50, as_bytes("x")));
    EXPECT_NE(real.decode({"point", point.id.value, (real.root / "files").string()}).code, 0);
}

}  // namespace
}  // namespace lifeboat::vault

#include "vault/testing.h"

namespace lifeboat::vault::testing {
namespace {

void collect(Files& files, const Path& root, const std::string& below,
             const std::function<void(const std::string&, const FileStatus&)>& visit) {
    for (const std::string& name : must(files.list(root / below))) {
        const std::string path = below.empty() ? name : below + "/" + name;
        const FileStatus status = must(files.status(root / path));
        visit(path, status);
        if (status.type == FileType::directory) collect(files, root, path, visit);
    }
}

}  // namespace

Bytes random_bytes(SeededRandom& random, std::size_t size) {
    Bytes bytes(size);
    random.fill(bytes);
    return bytes;
}

Bytes page_bytes(SeededRandom& random, std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; i += 97) bytes[i] = static_cast<std::byte>(random.below(256));
    return bytes;
}

TestTree varied_tree(SeededRandom& random) {
    TestTree tree;
    tree["empty"] = {};
    tree["one"] = {.bytes = random_bytes(random, 1)};
    tree["chunk"] = {.bytes = page_bytes(random, 65536)};
    tree["chunk-and-one"] = {.bytes = page_bytes(random, 65537), .mode = 0640};
    tree["noise"] = {.bytes = random_bytes(random, 200000)};
    tree["zeros"] = {.bytes = Bytes(1 << 20)};
    TestFile sparse{.bytes = Bytes(5 * 65536 + 100)};
    sparse.bytes[3 * 65536] = std::byte{7};
    tree["sparse"] = sparse;
    tree["deep/"] = {.mode = 0750};
    std::string path = "deep";
    for (int i = 0; i < 20; ++i) path += fmt::format("/d{}", i);
    tree[path + "/file"] = {.bytes = random_bytes(random, 100)};
    tree["empty-directory/"] = {.mode = 0700};
    tree["link"] = {.target = "deep/d0"};
    tree["dangling"] = {.target = "../../nowhere at all"};
    tree["with space and \xff\xfe byte"] = {.bytes = random_bytes(random, 10)};
    tree["\xe3\x81\x82\nnewline"] = {.bytes = random_bytes(random, 11)};
    tree[".hidden"] = {.bytes = random_bytes(random, 12)};
    tree["stream"] = {.bytes = page_bytes(random, 3000000), .chunking = Chunking::content_defined};
    return tree;
}

Result<Point> try_backup(Vault& vault, World& world, const std::string& component,
                         const TestTree& tree, Json facts) {
    auto writer = TRY(vault.begin_point(component, "base", world.clock.now()));
    const Context context = world.context();
    for (const auto& [path, file] : tree) {
        if (path.ends_with('/')) {
            TRY(writer->add_directory(path.substr(0, path.size() - 1), {.mode = file.mode}));
        } else if (!file.target.empty()) {
            TRY(writer->add_symlink(path, file.target));
        } else {
            TRY(writer->begin_file(path, {.mode = file.mode}, file.chunking));
            for (ByteView left = file.bytes; !left.empty();) {
                const std::size_t piece = std::min<std::size_t>(left.size(), 50000);
                TRY(writer->write(context, left.first(piece)));
                left = left.subspan(piece);
            }
        }
    }
    return writer->commit(context, world.clock.now(), std::move(facts), Json::object());
}

Point backup(Vault& vault, World& world, const std::string& component, const TestTree& tree,
             Json facts) {
    return must(try_backup(vault, world, component, tree, std::move(facts)));
}

Result<TestTree> try_restore(Vault& vault, World& world, const PointId& id, const Path& directory) {
    auto reader = TRY(vault.open_point(id));
    TRY(reader->restore(world.context(), directory, {}, {}));
    return read_tree(world.files, directory);
}

TestTree read_tree(Files& files, const Path& directory) {
    TestTree tree;
    collect(files, directory, "", [&](const std::string& path, const FileStatus& status) {
        TestFile file{.mode = status.mode};
        if (status.type == FileType::regular)
            file.bytes = must(read_file(files, directory / path, std::uint64_t{1} << 32U));
        if (status.type == FileType::symlink)
            file.target = must(files.read_symlink(directory / path)).string();
        tree[status.type == FileType::directory ? path + "/" : path] = std::move(file);
    });
    return tree;
}

std::vector<std::string> all_objects(World& world) {
    std::vector<std::string> names;
    collect(world.files, "/vault", "", [&](const std::string& path, const FileStatus& status) {
        if (status.type == FileType::regular) names.push_back(path);
    });
    return names;
}

}  // namespace lifeboat::vault::testing

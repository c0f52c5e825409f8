#include "platform/env/files.h"

#include <fmt/core.h>

#include <algorithm>

namespace lifeboat {
namespace {

constexpr int temporary_names = 100;

struct Temporary {
    Path path;
    std::unique_ptr<File> file;
};

/// A new file beside `path` under the first name that nobody else uses: writers of one path do not
/// disturb each other, and what a crash left behind is passed over.
Result<Temporary> create_beside(Files& files, const Path& path, std::uint32_t permissions) {
    for (int i = 0; i < temporary_names; ++i) {
        Path candidate =
            path.parent_path() / fmt::format(".{}.tmp-{}", path.filename().string(), i);
        auto file = files.open(candidate, OpenMode::create, permissions);
        if (file.has_value()) return Temporary{std::move(candidate), std::move(file).value()};
        if (file.error().kind != ErrorKind::conflict) return std::move(file).error();
    }
    return conflict(fmt::format("unable to write '{}': {} temporary files lie beside it",
                                path.string(), temporary_names),
                    "Remove the files whose names begin with a dot and end in .tmp-N there.");
}

Path parent_of(const Path& path) { return path.has_parent_path() ? path.parent_path() : Path("."); }

Result<void> replace_with(Files& files, const Temporary& temporary, const Path& path,
                          ByteView bytes) {
    TRY(temporary.file->append(bytes));
    TRY(temporary.file->sync());
    return files.rename(temporary.path, path);
}

}  // namespace

Result<Bytes> read_file(Files& files, const Path& path, std::uint64_t limit) {
    auto file = TRY(files.open(path, OpenMode::read));
    const std::uint64_t expected = TRY(file->size());
    const auto too_large = [&] {
        return exhausted(fmt::format("'{}' is larger than {} bytes", path.string(), limit));
    };
    if (expected > limit) return too_large();
    // The size is only a hint: files of /proc say 0, and a file may grow while it is read.
    Bytes bytes(std::max<std::uint64_t>(expected, 1024));
    std::size_t filled = 0;
    for (;;) {
        if (filled == bytes.size()) bytes.resize(bytes.size() * 2);
        const std::size_t count = TRY(file->read_at(filled, std::span(bytes).subspan(filled)));
        if (count == 0) break;
        filled += count;
        if (filled > limit) return too_large();
    }
    bytes.resize(filled);
    return bytes;
}

Result<void> write_file_durably(Files& files, const Path& path, ByteView bytes,
                                std::uint32_t permissions) {
    const Temporary temporary = TRY(create_beside(files, path, permissions));
    auto replaced = replace_with(files, temporary, path, bytes);
    if (!replaced.has_value()) {
        (void)files.remove(temporary.path);  // Ignored: the first error is the one that matters.
        return replaced;
    }
    return files.sync_directory(parent_of(path));
}

}  // namespace lifeboat

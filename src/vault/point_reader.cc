#include "vault/point_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>

#include "platform/task/mutex.h"
#include "platform/task/scope.h"

namespace lifeboat::vault {
namespace {

constexpr std::uint64_t piece_size = 8U << 20U;
constexpr unsigned verify_threads = 2;

class Reader final : public PointReader {
public:
    Reader(Access& access, LoadedPoint loaded)
        : access_(access), loaded_(std::move(loaded)), source_(access, loaded_.manifest.packs) {}

    const Point& point() const override { return loaded_.manifest.point; }
    const std::vector<Entry>& entries() const override { return loaded_.tree.entries; }

    Result<Bytes> read_file(const std::string& path) override {
        const auto& entries = loaded_.tree.entries;
        const auto found = std::ranges::find(entries, path, &Entry::path);
        if (found == entries.end() || found->type != Entry::Type::file)
            return not_found(fmt::format("no file '{}' in point '{}'", path, point().id.value));
        Bytes bytes;
        const auto number = static_cast<std::size_t>(found - entries.begin());
        TRY(source_.read(loaded_.tree.extents_of(number), ChunkType::data,
                         [&](const Extent& extent, ByteView plain) {
                             if (extent.zero)
                                 bytes.resize(bytes.size() + extent.size);
                             else
                                 append(bytes, plain);
                             return ok();
                         }));
        return bytes;
    }

    Result<void> restore(const Context& context, const Path& directory,
                         const RestoreOptions& options, const Progress& progress) override {
        return restore_tree(access_, loaded_, source_, context, directory, options, progress);
    }

    Result<void> verify(const Context& context, const Progress& progress) override {
        const std::vector<Piece> pieces = pieces_of(loaded_.tree);
        std::atomic<std::size_t> next = 0;
        std::uint64_t done = 0;
        Mutex mutex;
        TaskScope scope(context);
        for (unsigned i = 0; i < verify_threads; ++i)
            scope.spawn([&](const Context& inner) -> Result<void> {
                for (std::size_t at = next++; at < pieces.size(); at = next++) {
                    TRY(inner.check("verifying a recovery point"));
                    std::uint64_t size = 0;
                    TRY(source_.read(pieces[at].extents, ChunkType::data,
                                     [&](const Extent& extent, ByteView) {
                                         size += extent.size;
                                         return ok();
                                     }));
                    const MutexLock lock(mutex);
                    done += size;
                    if (progress) progress(done, point().size);
                }
                return ok();
            });
        return scope.wait();
    }

private:
    Access& access_;
    LoadedPoint loaded_;
    ChunkSource source_;
};

}  // namespace

std::vector<Piece> pieces_of(const Tree& tree) {
    std::vector<Piece> pieces;
    for (std::size_t entry = 0; entry < tree.entries.size(); ++entry) {
        std::span<const Extent> left = tree.extents_of(entry);
        std::uint64_t offset = 0;
        while (!left.empty()) {
            std::size_t count = 0;
            std::uint64_t size = 0;
            std::uint64_t work = 0;  // zeros cost nothing, however many
            while (count < left.size() && work < piece_size) {
                size += left[count].size;
                if (!left[count].zero) work += left[count].size;
                ++count;
            }
            pieces.push_back({entry, offset, left.first(count)});
            offset += size;
            left = left.subspan(count);
        }
    }
    return pieces;
}

Result<LoadedPoint> load_point(Access& access, Manifest manifest) {
    ChunkSource source(access, manifest.packs);
    TreeReader reader;
    TRY(source.read(manifest.tree, ChunkType::tree,
                    [&](const Extent&, ByteView records) { return reader.add(records); }));
    Tree tree = TRY(reader.finish());
    const std::string name = fmt::format("point '{}'", manifest.point.id.value);
    if (tree.root != manifest.root || tree.entries.size() != manifest.entries)
        return corrupt(name + ": its tree does not match the signed root");
    for (const Extent& extent : tree.extents)
        if (!extent.zero && extent.pack >= manifest.packs.size())
            return corrupt(name + ": its tree names an unknown pack");
    return LoadedPoint{std::move(manifest), std::move(tree)};
}

Result<std::unique_ptr<PointReader>> open_point(Access& access, Manifest manifest) {
    auto loaded = TRY(load_point(access, std::move(manifest)));
    return std::unique_ptr<PointReader>(std::make_unique<Reader>(access, std::move(loaded)));
}

}  // namespace lifeboat::vault

/// Writes a point's tree below an empty directory: names first, then bytes by several threads, then
/// owners and permissions, then one barrier. Whatever fails takes away again what was made.

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <unordered_map>

#include "platform/base/size.h"
#include "platform/task/mutex.h"
#include "platform/task/scope.h"
#include "vault/point_reader.h"

namespace lifeboat::vault {
namespace {

constexpr std::uint64_t overhead_per_entry = 4096;  // a block for its last bytes, and its name

class Restore {
public:
    Restore(Access& access, const LoadedPoint& point, ChunkSource& source, const Path& directory,
            const RestoreOptions& options, const Progress& progress)
        : files_(access.environment.files),
          point_(point),
          source_(source),
          root_(directory),
          options_(options),
          progress_(progress) {}

    Result<void> run(const Context& context) {
        TRY(check_target());
        TRY(plan());
        TRY(check_space());
        auto done = write_all(context);
        if (!done.has_value()) take_away();
        return done;
    }

private:
    /// Errors: conflict (not a directory, or not empty).
    Result<void> check_target() {
        auto status = files_.status(root_);
        if (!status.has_value()) {
            if (status.error().kind == ErrorKind::not_found) return ok();
            return std::move(status).error();
        }
        existed_ = true;
        if (status->type != FileType::directory)
            return conflict(fmt::format("'{}' is not a directory", root_.string()));
        const auto names = TRY(files_.list(root_));
        if (names.empty()) return ok();
        return conflict(
            fmt::format("'{}' is not empty: it holds '{}'", root_.string(), names.front()),
            "A restore never writes over anything: name a new directory.");
    }

    /// Where each entry goes. Errors: invalid (a mapped path leads elsewhere, or two meet).
    Result<void> plan() {
        const auto& entries = point_.tree.entries;
        std::unordered_map<std::string, Entry::Type> taken;
        paths_.resize(entries.size());
        for (std::size_t i = 0; i < entries.size(); ++i) {
            std::optional<std::string> path = entries[i].path;
            if (options_.map) path = options_.map(entries[i]);
            if (!path) continue;
            if (!is_tree_path(*path))
                return invalid(
                    fmt::format("'{}' cannot be restored as '{}'", entries[i].path, *path));
            if (!taken.emplace(*path, entries[i].type).second)
                return invalid(fmt::format("two entries would be restored as '{}'", *path));
            paths_[i] = *path;
            needed_ += overhead_per_entry;
            for (const Extent& extent : point_.tree.extents_of(i)) {
                if (!extent.zero) needed_ += extent.size;
                total_ += extent.size;
            }
        }
        for (const auto& [path, type] : taken)
            for (std::size_t slash = path.find('/'); slash != std::string::npos;
                 slash = path.find('/', slash + 1)) {
                const auto parent = taken.find(path.substr(0, slash));
                if (parent != taken.end() && parent->second != Entry::Type::directory)
                    return invalid(
                        fmt::format("'{}' would be restored below something that is no "
                                    "directory",
                                    path));
            }
        return ok();
    }

    Result<void> check_space() {
        Path existing = root_;
        while (!files_.status(existing).has_value() && existing.has_parent_path() &&
               existing != existing.parent_path())
            existing = existing.parent_path();
        const std::uint64_t free = TRY(files_.free_space(existing.empty() ? Path(".") : existing));
        if (free >= needed_) return ok();
        return exhausted(
            fmt::format("'{}' has {} free, point '{}' needs {}", existing.string(),
                        human_size(free), point_.manifest.point.id.value, human_size(needed_)),
            "Free space there, or restore to another file system.");
    }

    Result<void> write_all(const Context& context) {
        TRY(files_.make_directories(root_, 0700));
        TRY(make_names(context));
        TRY(write_bytes(context));
        TRY(context.check("restoring a recovery point"));
        TRY(apply_metadata());
        TRY(files_.sync_all(root_));
        return root_.has_parent_path() ? files_.sync_directory(root_.parent_path()) : ok();
    }

    Result<void> make_names(const Context& context) {
        const auto& entries = point_.tree.entries;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (!paths_[i]) continue;
            const Entry& entry = entries[i];
            const Path path = root_ / *paths_[i];
            TRY(context.check("restoring a recovery point"));
            if (entry.type == Entry::Type::directory) {
                TRY(files_.make_directories(path, 0700));
                continue;
            }
            if (made_.insert(path.parent_path()).second)
                TRY(files_.make_directories(path.parent_path(), 0700));
            if (entry.type == Entry::Type::symlink) {
                TRY(files_.make_symlink(entry.target, path));
                continue;
            }
            auto file = TRY(files_.open(path, OpenMode::create, 0600));
            if (entry.size > 0)
                TRY(file->truncate(entry.size));  // what is not written reads as zeros
        }
        return ok();
    }

    Result<void> write_bytes(const Context& context) {
        const std::vector<Piece> pieces = pieces_of(point_.tree);
        std::atomic<std::size_t> next = 0;
        TaskScope scope(context);
        for (unsigned i = 0; i < std::max(options_.threads, 1U); ++i)
            scope.spawn([&](const Context& inner) -> Result<void> {
                for (std::size_t at = next++; at < pieces.size(); at = next++) {
                    TRY(inner.check("restoring a recovery point"));
                    TRY(write_piece(pieces[at]));
                }
                return ok();
            });
        return scope.wait();
    }

    Result<void> write_piece(const Piece& piece) {
        if (!paths_[piece.entry]) return ok();
        auto file = TRY(files_.open(root_ / *paths_[piece.entry], OpenMode::update));
        std::uint64_t offset = piece.offset;
        const ChunkSource::Sink sink = [&](const Extent& extent, ByteView plain) -> Result<void> {
            if (!extent.zero) TRY(file->write_at(offset, plain));
            offset += extent.size;
            return ok();
        };
        TRY(source_.read(piece.extents, ChunkType::data, sink));
        const MutexLock lock(mutex_);
        done_ += offset - piece.offset;
        if (progress_) progress_(done_, total_);
        return ok();
    }

    /// Backwards, so that a directory loses its rights only when nothing below is left to do.
    Result<void> apply_metadata() {
        const auto& entries = point_.tree.entries;
        for (std::size_t i = entries.size(); i-- > 0;) {
            if (!paths_[i]) continue;
            const Path path = root_ / *paths_[i];
            if (options_.owner)
                TRY(files_.set_owner(path, options_.owner->uid, options_.owner->gid));
            if (entries[i].type != Entry::Type::symlink)
                TRY(files_.set_permissions(path, entries[i].meta.mode & 07777U));
        }
        if (options_.owner) {
            TRY(files_.set_owner(root_, options_.owner->uid, options_.owner->gid));
            for (const Path& parent : made_)
                TRY(files_.set_owner(parent, options_.owner->uid, options_.owner->gid));
        }
        return ok();
    }

    /// Half a tree must not look like a whole one.
    void take_away() {
        // Ignored: the error that is returned is the one that led here.
        if (!existed_) {
            (void)files_.remove_tree(root_);
            return;
        }
        const auto names = files_.list(root_);
        if (!names.has_value()) return;
        for (const std::string& name : *names) {
            const auto status = files_.status(root_ / name);
            if (status.has_value() && status->type == FileType::directory)
                (void)files_.remove_tree(root_ / name);
            else
                (void)files_.remove(root_ / name);
        }
    }

    Files& files_;
    const LoadedPoint& point_;
    ChunkSource& source_;
    const Path root_;
    const RestoreOptions& options_;
    const Progress& progress_;
    bool existed_ = false;
    std::vector<std::optional<std::string>> paths_;  ///< by entry; nothing when it is left out
    std::set<Path> made_;                            ///< parents
    std::uint64_t needed_ = 0;
    std::uint64_t total_ = 0;
    Mutex mutex_;
    std::uint64_t done_ GUARDED_BY(mutex_) = 0;
};

}  // namespace

Result<void> restore_tree(Access& access, const LoadedPoint& point, ChunkSource& source,
                          const Context& context, const Path& directory,
                          const RestoreOptions& options, const Progress& progress) {
    return Restore(access, point, source, directory, options, progress).run(context);
}

}  // namespace lifeboat::vault

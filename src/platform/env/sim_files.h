#pragma once
/// Files in memory that forget at a crash what was not synced, and fail where a test wants it.
///
/// Paths are absolute (others are taken from "/"); everything runs as root. Every mutating call
/// counts as one operation. A crash test runs once to count them, then once for each with
/// crash_at(n). Thread-safe; a File or FileLock must not outlive its SimFiles.

#include <set>

#include "platform/env/sim_disk.h"
#include "platform/task/mutex.h"

namespace lifeboat {

class SimFiles final : public Files {
public:
    /// `seed` decides what is left of unsynced data; `clock` gives modification times.
    explicit SimFiles(const Clock& clock, std::uint64_t seed = 0);

    /// Mutating operations so far: creations, writes, truncations, syncs, renames, links, removals…
    std::uint64_t operations() const;
    /// The n-th mutating operation from now (1 is the next) fails with unavailable, as if the
    /// machine lost power in its midst: it may or may not have happened. So does every call after
    /// it.
    void crash_at(std::uint64_t n);
    /// Power off now. Every call fails with unavailable until reboot().
    void crash();
    bool crashed() const;
    /// Power on: what is durable is there, and of the rest what Loss and seed leave. Open files
    /// fail, locks are gone; a crash_at() that has not happened is forgotten.
    void reboot();
    void set_loss(Loss loss);

    /// Room for file bytes in all; a write beyond it stores what fits and fails with exhausted.
    void set_capacity(std::uint64_t bytes);
    /// While set, sync of this file or directory fails with corrupt, as a disk with EIO. What the
    /// failed sync of a file should have made durable never becomes so.
    void set_sync_failure(const Path& path, bool fails);
    /// Bit rot: inverts a byte on the disk. Errors: not_found, invalid (offset beyond the end).
    Result<void> flip_byte(const Path& path, std::uint64_t offset);

    Result<std::unique_ptr<File>> open(const Path& path, OpenMode mode,
                                       std::uint32_t permissions = 0600) override;
    Result<FileStatus> status(const Path& path) override;
    Result<std::vector<std::string>> list(const Path& directory) override;
    Result<void> make_directories(const Path& directory, std::uint32_t permissions = 0700) override;
    Result<void> rename(const Path& from, const Path& to) override;
    Result<void> link(const Path& from, const Path& to) override;
    Result<void> make_symlink(const Path& target, const Path& link) override;
    Result<Path> read_symlink(const Path& link) override;
    Result<void> remove(const Path& file) override;
    Result<void> remove_tree(const Path& directory) override;
    Result<void> set_owner(const Path& path, std::uint32_t uid, std::uint32_t gid) override;
    Result<void> set_permissions(const Path& path, std::uint32_t permissions) override;
    Result<void> sync_directory(const Path& directory) override;
    Result<void> sync_all(const Path& path) override;
    Result<std::uint64_t> free_space(const Path& path) override;
    Result<std::unique_ptr<FileLock>> lock(const Path& file) override;

private:
    friend class SimFile;
    friend class SimFileLock;

    Result<void> powered() const REQUIRES(mutex_);
    /// Counts an operation. The power may go off with it: the caller then makes an unsynced change
    /// all the same (it may have happened), but no sync, and fails by powered().
    Result<void> begin_operation() REQUIRES(mutex_);
    Result<void> change_names(NameOperation operation) REQUIRES(mutex_);
    Result<SimNodePtr> create(const SimDisk::Place& place, FileType type, std::uint32_t permissions)
        REQUIRES(mutex_);
    Result<SimNodePtr> open_node(const Path& path, OpenMode mode, std::uint32_t permissions)
        REQUIRES(mutex_);
    Result<void> remove_place(const SimDisk::Place& place, const Path& shown) REQUIRES(mutex_);
    Result<void> remove_below(const SimDisk::Place& place, const Path& shown) REQUIRES(mutex_);
    Result<void> write(const Path& shown, SimNode& node, std::uint64_t offset, ByteView bytes)
        REQUIRES(mutex_);
    Result<void> cut(SimNode& node, std::uint64_t size) REQUIRES(mutex_);
    Result<void> sync(const Path& shown, SimNode& node) REQUIRES(mutex_);
    bool sync_fails(const SimNode& node) const REQUIRES(mutex_);
    std::uint64_t room() const REQUIRES(mutex_);

    const Clock& clock_;
    mutable Mutex mutex_;
    SimDisk disk_ GUARDED_BY(mutex_);
    SeededRandom random_ GUARDED_BY(mutex_);
    Loss loss_ GUARDED_BY(mutex_) = Loss::seeded;
    std::set<Path> failing_syncs_ GUARDED_BY(mutex_);
    std::uint64_t capacity_ GUARDED_BY(mutex_) = std::uint64_t{1} << 40U;
    std::uint64_t operations_ GUARDED_BY(mutex_) = 0;
    std::uint64_t crash_at_ GUARDED_BY(mutex_) = 0;  ///< 0: never
    std::uint64_t boot_ GUARDED_BY(mutex_) = 0;      ///< open files of an earlier boot are dead
    bool off_ GUARDED_BY(mutex_) = false;
};

}  // namespace lifeboat

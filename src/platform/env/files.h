#pragma once
/// Files and directories with explicit durability.
///
/// Nothing is durable until sync() of the file AND sync_directory() of its parent have returned;
/// the simulated implementation drops everything else at a crash. A failed sync leaves the file
/// unusable: callers treat it as fatal for what they were writing. Implementations are thread-safe;
/// a File is not.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/base/bytes.h"
#include "platform/base/result.h"
#include "platform/base/time.h"

namespace lifeboat {

using Path = std::filesystem::path;

enum class OpenMode {
    read,
    create,           ///< for writing; conflict if it exists
    create_or_empty,  ///< for writing; truncated if it exists
    append,           ///< for writing at the end; created if absent
    update,           ///< read and write in place; must exist
};

enum class FileType { regular, directory, symlink, other };

struct FileStatus {
    FileType type = FileType::regular;
    std::uint64_t size = 0;  ///< bytes
    Instant modified{};
    std::uint32_t mode = 0;  ///< permission bits
    std::uint32_t owner = 0;
};

class File {
public:
    virtual ~File() = default;
    /// Reads up to `out.size()` bytes at `offset`; fewer only at the end of the file.
    virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) = 0;
    /// Writes all bytes at the end (append/create) in order.
    virtual Result<void> append(ByteView bytes) = 0;
    virtual Result<void> write_at(std::uint64_t offset, ByteView bytes) = 0;
    virtual Result<std::uint64_t> size() = 0;
    virtual Result<void> truncate(std::uint64_t size) = 0;
    /// Durable: the file's bytes and length (not its name). Failure is fatal for this file.
    virtual Result<void> sync() = 0;
};

/// Held until destroyed.
class FileLock {
public:
    virtual ~FileLock() = default;
};

class Files {
public:
    virtual ~Files() = default;
    virtual Result<std::unique_ptr<File>> open(const Path& path, OpenMode mode,
                                               std::uint32_t permissions = 0600) = 0;
    virtual Result<FileStatus> status(const Path& path) = 0;  ///< does not follow a symlink
    /// Names in a directory, sorted, without "." and "..".
    virtual Result<std::vector<std::string>> list(const Path& directory) = 0;
    /// Creates the directory and missing parents; success when it is there already.
    virtual Result<void> make_directories(const Path& directory,
                                          std::uint32_t permissions = 0700) = 0;
    /// Atomically replaces `to`. Durable only after sync_directory of its parent.
    virtual Result<void> rename(const Path& from, const Path& to) = 0;
    /// Gives the file a second name. Errors: conflict if `to` exists (create-if-absent).
    virtual Result<void> link(const Path& from, const Path& to) = 0;
    virtual Result<void> make_symlink(const Path& target, const Path& link) = 0;
    virtual Result<Path> read_symlink(const Path& link) = 0;
    virtual Result<void> remove(const Path& file) = 0;  ///< file, symlink or empty directory
    virtual Result<void> remove_tree(const Path& directory) = 0;  ///< success when absent
    virtual Result<void> set_owner(const Path& path, std::uint32_t uid, std::uint32_t gid) = 0;
    virtual Result<void> set_permissions(const Path& path, std::uint32_t permissions) = 0;
    virtual Result<void> sync_directory(const Path& directory) = 0;
    /// Makes the whole file system that holds `path` durable (syncfs): one barrier for many files.
    virtual Result<void> sync_all(const Path& path) = 0;
    virtual Result<std::uint64_t> free_space(
        const Path& path) = 0;  ///< bytes a user may still write
    /// Exclusive advisory lock on `file` (created). Errors: conflict, naming the holder if it can.
    virtual Result<std::unique_ptr<FileLock>> lock(const Path& file) = 0;
};

/// Reads a whole file. Errors: exhausted when it is larger than `limit` bytes.
Result<Bytes> read_file(Files& files, const Path& path, std::uint64_t limit = 64U << 20U);
/// Writes a temporary file beside `path`, syncs, renames, syncs the directory. Durable on return.
Result<void> write_file_durably(Files& files, const Path& path, ByteView bytes,
                                std::uint32_t permissions = 0600);

}  // namespace lifeboat

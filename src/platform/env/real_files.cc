#include "platform/env/real_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>

#include "platform/base/text.h"
#include "platform/env/fd.h"
#include "platform/env/real.h"
#include "platform/env/remove_tree.h"

namespace lifeboat {
namespace {

class RealFileLock final : public FileLock {
public:
    explicit RealFileLock(Fd fd) : fd_(std::move(fd)) {}

private:
    Fd fd_;  // The lock belongs to the open file: closing it releases the lock.
};

FileType type_of(mode_t mode) {
    if (S_ISREG(mode)) return FileType::regular;
    if (S_ISDIR(mode)) return FileType::directory;
    if (S_ISLNK(mode)) return FileType::symlink;
    return FileType::other;
}

Result<Fd> open_directory(const Path& path, std::string_view verb) {
    Fd fd(uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (!fd.valid()) return file_error(verb, path, errno);
    return fd;
}

/// The pid that the holder of a lock wrote into its file, for the message.
std::string holder_of(const Fd& fd) {
    std::array<char, 24> text{};
    const ssize_t count = uninterrupted([&] { return ::pread(fd.get(), text.data(), 23, 0); });
    const auto length = count > 0 ? static_cast<std::size_t>(count) : std::size_t{0};
    const auto pid = parse_integer(trim(std::string_view(text.data(), length)));
    return pid ? fmt::format("process {}", *pid) : "another process";
}

}  // namespace

Error file_error(std::string_view verb, const Path& path, int error_number) {
    return from_errno(fmt::format("{} '{}'", verb, path.string()), error_number);
}

Result<std::unique_ptr<File>> RealFiles::open(const Path& path, OpenMode mode,
                                              std::uint32_t permissions) {
    return open_real_file(path, mode, permissions);
}

Result<FileStatus> RealFiles::status(const Path& path) {
    struct stat found{};
    if (::lstat(path.c_str(), &found) != 0) return file_error("stat", path, errno);
    const auto modified = std::chrono::seconds(found.st_mtim.tv_sec) +
                          std::chrono::nanoseconds(found.st_mtim.tv_nsec);
    return FileStatus{.type = type_of(found.st_mode),
                      .size = static_cast<std::uint64_t>(found.st_size),
                      .modified = Instant(std::chrono::floor<Duration>(modified)),
                      .mode = found.st_mode & 07777U,
                      .owner = found.st_uid};
}

Result<std::vector<std::string>> RealFiles::list(const Path& directory) {
    DIR* stream = ::opendir(directory.c_str());  // close-on-exec by itself
    if (stream == nullptr) return file_error("list", directory, errno);
    std::vector<std::string> names;
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(stream);
        if (entry == nullptr) break;
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
    }
    const int failed = errno;
    ::closedir(stream);
    if (failed != 0) return file_error("list", directory, failed);
    std::ranges::sort(names);
    return names;
}

Result<void> RealFiles::make_directories(const Path& directory, std::uint32_t permissions) {
    struct stat found{};
    if (::stat(directory.c_str(), &found) == 0) {
        if (S_ISDIR(found.st_mode)) return ok();
        return file_error("create the directory", directory, EEXIST);
    }
    if (errno != ENOENT) return file_error("create the directory", directory, errno);
    const Path parent = directory.parent_path();
    if (!parent.empty() && parent != directory) TRY(make_directories(parent, permissions));
    if (::mkdir(directory.c_str(), permissions) == 0) {
        // Exactly as asked, whatever the umask is.
        if (::chmod(directory.c_str(), permissions) == 0) return ok();
    } else if (errno == EEXIST) {
        return ok();  // Somebody was quicker, or the path ends in a slash.
    }
    return file_error("create the directory", directory, errno);
}

Result<void> RealFiles::rename(const Path& from, const Path& to) {
    if (::rename(from.c_str(), to.c_str()) == 0) return ok();
    return file_error(fmt::format("rename '{}' to", from.string()), to, errno);
}

Result<void> RealFiles::link(const Path& from, const Path& to) {
    if (::link(from.c_str(), to.c_str()) == 0) return ok();
    return file_error(fmt::format("link '{}' as", from.string()), to, errno);
}

Result<void> RealFiles::make_symlink(const Path& target, const Path& link) {
    if (::symlink(target.c_str(), link.c_str()) == 0) return ok();
    return file_error("create the symlink", link, errno);
}

Result<Path> RealFiles::read_symlink(const Path& link) {
    std::string target(4096, '\0');
    const ssize_t count = ::readlink(link.c_str(), target.data(), target.size());
    if (count < 0) return file_error("read the symlink", link, errno);
    target.resize(static_cast<std::size_t>(count));
    return Path(target);
}

Result<void> RealFiles::remove(const Path& file) {
    if (::unlink(file.c_str()) == 0) return ok();
    // Linux says EISDIR for a directory; POSIX allows EPERM.
    if ((errno == EISDIR || errno == EPERM) && ::rmdir(file.c_str()) == 0) return ok();
    return file_error("remove", file, errno);
}

Result<void> RealFiles::remove_tree(const Path& directory) { return remove_real_tree(directory); }

Result<void> RealFiles::set_owner(const Path& path, std::uint32_t uid, std::uint32_t gid) {
    if (::lchown(path.c_str(), uid, gid) == 0) return ok();
    return file_error("set the owner of", path, errno);
}

Result<void> RealFiles::set_permissions(const Path& path, std::uint32_t permissions) {
    if (::chmod(path.c_str(), permissions) == 0) return ok();
    return file_error("set the permissions of", path, errno);
}

Result<void> RealFiles::sync_directory(const Path& directory) {
    const Fd fd = TRY(open_directory(directory, "sync the directory"));
    if (uninterrupted([&] { return ::fsync(fd.get()); }) == 0) return ok();
    return file_error("sync the directory", directory, errno);
}

Result<void> RealFiles::sync_all(const Path& path) {
    const Fd fd(
        uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); }));
    if (!fd.valid()) return file_error("sync the file system of", path, errno);
    if (uninterrupted([&] { return ::syncfs(fd.get()); }) == 0) return ok();
    return file_error("sync the file system of", path, errno);
}

Result<std::uint64_t> RealFiles::free_space(const Path& path) {
    struct statvfs found{};
    if (uninterrupted([&] { return ::statvfs(path.c_str(), &found); }) != 0) {
        return file_error("ask for the free space of", path, errno);
    }
    return static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize;
}

Result<std::unique_ptr<FileLock>> RealFiles::lock(const Path& file) {
    Fd fd(uninterrupted(
        [&] { return ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600); }));
    if (!fd.valid()) return file_error("open the lock", file, errno);
    if (uninterrupted([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
        if (errno != EWOULDBLOCK) return file_error("lock", file, errno);
        return conflict(fmt::format("'{}' is locked by {}", file.string(), holder_of(fd)),
                        "Wait until it ends, or stop it.");
    }
    // The pid is for people only; the lock does not depend on it.
    const std::string pid = fmt::format("{}\n", ::getpid());
    (void)::ftruncate(fd.get(), 0);
    (void)::pwrite(fd.get(), pid.data(), pid.size(), 0);
    return std::make_unique<RealFileLock>(std::move(fd));
}

Files& real_files() {
    static RealFiles files;
    return files;
}

}  // namespace lifeboat

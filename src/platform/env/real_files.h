#pragma once
/// Files of the operating system. Internal to env; others take Files& from the Environment.
///
/// Every descriptor is close-on-exec; calls go on after a signal. Thread-safe (stateless).

#include "platform/env/files.h"

namespace lifeboat {

class RealFiles final : public Files {
public:
    Result<std::unique_ptr<File>> open(const Path& path, OpenMode mode,
                                       std::uint32_t permissions) override;
    Result<FileStatus> status(const Path& path) override;
    Result<std::vector<std::string>> list(const Path& directory) override;
    Result<void> make_directories(const Path& directory, std::uint32_t permissions) override;
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
};

/// Opens the file itself: see real_file.cc.
Result<std::unique_ptr<File>> open_real_file(const Path& path, OpenMode mode,
                                             std::uint32_t permissions);

/// "unable to <verb> '<path>': <reason>" from errno.
Error file_error(std::string_view verb, const Path& path, int error_number);

}  // namespace lifeboat

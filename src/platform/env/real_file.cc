#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>

#include "platform/env/fd.h"
#include "platform/env/real_files.h"

namespace lifeboat {
namespace {

class RealFile final : public File {
public:
    RealFile(Fd fd, Path path, bool appends, std::uint64_t end)
        : fd_(std::move(fd)), path_(std::move(path)), appends_(appends), end_(end) {}

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
        TRY(usable());
        std::size_t filled = 0;
        while (filled < out.size()) {
            const auto at = static_cast<off_t>(offset + filled);
            const ssize_t count = uninterrupted(
                [&] { return ::pread(fd_.get(), out.data() + filled, out.size() - filled, at); });
            if (count < 0) return file_error("read", path_, errno);
            if (count == 0) break;
            filled += static_cast<std::size_t>(count);
        }
        return filled;
    }

    Result<void> append(ByteView bytes) override {
        TRY(usable());
        auto written = appends_ ? write_to_end(bytes) : write_from(end_, bytes);
        if (!written.has_value()) {
            // Part of the bytes may have arrived: what follows goes behind what is really there.
            auto actual = size();
            if (actual.has_value()) end_ = *actual;
            return written;
        }
        end_ += bytes.size();
        return ok();
    }

    Result<void> write_at(std::uint64_t offset, ByteView bytes) override {
        TRY(usable());
        // Linux ignores the offset of pwrite(2) on a file opened for appending.
        if (appends_) {
            return invalid(fmt::format("'{}' is open for appending only", path_.string()));
        }
        TRY(write_from(offset, bytes));
        end_ = std::max<std::uint64_t>(end_, offset + bytes.size());
        return ok();
    }

    Result<std::uint64_t> size() override {
        TRY(usable());
        struct stat found{};
        if (::fstat(fd_.get(), &found) != 0) return file_error("stat", path_, errno);
        return static_cast<std::uint64_t>(found.st_size);
    }

    Result<void> truncate(std::uint64_t size) override {
        TRY(usable());
        const int result =
            uninterrupted([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); });
        if (result != 0) return file_error("truncate", path_, errno);
        end_ = size;
        return ok();
    }

    Result<void> sync() override {
        TRY(usable());
        if (uninterrupted([&] { return ::fdatasync(fd_.get()); }) != 0) {
            // The kernel drops the dirty pages after reporting: a second fsync would "succeed"
            // without them. Nothing done through this file can be trusted from here on.
            failure_ = file_error("sync", path_, errno);
            return *failure_;
        }
        return ok();
    }

private:
    Result<void> usable() const {
        if (!failure_) return ok();
        return Error{failure_->kind,
                     fmt::format("'{}' is unusable since its sync failed", path_.string()),
                     failure_->hint};
    }

    Result<void> write_from(std::uint64_t offset, ByteView bytes) {
        while (!bytes.empty()) {
            const ssize_t count = uninterrupted([&] {
                return ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
            });
            if (count < 0) return file_error("write", path_, errno);
            offset += static_cast<std::uint64_t>(count);
            bytes = bytes.subspan(static_cast<std::size_t>(count));
        }
        return ok();
    }

    Result<void> write_to_end(ByteView bytes) {
        while (!bytes.empty()) {
            const ssize_t count =
                uninterrupted([&] { return ::write(fd_.get(), bytes.data(), bytes.size()); });
            if (count < 0) return file_error("write", path_, errno);
            bytes = bytes.subspan(static_cast<std::size_t>(count));
        }
        return ok();
    }

    Fd fd_;
    const Path path_;
    const bool appends_;
    std::uint64_t end_;  ///< where append() writes, unless the kernel says so
    std::optional<Error> failure_;
};

int flags_of(OpenMode mode) {
    switch (mode) {
        // Not blocking: a FIFO without a writer would hold us for ever.
        case OpenMode::read:
            return O_RDONLY | O_NONBLOCK;
        case OpenMode::create:
            return O_RDWR | O_CREAT | O_EXCL;
        case OpenMode::create_or_empty:
            return O_RDWR | O_CREAT | O_TRUNC;
        case OpenMode::append:
            return O_RDWR | O_CREAT | O_APPEND;
        case OpenMode::update:
            return O_RDWR;
    }
    return O_RDONLY;
}

}  // namespace

Result<std::unique_ptr<File>> open_real_file(const Path& path, OpenMode mode,
                                             std::uint32_t permissions) {
    const int flags = flags_of(mode) | O_CLOEXEC | O_NOCTTY;
    Fd fd(uninterrupted([&] { return ::open(path.c_str(), flags, permissions); }));
    if (!fd.valid()) {
        return file_error(mode == OpenMode::create ? "create" : "open", path, errno);
    }
    struct stat found{};
    if (::fstat(fd.get(), &found) != 0) return file_error("stat", path, errno);
    if (S_ISDIR(found.st_mode)) return file_error("open", path, EISDIR);
    // A caller who asks for 0644 means it, whatever the umask of the shell is.
    if (mode == OpenMode::create && (found.st_mode & 07777U) != permissions &&
        ::fchmod(fd.get(), permissions) != 0) {
        return file_error("set the permissions of", path, errno);
    }
    return std::make_unique<RealFile>(std::move(fd), path, mode == OpenMode::append,
                                      static_cast<std::uint64_t>(found.st_size));
}

}  // namespace lifeboat

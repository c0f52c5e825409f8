#include "platform/env/sim_file.h"

#include <fmt/core.h>

#include <algorithm>

#include "platform/env/real_files.h"

namespace lifeboat {

Result<void> SimFile::usable() const {
    TRY(files_.powered());
    if (boot_ != files_.boot_) {
        return unavailable(fmt::format("'{}' was open when the machine crashed", path_.string()));
    }
    if (!failure_) return ok();
    return Error{failure_->kind,
                 fmt::format("'{}' is unusable since its sync failed", path_.string()),
                 failure_->hint};
}

Result<void> SimFile::writable() const {
    TRY(usable());
    if (mode_ == OpenMode::read) return file_error("write", path_, EBADF);
    return ok();
}

Result<std::size_t> SimFile::read_at(std::uint64_t offset, std::span<std::byte> out) {
    const MutexLock lock(files_.mutex_);
    TRY(usable());
    const Bytes& bytes = node_->bytes;
    if (offset >= bytes.size()) return std::size_t{0};
    const std::size_t count = std::min(out.size(), bytes.size() - offset);
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), count, out.begin());
    return count;
}

Result<void> SimFile::append(ByteView bytes) {
    const MutexLock lock(files_.mutex_);
    TRY(writable());
    return files_.write(path_, *node_, node_->bytes.size(), bytes);
}

Result<void> SimFile::write_at(std::uint64_t offset, ByteView bytes) {
    const MutexLock lock(files_.mutex_);
    TRY(writable());
    if (mode_ == OpenMode::append) {
        return invalid(fmt::format("'{}' is open for appending only", path_.string()));
    }
    return files_.write(path_, *node_, offset, bytes);
}

Result<std::uint64_t> SimFile::size() {
    const MutexLock lock(files_.mutex_);
    TRY(usable());
    return node_->bytes.size();
}

Result<void> SimFile::truncate(std::uint64_t size) {
    const MutexLock lock(files_.mutex_);
    TRY(writable());
    return files_.cut(*node_, size);
}

Result<void> SimFile::sync() {
    const MutexLock lock(files_.mutex_);
    TRY(usable());
    auto synced = files_.sync(path_, *node_);
    if (!synced.has_value()) failure_ = synced.error();
    return synced;
}

SimFileLock::~SimFileLock() {
    const MutexLock lock(files_.mutex_);
    if (boot_ == files_.boot_) node_->locked = false;
}

}  // namespace lifeboat

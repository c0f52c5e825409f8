#pragma once
/// The open files and locks of SimFiles. Internal to env.

#include "platform/env/sim_files.h"

namespace lifeboat {

class SimFile final : public File {
public:
    SimFile(SimFiles& files, SimNodePtr node, Path path, OpenMode mode, std::uint64_t boot)
        : files_(files), node_(std::move(node)), path_(std::move(path)), mode_(mode), boot_(boot) {}

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override;
    Result<void> append(ByteView bytes) override;
    Result<void> write_at(std::uint64_t offset, ByteView bytes) override;
    Result<std::uint64_t> size() override;
    Result<void> truncate(std::uint64_t size) override;
    Result<void> sync() override;

private:
    Result<void> usable() const REQUIRES(files_.mutex_);
    Result<void> writable() const REQUIRES(files_.mutex_);

    SimFiles& files_;
    const SimNodePtr node_;
    const Path path_;
    const OpenMode mode_;
    const std::uint64_t boot_;
    std::optional<Error> failure_;  ///< of the sync after which nothing works
};

class SimFileLock final : public FileLock {
public:
    SimFileLock(SimFiles& files, SimNodePtr node, std::uint64_t boot)
        : files_(files), node_(std::move(node)), boot_(boot) {}
    SimFileLock(const SimFileLock&) = delete;
    SimFileLock& operator=(const SimFileLock&) = delete;
    ~SimFileLock() override;

private:
    SimFiles& files_;
    const SimNodePtr node_;
    const std::uint64_t boot_;
};

}  // namespace lifeboat

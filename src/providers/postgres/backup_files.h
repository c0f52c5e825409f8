#pragma once
/// The files of a base backup on their way into a point: archives taken apart, pages checked.
/// Internal to backup.
///
/// In the point: `data/…` is the data directory, `tablespaces/<oid>/…` each tablespace, `config/…`
/// the configuration files. Not thread-safe.

#include <memory>
#include <optional>

#include "providers/postgres/page_check.h"
#include "providers/postgres/replication.h"
#include "providers/postgres/tar_reader.h"
#include "vault/vault.h"

namespace lifeboat::postgres {

class BackupFiles {
public:
    BackupFiles(const Context& context, vault::PointWriter& writer, bool checksums,
                const PageCheck::Options& pages,
                std::function<void(std::uint64_t done, std::uint64_t total)> progress);

    /// What take_base_backup() calls.
    BackupSink sink();
    const std::optional<BackupStart>& started() const { return start_; }
    const std::optional<PageCheck>& pages() const { return pages_; }
    /// The last archive is whole. Errors: corrupt.
    Result<void> finish();

private:
    Result<void> begin_archive(const std::string& archive);
    Result<void> begin_manifest();
    Result<void> take(ByteView bytes);
    Result<void> take_entry(const TarEntry& entry);
    Result<void> end_archive();

    const Context& context_;
    vault::PointWriter& writer_;
    bool checksums_;
    PageCheck::Options page_options_;
    std::function<void(std::uint64_t, std::uint64_t)> progress_;
    std::optional<BackupStart> start_;
    std::optional<PageCheck> pages_;
    std::unique_ptr<TarReader> tar_;
    std::string prefix_;
    bool manifest_ = false;
    std::uint64_t received_ = 0;
};

}  // namespace lifeboat::postgres

#include "providers/postgres/backup_files.h"

#include <fmt/core.h>

namespace lifeboat::postgres {

BackupFiles::BackupFiles(const Context& context, vault::PointWriter& writer, bool checksums,
                         const PageCheck::Options& pages,
                         std::function<void(std::uint64_t, std::uint64_t)> progress)
    : context_(context),
      writer_(writer),
      checksums_(checksums),
      page_options_(pages),
      progress_(std::move(progress)) {}

BackupSink BackupFiles::sink() {
    return {
        [this](const BackupStart& start) -> Result<void> {
            start_ = start;
            page_options_.backup_start = start.lsn;
            if (checksums_) pages_.emplace(page_options_);
            return writer_.add_directory("data", {0700, {}});
        },
        [this](const std::string& archive, const std::string&) { return begin_archive(archive); },
        [this](ByteView bytes) { return take(bytes); }, [this] { return begin_manifest(); }};
}

Result<void> BackupFiles::begin_archive(const std::string& archive) {
    TRY(end_archive());
    if (archive == "base.tar") {
        prefix_ = "data";
    } else {
        prefix_ = fmt::format("tablespaces/{}", archive.substr(0, archive.find('.')));
        TRY(writer_.add_directory(prefix_, {0700, {}}));
    }
    tar_ = std::make_unique<TarReader>(
        TarSink{[this](const TarEntry& entry) { return take_entry(entry); },
                [this](ByteView bytes) {
                    if (pages_) pages_->feed(bytes);
                    return writer_.write(context_, bytes);
                },
                [] { return ok(); }});
    return ok();
}

Result<void> BackupFiles::begin_manifest() {
    TRY(end_archive());
    manifest_ = true;
    return writer_.begin_file("data/backup_manifest", {0600, context_.clock().now()},
                              vault::Chunking::content_defined);
}

Result<void> BackupFiles::take(ByteView bytes) {
    TRY(context_.check("taking a base backup"));
    received_ += bytes.size();
    if (progress_) progress_(received_, std::max(received_, start_ ? start_->estimated : 0));
    if (manifest_) return writer_.write(context_, bytes);
    if (!tar_) return corrupt("base backup: data before the first archive");
    return tar_->feed(bytes);
}

Result<void> BackupFiles::take_entry(const TarEntry& entry) {
    if (entry.path.empty()) return ok();
    const std::string path = prefix_ + "/" + entry.path;
    const vault::FileMeta meta{entry.mode, entry.modified};
    switch (entry.type) {
        case TarEntry::Type::directory:
            return writer_.add_directory(path, meta);
        case TarEntry::Type::symlink:
            return writer_.add_symlink(path, entry.target);
        case TarEntry::Type::file:
            break;
    }
    if (pages_) pages_->begin_file(path);
    return writer_.begin_file(path, meta, vault::Chunking::fixed_64k);
}

Result<void> BackupFiles::end_archive() {
    if (!tar_) return ok();
    TRY(tar_->finish());
    tar_.reset();
    return ok();
}

Result<void> BackupFiles::finish() { return end_archive(); }

}  // namespace lifeboat::postgres

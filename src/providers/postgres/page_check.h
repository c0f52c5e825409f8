#pragma once
/// Verifies the checksums of data pages on their way into the vault. Pure; not thread-safe.
///
/// A page that was written while it was read fails its checksum too, and is repaired by replay:
/// such a page is accepted when its LSN is at or after the start of the backup. What remains is
/// damage at the source.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/bytes.h"
#include "providers/postgres/lsn.h"

namespace lifeboat::postgres {

/// The checksum of a page as the server computes it. Requires: page.size() a multiple of 128, at
/// least 1 KiB.
std::uint16_t page_checksum(ByteView page, std::uint32_t block);

/// Which segment of a relation a file is ("base/5/16384_fsm.3" is 3); nothing for files without
/// pages.
std::optional<std::uint32_t> relation_segment(std::string_view path);

struct BadPage {
    std::string file;
    std::uint32_t block = 0;  ///< within the file
};

class PageCheck {
public:
    struct Options {
        std::uint32_t block_size = 8192;
        std::uint32_t blocks_per_segment = 131072;
        Lsn backup_start = 0;
    };
    explicit PageCheck(const Options& options) : options_(options) {}

    void begin_file(const std::string& path);
    void feed(ByteView bytes);
    /// The next bytes are those of a later block of the file.
    void skip(std::uint32_t blocks) { block_ += blocks; }

    std::uint64_t pages() const { return pages_; }
    std::uint64_t bad_count() const { return bad_count_; }
    /// The first 100 of them.
    const std::vector<BadPage>& bad() const { return bad_; }

private:
    void check(ByteView page);

    Options options_;
    std::string file_;
    std::optional<std::uint32_t> segment_;
    std::uint32_t block_ = 0;
    Bytes partial_;
    std::uint64_t pages_ = 0, bad_count_ = 0;
    std::vector<BadPage> bad_;
};

}  // namespace lifeboat::postgres

#pragma once
/// Walks WAL as it arrives: proves that it is an unbroken chain of whole records, and tells where
/// the last one ends and when transactions ended.
///
/// Bytes come in order, in pieces of any size. Every page header and every record is checked
/// (magic, address, cluster, link to the previous record, CRC-32C), so what was accepted can be
/// replayed. Knows the page format of PostgreSQL 13 to 18. Pure; not thread-safe.

#include <array>
#include <cstdint>
#include <vector>

#include "platform/base/bytes.h"
#include "providers/postgres/lsn.h"
#include "vault/vault.h"

namespace lifeboat::postgres {

/// What every page of a cluster's WAL must agree with.
struct WalFormat {
    std::uint64_t system_identifier = 0;  ///< 0: any
    std::uint32_t segment_size = 16U << 20U;
    std::uint32_t block_size = 8192;  ///< `wal_block_size`
};

class WalParser {
public:
    /// Begins at a page (a segment's first one for a new log); the record that runs into it, if
    /// any, is skipped. Requires: `at` is the start of a page.
    static WalParser at_page(const WalFormat& format, Lsn at);
    /// Begins where a record is known to end.
    static WalParser at_boundary(const WalFormat& format, Lsn at);

    /// Takes the bytes that follow; marks of the transactions that end in them are added to
    /// `marks`. Errors: corrupt (names the position); the parser must not be used further.
    Result<void> feed(ByteView bytes, std::vector<vault::Mark>& marks);

    /// Where the next byte belongs.
    Lsn position() const { return position_; }
    /// The end of the last whole record; 0 = none yet. What a server has replayed up to there is
    /// exactly the state after that record.
    Lsn boundary() const { return boundary_; }
    /// Where the last whole record begins; 0 = not known.
    Lsn last_record() const { return previous_; }

private:
    enum class State {
        record,        ///< collecting a record, or about to begin one
        continuation,  ///< skipping the rest of a record whose beginning was not seen
        padding,       ///< up to the next multiple of 8
        rest,          ///< unused rest of a segment after a switch
    };
    WalParser(const WalFormat& format, Lsn at) : format_(format), position_(at) {}

    Result<std::size_t> take_header(ByteView bytes);
    Result<void> check_header();
    Result<std::size_t> take_payload(ByteView bytes, std::size_t room,
                                     std::vector<vault::Mark>& marks);
    Result<void> begin_record();
    Result<void> finish_record(std::vector<vault::Mark>& marks);
    void end_record(Lsn end);
    Error damaged(Lsn at, const std::string& what) const;

    WalFormat format_;
    State state_ = State::record;
    Lsn position_ = 0;
    Lsn boundary_ = 0;
    Lsn record_begin_ = 0;
    Lsn previous_ = 0;
    std::uint64_t left_ = 0;   ///< bytes until the state ends (continuation, padding)
    bool first_page_ = false;  ///< a record that runs into the page may be one that was not seen
    std::array<std::byte, 40> header_{};
    std::size_t header_filled_ = 0;
    Bytes record_;
    std::size_t record_size_ = 0;       ///< total, once its first 4 bytes are known
    std::vector<vault::Mark> pending_;  ///< of the record that is being padded
};

}  // namespace lifeboat::postgres

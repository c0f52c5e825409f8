#include "providers/postgres/wal_parser.h"

#include <fmt/core.h>

#include <algorithm>

#include "platform/codec/crypto.h"
#include "providers/postgres/wal_record.h"

namespace lifeboat::postgres {
namespace {

constexpr std::size_t short_header = 24;
constexpr std::size_t long_header = 40;
constexpr std::uint16_t first_is_continuation = 0x1;
constexpr std::uint16_t has_long_header = 0x2;
constexpr std::uint16_t overwrites_continuation = 0x8;
// XLOG_PAGE_MAGIC of 13, 14, 15, 16, 17, 18.
constexpr std::array<std::uint16_t, 6> magics{0xD106, 0xD10D, 0xD110, 0xD113, 0xD116, 0xD118};
constexpr std::uint32_t record_size_max = 1020U << 20U;

constexpr Lsn aligned(Lsn lsn) { return (lsn + 7) & ~Lsn{7}; }

}  // namespace

WalParser WalParser::at_page(const WalFormat& format, Lsn at) {
    CHECK(at % format.block_size == 0);
    WalParser parser(format, at);
    parser.first_page_ = true;
    return parser;
}

WalParser WalParser::at_boundary(const WalFormat& format, Lsn at) {
    WalParser parser(format, at);
    parser.boundary_ = at;
    return parser;
}

Error WalParser::damaged(Lsn at, const std::string& what) const {
    return corrupt(fmt::format("WAL at {}: {}", format_lsn(at), what));
}

Result<void> WalParser::feed(ByteView bytes, std::vector<vault::Mark>& marks) {
    while (!bytes.empty()) {
        std::size_t taken = 0;
        if (state_ == State::rest) {
            taken = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_));
            position_ += taken;
            left_ -= taken;
            if (left_ == 0) end_record(position_);
        } else if (position_ % format_.block_size == 0 || header_filled_ != 0) {
            taken = TRY(take_header(bytes));
        } else {
            const std::size_t room = format_.block_size - position_ % format_.block_size;
            taken = TRY(take_payload(bytes, std::min(room, bytes.size()), marks));
        }
        bytes = bytes.subspan(taken);
    }
    return ok();
}

Result<std::size_t> WalParser::take_header(ByteView bytes) {
    const Lsn page = position_ - header_filled_;
    const std::size_t wanted = page % format_.segment_size == 0 ? long_header : short_header;
    const std::size_t taken = std::min(bytes.size(), wanted - header_filled_);
    std::copy_n(bytes.begin(), taken,
                header_.begin() + static_cast<std::ptrdiff_t>(header_filled_));
    header_filled_ += taken;
    position_ += taken;
    if (header_filled_ == wanted) {
        TRY(check_header());
        header_filled_ = 0;
    }
    return taken;
}

Result<void> WalParser::check_header() {
    const Lsn page = position_ - header_filled_;
    const ByteView header(header_);
    const auto magic = load_le<std::uint16_t>(header, 0);
    const auto info = load_le<std::uint16_t>(header, 2);
    if (std::find(magics.begin(), magics.end(), magic) == magics.end())
        return damaged(page,
                       fmt::format("page magic {:04X} is none of PostgreSQL 13 to 18", magic));
    if (const auto address = load_le<std::uint64_t>(header, 8); address != page)
        return damaged(page, fmt::format("the page is that of {}", format_lsn(address)));
    if (page % format_.segment_size == 0) {
        if ((info & has_long_header) == 0)
            return damaged(page, "a segment begins without its header");
        const auto cluster = load_le<std::uint64_t>(header, 24);
        if (format_.system_identifier != 0 && cluster != format_.system_identifier)
            return damaged(page, fmt::format("the segment is of cluster {}, not of {}", cluster,
                                             format_.system_identifier));
        if (const auto size = load_le<std::uint32_t>(header, 32); size != format_.segment_size)
            return damaged(
                page, fmt::format("segment size {} instead of {}", size, format_.segment_size));
    }

    const std::uint64_t rest = load_le<std::uint32_t>(header, 16);
    const bool continues = (info & first_is_continuation) != 0;
    const bool first = first_page_;
    first_page_ = false;
    if (state_ == State::record && !record_.empty()) {
        if ((info & overwrites_continuation) != 0) {
            // After a crash the server gave the torn record up and wrote on from this page.
            record_.clear();
            return ok();
        }
        // Records are aligned to 8 bytes: the length stood on the page before.
        if (!continues || rest != record_size_ - record_.size())
            return damaged(page, fmt::format("the record at {} does not continue here",
                                             format_lsn(record_begin_)));
        return ok();
    }
    if (state_ == State::continuation) {
        if ((info & overwrites_continuation) != 0) {
            state_ = State::record;
            return ok();
        }
        if (!continues || rest != left_) return damaged(page, "a record does not continue here");
        return ok();
    }
    if (!continues) return ok();
    if (!first) return damaged(page, "a record continues that has no beginning");
    state_ = State::continuation;
    left_ = rest;
    return ok();
}

Result<std::size_t> WalParser::take_payload(ByteView bytes, std::size_t room,
                                            std::vector<vault::Mark>& marks) {
    if (state_ == State::continuation || state_ == State::padding) {
        const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(room, left_));
        position_ += taken;
        left_ -= taken;
        if (left_ != 0) return taken;
        if (state_ == State::padding) {
            end_record(position_);
            marks.insert(marks.end(), pending_.begin(), pending_.end());
            pending_.clear();
        } else if (aligned(position_) != position_) {
            // The end of a record whose beginning is unknown is a boundary all the same: padded
            // too.
            state_ = State::padding;
            left_ = aligned(position_) - position_;
        } else {
            end_record(position_);
        }
        return taken;
    }
    if (record_.empty()) {
        record_begin_ = position_;
        record_size_ = 0;
    }
    const std::size_t wanted =
        (record_size_ == 0 ? sizeof(std::uint32_t) : record_size_) - record_.size();
    const std::size_t taken = std::min(room, wanted);
    append(record_, bytes.first(taken));
    position_ += taken;
    if (record_size_ == 0 && record_.size() == sizeof(std::uint32_t)) TRY(begin_record());
    if (record_size_ != 0 && record_.size() == record_size_) TRY(finish_record(marks));
    return taken;
}

Result<void> WalParser::begin_record() {
    const auto size = load_le<std::uint32_t>(record_, 0);
    if (size < record_header || size > record_size_max)
        return damaged(record_begin_, fmt::format("a record cannot be {} bytes long", size));
    record_size_ = size;
    return ok();
}

Result<void> WalParser::finish_record(std::vector<vault::Mark>& marks) {
    const ByteView record(record_);
    const std::uint32_t body = crypto::crc32c(record.subspan(record_header));
    const std::uint32_t crc = crypto::crc32c(record.first(record_crc), body);
    if (crc != load_le<std::uint32_t>(record, record_crc))
        return damaged(record_begin_, "the record's checksum does not match");
    // After an overwritten record the link still names the last whole one.
    if (const auto link = load_le<std::uint64_t>(record, 8); previous_ != 0 && link != previous_)
        return damaged(record_begin_,
                       fmt::format("the record follows {}, but the one before is at {}",
                                   format_lsn(link), format_lsn(previous_)));
    const Lsn end = aligned(position_);
    if (is_switch(record)) {
        record_.clear();
        previous_ = record_begin_;
        left_ = segment_start(end + format_.segment_size - 1, format_.segment_size) - position_;
        state_ = State::rest;
        if (left_ == 0) end_record(position_);
        return ok();
    }
    previous_ = record_begin_;
    if (auto mark = mark_of(record, end)) pending_.push_back(std::move(*mark));
    record_.clear();
    if (end != position_) {
        state_ = State::padding;
        left_ = end - position_;
        return ok();
    }
    end_record(end);
    marks.insert(marks.end(), pending_.begin(), pending_.end());
    pending_.clear();
    return ok();
}

void WalParser::end_record(Lsn end) {
    state_ = State::record;
    boundary_ = end;
}

}  // namespace lifeboat::postgres

#include "providers/postgres/wal_parser.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <limits>

#include "platform/codec/crypto.h"
#include "providers/postgres/wal_record.h"

namespace lifeboat::postgres {
namespace {

constexpr std::uint32_t segment = 1U << 20U;
constexpr std::uint64_t cluster = 7'300'000'000'000'000'001U;

/// Writes WAL as a server does: pages with headers, records linked, checked and aligned.
class WalBuilder {
public:
    explicit WalBuilder(Lsn begin) : begin_(begin) {}

    Lsn end() const { return begin_ + bytes_.size(); }
    const Bytes& bytes() const { return bytes_; }
    Bytes& damage() { return bytes_; }

    /// Returns where the record begins.
    Lsn record(std::uint8_t manager, std::uint8_t info, ByteView data,
               std::uint16_t page_flags = 0) {
        Bytes record;
        append_le<std::uint32_t>(record, 0);
        append_le<std::uint32_t>(record, 700);
        append_le<std::uint64_t>(record, previous_);
        append_le<std::uint8_t>(record, info);
        append_le<std::uint8_t>(record, manager);
        append_le<std::uint16_t>(record, 0);
        append_le<std::uint32_t>(record, 0);
        append_le<std::uint8_t>(record, 254);
        append_le(record, static_cast<std::uint32_t>(data.size()));
        append(record, data);
        const auto size = static_cast<std::uint32_t>(record.size());
        std::memcpy(record.data(), &size, sizeof(size));
        std::uint32_t crc = crypto::crc32c(ByteView(record).subspan(24));
        crc = crypto::crc32c(ByteView(record).first(20), crc);
        std::memcpy(record.data() + 20, &crc, sizeof(crc));
        return put(record, page_flags);
    }
    Lsn commit(std::int64_t time, std::size_t size = 8) {
        Bytes data;
        append_le(data, time);
        data.resize(size);
        return record(1, 0x00, data);
    }
    /// The first `size` bytes of a record that a crash cut off, up to the end of a page.
    void torn_record() {
        if (end() % 8192 == 0) header(0, 0);
        Bytes data(20000);
        const auto size = static_cast<std::uint32_t>(data.size());
        std::memcpy(data.data(), &size, sizeof(size));
        while (end() % 8192 != 0) {
            bytes_.push_back(data[torn_]);
            ++torn_;
        }
    }
    void fill_segment() {
        while (end() % segment != 0) bytes_.push_back(std::byte{0});
    }
    void header(std::uint16_t flags, std::uint32_t rest) {
        const Lsn page = end();
        const bool first = page % segment == 0;
        append_le<std::uint16_t>(bytes_, 0xD110);
        append_le(bytes_, static_cast<std::uint16_t>(flags | (first ? 2 : 0)));
        append_le<std::uint32_t>(bytes_, 1);
        append_le<std::uint64_t>(bytes_, page);
        append_le<std::uint32_t>(bytes_, rest);
        append_le<std::uint32_t>(bytes_, 0);
        if (!first) return;
        append_le<std::uint64_t>(bytes_, cluster);
        append_le<std::uint32_t>(bytes_, segment);
        append_le<std::uint32_t>(bytes_, 8192);
    }

private:
    Lsn put(const Bytes& record, std::uint16_t page_flags) {
        if (end() % 8192 == 0) header(page_flags, 0);
        const Lsn at = end();
        for (std::size_t i = 0; i < record.size(); ++i) {
            if (end() % 8192 == 0) header(1, static_cast<std::uint32_t>(record.size() - i));
            bytes_.push_back(record[i]);
        }
        while (end() % 8 != 0) bytes_.push_back(std::byte{0});
        previous_ = at;
        return at;
    }

    Lsn begin_;
    Lsn previous_ = 0;
    std::size_t torn_ = 0;
    Bytes bytes_;
};

const WalFormat format{cluster, segment, 8192};

/// Feeds all bytes from `skip` on, `step` at a time.
Result<std::vector<vault::Mark>> feed(WalParser& parser, ByteView bytes, std::size_t step) {
    std::vector<vault::Mark> marks;
    while (!bytes.empty()) {
        const std::size_t size = std::min(step, bytes.size());
        TRY(parser.feed(bytes.first(size), marks));
        bytes = bytes.subspan(size);
    }
    return marks;
}

TEST(WalParser, finds_boundary_and_marks_whatever_the_size_of_the_pieces) {
    WalBuilder wal(4 * segment);
    for (int i = 0; i < 3000; ++i) wal.commit(i, 8 + static_cast<std::size_t>(i % 700));
    ASSERT_GT(wal.end(), 5 * segment);
    for (const std::size_t step : {1UL, 7UL, 8UL, 4096UL, 8192UL, 100'000UL, 10'000'000UL}) {
        WalParser parser = WalParser::at_page(format, 4 * segment);
        const auto marks = feed(parser, wal.bytes(), step);
        ASSERT_TRUE(marks.has_value()) << marks.error().message;
        ASSERT_EQ(marks->size(), 3000U);
        EXPECT_EQ(parser.boundary(), wal.end());
        EXPECT_EQ(marks->back().position, wal.end());
        EXPECT_EQ(marks->front().at, from_server_time(0));
        EXPECT_EQ(marks->back().at, from_server_time(2999));
        EXPECT_TRUE(std::is_sorted(marks->begin(), marks->end(), [](const auto& a, const auto& b) {
            return a.position < b.position;
        }));
    }
}

TEST(WalParser, boundary_stays_before_a_record_that_is_not_whole) {
    WalBuilder wal(segment);
    wal.commit(1);
    const Lsn whole = wal.end();
    wal.commit(2, 30'000);
    for (const Lsn missing : {1U, 8U, 9U, 20'000U, 30'030U}) {
        WalParser parser = WalParser::at_page(format, segment);
        const auto marks =
            feed(parser, ByteView(wal.bytes()).first(wal.bytes().size() - missing), 512);
        ASSERT_TRUE(marks.has_value());
        EXPECT_EQ(parser.boundary(), whole);
        EXPECT_EQ(marks->size(), 1U);
        EXPECT_EQ(parser.position(), wal.end() - missing);
    }
}

TEST(WalParser, begins_in_the_middle_by_skipping_the_record_that_runs_in) {
    WalBuilder wal(segment);
    wal.commit(1);
    wal.commit(2, 20'000);
    wal.commit(3);
    WalParser parser = WalParser::at_page(format, segment + 8192);
    const auto marks = feed(parser, ByteView(wal.bytes()).subspan(8192), 1000);
    ASSERT_TRUE(marks.has_value()) << marks.error().message;
    EXPECT_EQ(marks->size(), 1U);
    EXPECT_EQ(parser.boundary(), wal.end());
}

TEST(WalParser, begins_at_a_boundary) {
    WalBuilder wal(segment);
    wal.commit(1);
    const Lsn boundary = wal.end();
    const Lsn last = wal.commit(2, 20'000);
    WalParser parser = WalParser::at_boundary(format, boundary);
    const auto marks = feed(parser, ByteView(wal.bytes()).subspan(boundary - segment), 1000);
    ASSERT_TRUE(marks.has_value()) << marks.error().message;
    EXPECT_EQ(marks->size(), 1U);
    EXPECT_EQ(parser.last_record(), last);
}

TEST(WalParser, a_switch_ends_the_segment) {
    WalBuilder wal(segment);
    wal.commit(1);
    const Lsn before = wal.end();
    wal.record(0, 0x40, {});
    wal.fill_segment();
    ASSERT_EQ(wal.end(), 2 * segment);
    WalParser parser = WalParser::at_page(format, segment);
    std::vector<vault::Mark> marks;
    ASSERT_TRUE(parser.feed(ByteView(wal.bytes()).first(segment / 2), marks).has_value());
    EXPECT_EQ(parser.boundary(), before) << "not before the segment is whole";
    ASSERT_TRUE(parser.feed(ByteView(wal.bytes()).subspan(segment / 2), marks).has_value());
    EXPECT_EQ(parser.boundary(), 2 * segment);
    WalBuilder next = wal;
    next.commit(2);
    ASSERT_TRUE(parser.feed(ByteView(next.bytes()).subspan(segment), marks).has_value());
    EXPECT_EQ(parser.boundary(), next.end());
}

TEST(WalParser, a_record_torn_by_a_crash_may_be_overwritten) {
    WalBuilder wal(segment);
    wal.commit(1);
    wal.torn_record();
    wal.record(0, 0xD0, Bytes(16), 8);
    wal.commit(2);
    WalParser parser = WalParser::at_page(format, segment);
    const auto marks = feed(parser, wal.bytes(), 777);
    ASSERT_TRUE(marks.has_value()) << marks.error().message;
    EXPECT_EQ(marks->size(), 2U);
    EXPECT_EQ(parser.boundary(), wal.end());
}

TEST(WalParser, marks_commits_aborts_and_restore_points_and_nothing_else) {
    WalBuilder wal(segment);
    Bytes time;
    append_le<std::int64_t>(time, 42);
    for (const int info : {0x00, 0x80, 0x20, 0x30, 0x40})
        wal.record(1, static_cast<std::uint8_t>(info), time);
    for (const int info : {0x10, 0x50, 0x60}) wal.record(1, static_cast<std::uint8_t>(info), time);
    wal.record(10, 0x00, time);
    Bytes named = time;
    append(named, as_bytes("before the upgrade"));
    named.resize(72);
    wal.record(0, 0x70, named);
    WalParser parser = WalParser::at_page(format, segment);
    const auto marks = feed(parser, wal.bytes(), 100);
    ASSERT_TRUE(marks.has_value());
    ASSERT_EQ(marks->size(), 6U);
    EXPECT_EQ(marks->back().label, "before the upgrade");
    EXPECT_EQ(marks->front().label, "");
}

TEST(WalParser, every_flipped_byte_of_a_record_or_header_is_found) {
    WalBuilder wal(segment);
    wal.commit(1, 100);
    wal.commit(2, 100);
    // Unknown flags (2..4), xlp_tli (4..8) and the padding of header (20..24) and record (18..20)
    // are not covered by the format.
    for (std::size_t at = 0; at < wal.bytes().size(); ++at) {
        if ((at >= 2 && at < 8) || (at >= 16 && at < 24) || (at >= 36 && at < 40)) continue;
        Bytes bytes = wal.bytes();
        bytes[at] ^= std::byte{0x10};
        WalParser parser = WalParser::at_page(format, segment);
        std::vector<vault::Mark> marks;
        const auto fed = parser.feed(bytes, marks);
        const bool complete = fed.has_value() && parser.boundary() == wal.end();
        const bool padding = fed.has_value() && wal.bytes()[at] == std::byte{0} && complete;
        EXPECT_TRUE(!complete || padding) << at;
    }
}

TEST(WalParser, names_what_does_not_fit) {
    WalBuilder wal(segment);
    wal.commit(1);
    const auto message = [&](const Bytes& bytes, const WalFormat& expected, Lsn at) {
        WalParser parser = WalParser::at_page(expected, at);
        std::vector<vault::Mark> marks;
        const auto fed = parser.feed(bytes, marks);
        return fed.has_value() ? std::string("accepted") : fed.error().message;
    };
    EXPECT_EQ(message(wal.bytes(), {cluster + 1, segment, 8192}, segment),
              fmt::format("WAL at 0/100000: the segment is of cluster {}, not of {}", cluster,
                          cluster + 1));
    EXPECT_EQ(message(wal.bytes(), format, 2 * segment),
              "WAL at 0/200000: the page is that of 0/100000");
    EXPECT_EQ(message(Bytes(8192), format, segment),
              "WAL at 0/100000: page magic 0000 is none of PostgreSQL 13 to 18");
    Bytes tail = wal.bytes();
    tail.resize(tail.size() + 32);
    EXPECT_EQ(message(tail, format, segment),
              fmt::format("WAL at {}: a record cannot be 0 bytes long", format_lsn(wal.end())));
}

TEST(WalParser, a_record_that_was_left_out_is_found_by_the_link) {
    WalBuilder wal(segment);
    wal.commit(1);
    const std::size_t begin = wal.bytes().size();
    wal.commit(2);
    const std::size_t end = wal.bytes().size();
    wal.commit(3);
    Bytes bytes = wal.bytes();
    bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                bytes.begin() + static_cast<std::ptrdiff_t>(end));
    WalParser parser = WalParser::at_page(format, segment);
    std::vector<vault::Mark> marks;
    const auto fed = parser.feed(bytes, marks);
    ASSERT_FALSE(fed.has_value());
    EXPECT_EQ(fed.error().kind, ErrorKind::corrupt);
    EXPECT_NE(fed.error().message.find("the record follows"), std::string::npos);
}

TEST(ServerTime, has_no_end_that_overflows) {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(from_server_time(most), Instant::max()) << "infinity";
    EXPECT_LT(from_server_time(most / 2), Instant::max());
    EXPECT_EQ(to_server_time(Instant::min()), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(to_server_time(from_server_time(-7)), -7);
}

}  // namespace
}  // namespace lifeboat::postgres

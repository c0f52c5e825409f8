#include "providers/redis/rdb.h"

#include <gtest/gtest.h>

namespace lifeboat::redis {
namespace {

/// A snapshot as Redis writes it, piece by piece.
class Writer {
public:
    explicit Writer(const std::string& header = "REDIS0010") { raw(header); }
    Writer& raw(std::string_view text) {
        append(bytes_, as_bytes(text));
        return *this;
    }
    Writer& byte(unsigned value) {
        bytes_.push_back(static_cast<std::byte>(value));
        return *this;
    }
    Writer& text(std::string_view text) {  // shorter than 64
        byte(static_cast<unsigned>(text.size()));
        return raw(text);
    }
    Bytes end() {
        byte(0xff);
        append_le(bytes_, crc64(0, bytes_));
        return bytes_;
    }

private:
    Bytes bytes_;
};

/// The bytes in pieces of this size, then nothing.
RdbScanner::Source pieces(const Bytes& bytes, std::size_t size) {
    return [&bytes, size, at = std::size_t{0}]() mutable -> Result<Bytes> {
        const std::size_t count = std::min(size, bytes.size() - at);
        const ByteView piece = ByteView(bytes).subspan(at, count);
        at += count;
        return to_bytes(piece);
    };
}

Result<RdbSummary> scan(const Bytes& bytes, std::size_t size = 1 << 16, Bytes* seen = nullptr) {
    RdbScanner scanner(pieces(bytes, size), [&](ByteView piece) {
        if (seen != nullptr) append(*seen, piece);
        return ok();
    });
    return scanner.scan();
}

Bytes sample() {
    Writer writer;
    writer.byte(0xfa).text("redis-ver").text("7.0.15").byte(0xfa).text("ctime").byte(0xc2);
    writer.raw(std::string("\x10\x27\x00\x00", 4));
    writer.byte(0xfe).byte(0).byte(0xfb).byte(3).byte(1);
    writer.byte(0).text("plain").text("value");
    writer.byte(0xfc).raw("12345678").byte(0).text("mortal").byte(0xc1).raw("ab");
    writer.byte(4).text("hash").byte(1).text("field").text("value");
    writer.byte(0xfe).byte(9).byte(0xfb).byte(1).byte(0);
    writer.byte(5).text("zset").byte(2).text("a").raw("8 bytes.").text("b").raw("8 bytes.");
    writer.byte(18).text("list").byte(1).byte(2).text("listpack");
    return writer.end();
}

TEST(Rdb, the_checksum_is_the_one_of_redis) {
    EXPECT_EQ(crc64(0, as_bytes("123456789")), 0xe9c6d914c4b8d9caU);  // from its own test
}

TEST(Rdb, keys_are_counted_by_database_and_every_byte_is_passed_on) {
    const Bytes bytes = sample();
    for (const std::size_t size : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
        Bytes seen;
        const auto summary = scan(bytes, size, &seen);
        ASSERT_TRUE(summary.has_value()) << summary.error().message;
        EXPECT_EQ(summary->databases,
                  (std::map<std::uint64_t, KeyCount>{{0, {3, 1}}, {9, {2, 0}}}));
        EXPECT_EQ(summary->types.at(9),
                  (std::map<std::string, std::uint64_t>{{"zset", 1}, {"list", 1}}));
        EXPECT_EQ(summary->facts.at("redis-ver"), "7.0.15");
        EXPECT_EQ(summary->facts.at("ctime"), "10000");
        EXPECT_EQ(summary->size, bytes.size());
        EXPECT_TRUE(summary->checksum_proven);
        EXPECT_EQ(seen, bytes);
    }
}

TEST(Rdb, what_follows_the_snapshot_is_left_over) {
    Bytes bytes = sample();
    append(bytes, as_bytes("the mark"));
    RdbScanner scanner(pieces(bytes, bytes.size()), [](ByteView) { return ok(); });
    ASSERT_TRUE(scanner.scan().has_value());
    EXPECT_EQ(as_text(scanner.rest()), "the mark");
}

TEST(Rdb, a_cut_or_a_flipped_byte_anywhere_is_found) {
    const Bytes good = sample();
    for (std::size_t at = 0; at < good.size(); ++at) {
        const Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(at));
        EXPECT_EQ(scan(cut).error().kind, ErrorKind::corrupt) << at;
        Bytes flipped = good;
        flipped[at] ^= std::byte{0x10};
        const auto summary = scan(flipped);
        ASSERT_FALSE(summary.has_value()) << at;
        EXPECT_TRUE(summary.error().kind == ErrorKind::corrupt ||
                    summary.error().kind == ErrorKind::unsupported)
            << at;
    }
}

TEST(Rdb, a_newer_format_is_unsupported_and_nothing_is_lost_of_it) {
    Bytes bytes = Writer("REDIS0099").raw("whatever").end();
    Bytes seen;
    RdbScanner scanner(pieces(bytes, bytes.size()), [&](ByteView piece) {
        append(seen, piece);
        return ok();
    });
    EXPECT_EQ(scanner.scan().error().kind, ErrorKind::unsupported);
    append(seen, scanner.rest());
    EXPECT_EQ(seen, bytes);
}

}  // namespace
}  // namespace lifeboat::redis

#include "providers/postgres/lsn.h"

#include <gtest/gtest.h>

namespace lifeboat::postgres {
namespace {

constexpr std::uint32_t mib16 = 16U << 20U;

TEST(Lsn, text_is_that_of_the_server) {
    EXPECT_EQ(format_lsn(0x3000148), "0/3000148");
    EXPECT_EQ(format_lsn(0x16B374D848), "16/B374D848");
    EXPECT_EQ(*parse_lsn("16/B374D848"), 0x16B374D848U);
    EXPECT_EQ(*parse_lsn("0/0"), 0U);
    EXPECT_EQ(*parse_lsn("FFFFFFFF/FFFFFFFF"), ~Lsn{0});
}

TEST(Lsn, other_text_is_refused) {
    for (const char* text :
         {"", "/", "0/", "/0", "0/123456789", "0x1/2", "-1/0", "1/2/3", "latest", "1"})
        EXPECT_FALSE(parse_lsn(text).has_value()) << text;
    EXPECT_TRUE(looks_like_lsn("0/3000148"));
    EXPECT_FALSE(looks_like_lsn("2026-11-23T11:06:43Z"));
}

TEST(Lsn, segments_are_powers_of_two_from_1_mib_to_1_gib) {
    EXPECT_TRUE(is_segment_size(1U << 20U));
    EXPECT_TRUE(is_segment_size(1U << 30U));
    EXPECT_FALSE(is_segment_size(1U << 19U));
    EXPECT_FALSE(is_segment_size(std::uint64_t{1} << 31U));
    EXPECT_FALSE(is_segment_size(3U << 20U));
    EXPECT_EQ(segment_start(0x3000148, mib16), 0x3000000U);
    EXPECT_EQ(segment_start(0x3FFFFFF, 1U << 20U), 0x3F00000U);
}

TEST(WalFile, names_of_segments_depend_on_the_segment_size) {
    EXPECT_EQ(segment_name(1, 0x3000000, mib16), "000000010000000000000003");
    EXPECT_EQ(segment_name(2, 0x1FF000000, mib16), "0000000200000001000000FF");
    EXPECT_EQ(segment_name(1, 0x40000000, 1U << 30U), "000000010000000000000001");
    for (const std::uint32_t size : {1U << 20U, mib16, 1U << 30U}) {
        const Lsn begin = segment_start(0x1234567890, size);
        const auto file = parse_wal_file(segment_name(7, begin, size), size);
        ASSERT_TRUE(file.has_value());
        EXPECT_EQ(file->kind, WalFile::Kind::segment);
        EXPECT_EQ(file->timeline, 7U);
        EXPECT_EQ(file->begin, begin);
    }
}

TEST(WalFile, histories_and_other_files_are_told_apart) {
    EXPECT_EQ(parse_wal_file("00000002.history", mib16)->kind, WalFile::Kind::history);
    EXPECT_EQ(parse_wal_file("00000002.history", mib16)->timeline, 2U);
    EXPECT_EQ(history_name(2), "00000002.history");
    EXPECT_EQ(parse_wal_file("000000010000000000000003.partial", mib16)->kind,
              WalFile::Kind::other);
    EXPECT_EQ(parse_wal_file("000000010000000000000003.00000028.backup", mib16)->kind,
              WalFile::Kind::other);
}

TEST(WalFile, what_is_no_wal_file_is_refused) {
    for (const char* name :
         {"", "0000000", "00000000.history", "00000002.histor", "../../etc/passwd",
          "000000010000000000000G03", "00000001000000000000000", "000000010000000000000100",
          "0000000100000000000000031"})
        EXPECT_FALSE(parse_wal_file(name, mib16).has_value()) << name;
}

}  // namespace
}  // namespace lifeboat::postgres

#include "providers/postgres/control_file.h"

#include <gtest/gtest.h>

namespace lifeboat::postgres {
namespace {

// The control file of a cluster made by initdb of PostgreSQL 15 with checksums.
constexpr std::string_view initdb =
    "d62f3c2f5326046b1405000025770d0c01000000000000005326046b00000000f814740100000000f8147401"
    "0000000001000000010000000100000000000000d402000000000000043500000100000000000000cc020000"
    "010000000100000001000000000000005326046b0000000000000000000000000000000000000000e8030000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000001000000"
    "0000000064000000080000000a000000000000004000000000000000080000000000000087d6324100200000"
    "0000020000200000000000014000000020000000cc070000000800000100000001000000f27ad9ee682b6820"
    "f551b777ebde5a2b7924cc9c5b18b263bb4a0b96dd0ab479da6c276b";

Bytes control_bytes() { return *from_hex(initdb); }

TEST(ControlFile, is_read_as_pg_controldata_reads_it) {
    const auto control = parse_control_file(control_bytes());
    ASSERT_TRUE(control.has_value()) << control.error().message;
    EXPECT_EQ(control->system_identifier, 7711330600681746390U);
    EXPECT_EQ(control->state, "shut down");
    EXPECT_TRUE(control->is_shut_down);
    EXPECT_EQ(format_lsn(control->checkpoint), "0/17414F8");
    EXPECT_EQ(format_lsn(control->redo), "0/17414F8");
    EXPECT_EQ(control->timeline, 1U);
    EXPECT_EQ(format_instant(control->checkpoint_at), "2026-11-23T11:41:07Z");
    EXPECT_EQ(control->limits, (Limits{100, 8, 10, 0, 64}));
    EXPECT_EQ(control->block_size, 8192U);
    EXPECT_EQ(control->wal_block_size, 8192U);
    EXPECT_EQ(control->segment_size, 16U << 20U);
    EXPECT_TRUE(control->checksums);
}

TEST(ControlFile, every_flipped_byte_is_found) {
    for (std::size_t at = 0; at < control_bytes().size(); ++at) {
        Bytes bytes = control_bytes();
        bytes[at] ^= std::byte{1};
        EXPECT_FALSE(parse_control_file(bytes).has_value()) << at;
    }
}

TEST(ControlFile, of_another_layout_or_cut_short_is_refused) {
    Bytes bytes = control_bytes();
    bytes[8] = std::byte{0};
    EXPECT_EQ(parse_control_file(bytes).error().kind, ErrorKind::unsupported);
    bytes.resize(200);
    EXPECT_EQ(parse_control_file(bytes).error().kind, ErrorKind::corrupt);
}

TEST(ControlFile, without_its_label_a_restored_one_cannot_start) {
    const auto disabled = require_backup_label(control_bytes());
    ASSERT_TRUE(disabled.has_value());
    const auto control = parse_control_file(*disabled);
    ASSERT_TRUE(control.has_value()) << "the checksum was made anew";
    EXPECT_EQ(control->checkpoint, 0xDEADU);
    EXPECT_EQ(control->system_identifier, 7711330600681746390U);
}

TEST(Limits, are_raised_each_by_itself) {
    EXPECT_EQ((Limits{100, 8, 10, 0, 64}.raised_to({50, 9, 10, 5, 64})),
              (Limits{100, 9, 10, 5, 64}));
}

}  // namespace
}  // namespace lifeboat::postgres

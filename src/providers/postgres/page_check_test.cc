#include "providers/postgres/page_check.h"

#include <gtest/gtest.h>

namespace lifeboat::postgres {
namespace {

Bytes page_of(std::uint32_t block, Lsn lsn = 0x1000) {
    Bytes page(8192);
    for (std::size_t i = 24; i < page.size(); ++i) page[i] = static_cast<std::byte>(i * 7 + block);
    const auto high = static_cast<std::uint32_t>(lsn >> 32U), low = static_cast<std::uint32_t>(lsn);
    std::memcpy(page.data(), &high, 4);
    std::memcpy(page.data() + 4, &low, 4);
    page[14] = std::byte{100};
    const std::uint16_t sum = page_checksum(page, block);
    std::memcpy(page.data() + 8, &sum, 2);
    return page;
}

TEST(PageCheck, files_with_pages_are_told_by_their_names) {
    EXPECT_EQ(relation_segment("base/5/16384"), 0U);
    EXPECT_EQ(relation_segment("base/5/16384.12"), 12U);
    EXPECT_EQ(relation_segment("base/5/16384_fsm"), 0U);
    EXPECT_EQ(relation_segment("global/1260_vm"), 0U);
    EXPECT_EQ(relation_segment("tablespaces/16400/PG_15_202209061/5/16401_init"), 0U);
    EXPECT_EQ(relation_segment("global/pg_control"), std::nullopt);
    EXPECT_EQ(relation_segment("base/5/pg_filenode.map"), std::nullopt);
    EXPECT_EQ(relation_segment("base/5/PG_VERSION"), std::nullopt);
    EXPECT_EQ(relation_segment("pg_xact/0000"), std::nullopt);
    EXPECT_EQ(relation_segment("base/5/16384_other"), std::nullopt);
    EXPECT_EQ(relation_segment("base/5/16384.x"), std::nullopt);
}

TEST(PageCheck, good_pages_pass_in_pieces_of_any_size) {
    Bytes file;
    for (std::uint32_t block = 0; block < 5; ++block) append(file, page_of(131072 + block));
    for (const std::size_t step : {1000UL, 8192UL, 9000UL, 100'000UL}) {
        PageCheck check({});
        check.begin_file("base/5/16384.1");
        for (std::size_t at = 0; at < file.size(); at += step)
            check.feed(ByteView(file).subspan(at, std::min(step, file.size() - at)));
        EXPECT_EQ(check.pages(), 5U);
        EXPECT_EQ(check.bad_count(), 0U);
    }
}

TEST(PageCheck, a_flipped_bit_and_a_page_at_the_wrong_place_are_found) {
    PageCheck check({});
    check.begin_file("base/5/16384");
    Bytes flipped = page_of(0);
    flipped[5000] ^= std::byte{4};
    check.feed(flipped);
    check.feed(page_of(2));
    check.feed(page_of(2));
    ASSERT_EQ(check.bad_count(), 2U);
    EXPECT_EQ(check.bad()[0].file, "base/5/16384");
    EXPECT_EQ(check.bad()[0].block, 0U);
    EXPECT_EQ(check.bad()[1].block, 1U);
}

TEST(PageCheck, pages_that_replay_will_repair_and_unused_pages_are_accepted) {
    PageCheck check({.backup_start = 0x2000});
    check.begin_file("base/5/16384");
    Bytes torn = page_of(0, 0x2000);
    torn[5000] ^= std::byte{4};
    check.feed(torn);
    check.feed(Bytes(8192));
    EXPECT_EQ(check.bad_count(), 0U);
    Bytes half(8192);
    half[100] = std::byte{1};
    check.feed(half);
    EXPECT_EQ(check.bad_count(), 1U) << "neither unused nor checked";
}

TEST(PageCheck, files_without_pages_are_left_alone) {
    PageCheck check({});
    check.begin_file("pg_xact/0000");
    check.feed(Bytes(8192, std::byte{1}));
    EXPECT_EQ(check.pages(), 0U);
}

}  // namespace
}  // namespace lifeboat::postgres

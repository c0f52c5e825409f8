#include "providers/postgres/tar_reader.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace lifeboat::postgres {
namespace {

void set(Bytes& block, std::size_t at, std::string_view text) {
    std::memcpy(block.data() + at, text.data(), text.size());
}

Bytes header(const std::string& name, char type, std::uint64_t size, const std::string& target = {},
             const std::string& prefix = {}) {
    Bytes block(512);
    set(block, 0, name);
    set(block, 100, "0000640");
    set(block, 124, fmt::format("{:011o}", size));
    set(block, 136, fmt::format("{:011o}", 1'700'000'000));
    block[156] = static_cast<std::byte>(type);
    set(block, 157, target);
    set(block, 257, std::string_view("ustar\00000", 8));
    set(block, 345, prefix);
    std::uint64_t sum = 8 * ' ';
    for (const std::byte byte : block) sum += std::to_integer<std::uint64_t>(byte);
    set(block, 148, fmt::format("{:06o}", sum));
    return block;
}

Bytes with_data(Bytes head, std::string_view data) {
    append(head, as_bytes(data));
    while (head.size() % 512 != 0) head.push_back(std::byte{0});
    return head;
}

struct Seen {
    std::vector<TarEntry> entries;
    std::vector<std::string> contents;
    Result<void> result;
};

Seen read(const Bytes& archive, std::size_t step = 512) {
    Seen seen;
    TarReader reader({[&](const TarEntry& entry) {
                          seen.entries.push_back(entry);
                          seen.contents.emplace_back();
                          return ok();
                      },
                      [&](ByteView data) {
                          seen.contents.back() += as_text(data);
                          return ok();
                      },
                      [&] {
                          seen.contents.back() += '$';
                          return ok();
                      }});
    for (std::size_t at = 0; at < archive.size() && seen.result.has_value(); at += step)
        seen.result =
            reader.feed(ByteView(archive).subspan(at, std::min(step, archive.size() - at)));
    if (seen.result.has_value()) seen.result = reader.finish();
    return seen;
}

TEST(TarReader, reads_files_directories_and_links_in_pieces_of_any_size) {
    Bytes archive = with_data(header("backup_label", '0', 6), "label\n");
    append(archive, header("./pg_wal/", '5', 0));
    append(archive, header("pg_tblspc/16400", '2', 0, "/srv/fast"));
    append(archive, with_data(header("empty", '0', 0), ""));
    append(archive, with_data(header("base/1/1259", '0', 700), std::string(700, 'x')));
    append(archive, Bytes(1024));
    for (const std::size_t step : {1UL, 511UL, 512UL, 513UL, 100'000UL}) {
        const Seen seen = read(archive, step);
        ASSERT_TRUE(seen.result.has_value()) << seen.result.error().message;
        ASSERT_EQ(seen.entries.size(), 5U);
        EXPECT_EQ(seen.entries[0].path, "backup_label");
        EXPECT_EQ(seen.entries[0].mode, 0640U);
        EXPECT_EQ(seen.entries[0].modified, Instant(std::chrono::seconds(1'700'000'000)));
        EXPECT_EQ(seen.contents[0], "label\n$");
        EXPECT_EQ(seen.entries[1].path, "pg_wal");
        EXPECT_EQ(seen.entries[1].type, TarEntry::Type::directory);
        EXPECT_EQ(seen.entries[2].target, "/srv/fast");
        EXPECT_EQ(seen.contents[3], "$");
        EXPECT_EQ(seen.contents[4], std::string(700, 'x') + "$");
    }
}

TEST(TarReader, takes_long_names_from_prefix_gnu_and_pax) {
    const std::string deep = std::string(90, 'd') + "/" + std::string(90, 'f');
    Bytes archive = header("file", '5', 0, {}, "a/b");
    append(archive, with_data(header("././@LongLink", 'L', deep.size() + 1), deep + '\0'));
    append(archive, header("cut", '5', 0));
    const std::string record = fmt::format("{} path={}\n", deep.size() + 10, deep);
    append(archive, with_data(header("pax", 'x', record.size()), record));
    append(archive, header("cut", '5', 0));
    append(archive, with_data(header("pax", 'x', 12), "12 size=600\n"));
    append(archive, with_data(header("big", '0', 0), std::string(600, 'z')));
    append(archive, header("last", '5', 0));
    const Seen seen = read(archive);
    ASSERT_TRUE(seen.result.has_value()) << seen.result.error().message;
    ASSERT_EQ(seen.entries.size(), 5U);
    EXPECT_EQ(seen.entries[0].path, "a/b/file");
    EXPECT_EQ(seen.entries[1].path, deep);
    EXPECT_EQ(seen.entries[2].path, deep);
    EXPECT_EQ(seen.contents[3], std::string(600, 'z') + "$");
    EXPECT_EQ(seen.entries[4].path, "last");
}

TEST(TarReader, sizes_beyond_octal_are_base_256) {
    Bytes head = header("huge", '0', 0);
    std::fill_n(head.begin() + 124, 12, std::byte{0});
    head[124] = std::byte{0x80};
    head[132] = std::byte{0x03};  // 3 * 2^24
    set(head, 148, "        ");
    std::uint64_t sum = 0;
    for (const std::byte byte : head) sum += std::to_integer<std::uint64_t>(byte);
    set(head, 148, fmt::format("{:06o}", sum));
    head[154] = std::byte{0};
    const Seen seen = read(head);
    ASSERT_EQ(seen.entries.size(), 1U);
    EXPECT_EQ(seen.entries[0].size, 3U << 24U);
    EXPECT_FALSE(seen.result.has_value()) << "its bytes are missing";
}

TEST(TarReader, damage_and_dangerous_paths_are_refused) {
    Bytes flipped = header("a", '5', 0);
    flipped[0] ^= std::byte{1};
    EXPECT_EQ(read(flipped).result.error().kind, ErrorKind::corrupt);
    EXPECT_EQ(read(header("../a", '5', 0)).result.error().kind, ErrorKind::corrupt);
    EXPECT_EQ(read(header("a/../../b", '5', 0)).result.error().kind, ErrorKind::corrupt);
    EXPECT_EQ(read(header("/etc/passwd", '0', 0)).result.error().kind, ErrorKind::corrupt);
    EXPECT_EQ(read(header("a", '3', 0)).result.error().kind, ErrorKind::unsupported);
    EXPECT_EQ(read(with_data(header("x", 'x', 5), "9 p=q")).result.error().kind,
              ErrorKind::corrupt);
    EXPECT_EQ(read(header("a", '0', 5)).result.error().message, "tar: the archive ends within 'a'");
}

}  // namespace
}  // namespace lifeboat::postgres

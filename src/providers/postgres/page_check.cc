#include "providers/postgres/page_check.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "platform/base/text.h"

namespace lifeboat::postgres {
namespace {

constexpr std::size_t lanes = 32;
constexpr std::uint32_t fnv_prime = 16777619;
// The seeds of the server's parallel FNV-1a (storage/checksum_impl.h).
constexpr std::array<std::uint32_t, lanes> seeds{
    0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
    0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
    0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
    0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756};
constexpr std::size_t checksum_at = 8;  // pd_checksum, 2 bytes
constexpr std::size_t upper_at = 14;    // pd_upper: 0 on a page that was never used
constexpr std::size_t bad_kept = 100;

std::uint32_t mix(std::uint32_t sum, std::uint32_t value) {
    const std::uint32_t mixed = sum ^ value;
    return mixed * fnv_prime ^ (mixed >> 17U);
}

bool all_digits(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::uint16_t page_checksum(ByteView page, std::uint32_t block) {
    std::array<std::uint32_t, lanes> sums = seeds;
    std::array<std::uint32_t, lanes> row{};
    for (std::size_t at = 0; at < page.size(); at += sizeof(row)) {
        std::memcpy(row.data(), page.data() + at, sizeof(row));
        // The checksum does not cover itself.
        if (at == 0) row[checksum_at / 4] &= 0xFFFF0000U;
        for (std::size_t lane = 0; lane < lanes; ++lane) sums[lane] = mix(sums[lane], row[lane]);
    }
    for (int round = 0; round < 2; ++round)
        for (std::uint32_t& sum : sums) sum = mix(sum, 0);
    std::uint32_t result = 0;
    for (const std::uint32_t sum : sums) result ^= sum;
    return static_cast<std::uint16_t>((result ^ block) % 65535 + 1);
}

std::optional<std::uint32_t> relation_segment(std::string_view path) {
    const auto in = [&](std::string_view folder) {
        return path.find(folder) == 0 || path.find(std::string("/").append(folder)) != path.npos;
    };
    if (!in("base/") && !in("global/") && !in("PG_")) return std::nullopt;
    std::string_view name = path.substr(path.rfind('/') + 1);
    std::uint32_t segment = 0;
    if (const auto dot = name.find('.'); dot != name.npos) {
        const std::string_view number = name.substr(dot + 1);
        if (!all_digits(number) || number.size() > 6) return std::nullopt;
        std::from_chars(number.data(), number.data() + number.size(), segment);
        name = name.substr(0, dot);
    }
    const auto fork = name.find('_');
    if (fork != name.npos) {
        const std::string_view kind = name.substr(fork + 1);
        if (kind != "fsm" && kind != "vm" && kind != "init") return std::nullopt;
        name = name.substr(0, fork);
    }
    if (!all_digits(name)) return std::nullopt;
    return segment;
}

void PageCheck::begin_file(const std::string& path) {
    file_ = path;
    segment_ = relation_segment(path);
    block_ = 0;
    partial_.clear();
}

void PageCheck::feed(ByteView bytes) {
    if (!segment_) return;
    if (!partial_.empty()) {
        const std::size_t taken = std::min(bytes.size(), options_.block_size - partial_.size());
        append(partial_, bytes.first(taken));
        bytes = bytes.subspan(taken);
        if (partial_.size() < options_.block_size) return;
        check(partial_);
        partial_.clear();
    }
    for (; bytes.size() >= options_.block_size; bytes = bytes.subspan(options_.block_size))
        check(bytes.first(options_.block_size));
    append(partial_, bytes);
}

void PageCheck::check(ByteView page) {
    const std::uint32_t block = block_++;
    ++pages_;
    const bool unused = load_le<std::uint16_t>(page, upper_at) == 0;
    const bool zero = unused && std::all_of(page.begin(), page.end(),
                                            [](std::byte b) { return b == std::byte{0}; });
    if (zero) return;
    const Lsn changed =
        (Lsn{load_le<std::uint32_t>(page, 0)} << 32U) | load_le<std::uint32_t>(page, 4);
    if (options_.backup_start != 0 && changed >= options_.backup_start) return;
    const std::uint32_t number = *segment_ * options_.blocks_per_segment + block;
    if (!unused && page_checksum(page, number) == load_le<std::uint16_t>(page, checksum_at)) return;
    ++bad_count_;
    if (bad_.size() < bad_kept) bad_.push_back({file_, block});
}

}  // namespace lifeboat::postgres

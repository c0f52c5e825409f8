#include "vault/chunker.h"

#include <fmt/core.h>

#include <algorithm>

namespace lifeboat::vault {
namespace {

// Normalised chunking: harder to cut before the average size, easier behind it. The high bits of
// the rolling value are those that depend on the most bytes.
constexpr unsigned hard_bits = 22;
constexpr unsigned easy_bits = 18;

}  // namespace

GearTable make_gear_table(const crypto::Key& gear) {
    GearTable table{};
    for (std::size_t i = 0; i < table.size(); i += 4) {
        const Digest random = crypto::hmac_sha256(gear, as_bytes(fmt::format("gear {}", i)));
        for (std::size_t j = 0; j < 4; ++j) table[i + j] = load_le<std::uint64_t>(random, j * 8);
    }
    return table;
}

Chunker::Step Chunker::feed(ByteView bytes) {
    CHECK(!bytes.empty());
    if (chunking_ == Chunking::content_defined) return feed_content(bytes);
    const std::size_t taken = std::min(bytes.size(), fixed_chunk_size - size_);
    size_ += taken;
    const bool cut = size_ == fixed_chunk_size;
    if (cut) size_ = 0;
    return {taken, cut};
}

Chunker::Step Chunker::feed_content(ByteView bytes) {
    std::size_t at = 0;
    // Nothing is ever cut before the minimum, so these bytes need not be looked at.
    if (size_ < content_chunk_min) at = std::min(bytes.size(), content_chunk_min - size_);
    const std::size_t start = size_;
    const GearTable& gear = *gear_;
    std::uint64_t rolling = rolling_;
    bool cut = false;
    while (at < bytes.size() && !cut) {
        const std::size_t size = start + at;
        const std::size_t limit =
            size < content_chunk_average ? content_chunk_average : content_chunk_max;
        const unsigned bits = size < content_chunk_average ? hard_bits : easy_bits;
        const std::size_t end = std::min(bytes.size(), at + (limit - size));
        while (at < end) {
            rolling = (rolling << 1U) + gear[std::to_integer<std::size_t>(bytes[at++])];
            if (rolling >> (64 - bits) == 0) {
                cut = true;
                break;
            }
        }
        if (start + at == content_chunk_max) cut = true;
    }
    size_ = cut ? 0 : start + at;
    rolling_ = cut ? 0 : rolling;
    return {at, cut};
}

bool is_zero(ByteView bytes) {
    if (bytes.empty()) return true;
    return bytes.front() == std::byte{0} &&
           std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

}  // namespace lifeboat::vault

#include "platform/codec/crc32c.h"

#include <array>

#include "platform/codec/crypto.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace lifeboat::crypto {
namespace detail {
namespace {

using Table = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Table make_table() {
    Table table{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t crc = byte;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
        table[0][byte] = crc;
    }
    for (std::size_t slice = 1; slice < 8; ++slice)
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t before = table[slice - 1][byte];
            table[slice][byte] = (before >> 8U) ^ table[0][before & 0xFFU];
        }
    return table;
}

constexpr Table table = make_table();

std::uint64_t load(const std::byte* at) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof(word));
    if constexpr (std::endian::native == std::endian::big) word = std::byteswap(word);
    return word;
}

}  // namespace

std::uint32_t crc32c_by_table(ByteView bytes, std::uint32_t seed) {
    std::uint32_t crc = ~seed;
    std::size_t at = 0;
    for (; bytes.size() - at >= 8; at += 8) {
        const std::uint64_t word = load(bytes.data() + at) ^ crc;
        crc = 0;
        for (std::size_t i = 0; i < 8; ++i) crc ^= table[7 - i][(word >> (8 * i)) & 0xFFU];
    }
    for (; at < bytes.size(); ++at)
        crc = (crc >> 8U) ^ table[0][(crc ^ std::to_integer<std::uint32_t>(bytes[at])) & 0xFFU];
    return ~crc;
}

#if defined(__x86_64__)

bool has_crc32c_instruction() {
    static const bool present = __builtin_cpu_supports("sse4.2") != 0;
    return present;
}

__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(ByteView bytes,
                                                                      std::uint32_t seed) {
    std::uint64_t crc = static_cast<std::uint32_t>(~seed);
    std::size_t at = 0;
    for (; bytes.size() - at >= 8; at += 8) crc = _mm_crc32_u64(crc, load(bytes.data() + at));
    auto rest = static_cast<std::uint32_t>(crc);
    for (; at < bytes.size(); ++at)
        rest = _mm_crc32_u8(rest, std::to_integer<unsigned char>(bytes[at]));
    return ~rest;
}

#else

bool has_crc32c_instruction() { return false; }

std::uint32_t crc32c_by_instruction(ByteView bytes, std::uint32_t seed) {
    return crc32c_by_table(bytes, seed);
}

#endif

}  // namespace detail

std::uint32_t crc32c(ByteView bytes, std::uint32_t seed) {
    return detail::has_crc32c_instruction() ? detail::crc32c_by_instruction(bytes, seed)
                                            : detail::crc32c_by_table(bytes, seed);
}

}  // namespace lifeboat::crypto

#pragma once
/// Bytes as owned and borrowed sequences, fixed-width little/big endian access, hex and base64.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/result.h"

namespace lifeboat {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

inline ByteView as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes to_bytes(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

/// Reads a little-endian integer. Requires: `at + sizeof(T) <= bytes.size()`.
template <class T>
T load_le(ByteView bytes, std::size_t at) {
    CHECK(at <= bytes.size() && sizeof(T) <= bytes.size() - at);
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
    return value;
}
template <class T>
T load_be(ByteView bytes, std::size_t at) {
    return std::byteswap(load_le<T>(bytes, at));
}
template <class T>
void append_le(Bytes& out, T value) {
    if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
    const auto* raw = reinterpret_cast<const std::byte*>(&value);
    out.insert(out.end(), raw, raw + sizeof(T));
}
template <class T>
void append_be(Bytes& out, T value) {
    append_le(out, std::byteswap(value));
}
inline void append(Bytes& out, ByteView bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

std::string to_hex(ByteView bytes);
/// Errors: invalid (odd length, not hex).
Result<Bytes> from_hex(std::string_view text);
std::string to_base64(ByteView bytes);
/// Errors: invalid.
Result<Bytes> from_base64(std::string_view text);

}  // namespace lifeboat

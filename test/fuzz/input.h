#pragma once
/// What fuzzers share: the input as text and bytes, and a check that also holds in release builds.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "platform/base/bytes.h"
#include "platform/base/result.h"

namespace lifeboat::fuzz {

inline ByteView bytes_of(const std::uint8_t* data, std::size_t size) {
    return std::as_bytes(std::span(data, size));
}
inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return as_text(bytes_of(data, size));
}

}  // namespace lifeboat::fuzz

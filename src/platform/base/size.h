#pragma once
/// Byte counts and rates as people write them: `64KiB`, `16MB`, `50MiB/s`.

#include <cstdint>
#include <string>
#include <string_view>

#include "platform/base/result.h"

namespace lifeboat {

/// Parses `4096`, `64KiB`, `16MB`, `1.5GiB` (KB is 1000, KiB is 1024). Errors: invalid.
Result<std::uint64_t> parse_size(std::string_view text);
/// Parses a size per second, `50MiB/s`; the `/s` may be left out. Unit of the result: bytes per
/// second.
Result<std::uint64_t> parse_rate(std::string_view text);
/// For people, three significant digits, binary units: "6.90 GiB".
std::string human_size(std::uint64_t bytes);

}  // namespace lifeboat

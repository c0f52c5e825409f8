#include "platform/base/size.h"

#include <fmt/core.h>

#include <array>
#include <limits>
#include <optional>

#include "platform/base/text.h"

namespace lifeboat {
namespace {

// GCC's own type: a product of two 64-bit numbers must not overflow before it is checked.
__extension__ using Wide = unsigned __int128;

constexpr std::array<std::string_view, 7> binary_units = {"B",   "KiB", "MiB", "GiB",
                                                          "TiB", "PiB", "EiB"};
constexpr std::array<std::string_view, 7> decimal_units = {"B", "kb", "mb", "gb", "tb", "pb", "eb"};

std::optional<std::uint64_t> unit_bytes(std::string_view unit) {
    const std::string lower = to_lower(unit);
    if (lower.empty() || lower == "b") return 1;
    std::uint64_t binary = 1;
    std::uint64_t decimal = 1;
    for (std::size_t i = 1; i < binary_units.size(); ++i) {
        binary *= 1024;
        decimal *= 1000;
        if (lower == to_lower(binary_units.at(i))) return binary;
        if (lower == decimal_units.at(i)) return decimal;
    }
    return std::nullopt;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

Error not_a_size(std::string_view text, std::string_view why) {
    return invalid(fmt::format("'{}' is not a size: {}", text, why),
                   "Write a number and a unit, such as 4096, 64KiB, 16MB or 1.5GiB.");
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
    constexpr auto limit = std::numeric_limits<std::uint64_t>::max();
    const std::string_view body = trim(text);
    std::size_t at = 0;
    Wide whole = 0;
    for (; at < body.size() && is_digit(body[at]); ++at) {
        whole = whole * 10 + static_cast<unsigned>(body[at] - '0');
        if (whole > limit) return not_a_size(text, "it is too large");
    }
    if (at == 0) return not_a_size(text, "it does not begin with a digit");

    Wide fraction = 0;
    Wide scale = 1;
    bool has_fraction = false;
    if (at < body.size() && body[at] == '.') {
        const std::size_t first = ++at;
        for (; at < body.size() && is_digit(body[at]); ++at) {
            if (at - first >= 18) continue;  // Less than a byte of the largest unit.
            fraction = fraction * 10 + static_cast<unsigned>(body[at] - '0');
            scale *= 10;
        }
        if (at == first) return not_a_size(text, "no digit follows the point");
        has_fraction = true;
    }

    const std::string_view unit = trim(body.substr(at));
    const auto bytes = unit_bytes(unit);
    if (!bytes) return not_a_size(text, fmt::format("unknown unit '{}'", unit));
    if (has_fraction && *bytes == 1) return not_a_size(text, "a byte cannot be divided");
    const Wide total = whole * *bytes + fraction * *bytes / scale;
    if (total > limit) return not_a_size(text, "it is too large");
    return static_cast<std::uint64_t>(total);
}

Result<std::uint64_t> parse_rate(std::string_view text) {
    std::string_view body = trim(text);
    if (body.ends_with("/s")) body.remove_suffix(2);
    auto size = parse_size(body);
    if (!size.has_value()) {
        return invalid(fmt::format("'{}' is not a rate: {}", text, size.error().message),
                       "Write a size per second, such as 50MiB/s.");
    }
    return size;
}

std::string human_size(std::uint64_t bytes) {
    if (bytes < 1024) return fmt::format("{} B", bytes);
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1023.5 && unit + 1 < binary_units.size()) {
        value /= 1024;
        ++unit;
    }
    // The thresholds are those of rounding: 9.995 prints as 10.0, not as 10.00.
    const int digits = value < 9.995 ? 2 : (value < 99.95 ? 1 : 0);
    return fmt::format("{:.{}f} {}", value, digits, binary_units.at(unit));
}

}  // namespace lifeboat

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "platform/base/text.h"
#include "platform/base/time.h"

namespace lifeboat {
namespace {

// GCC's own type: a product of two 64-bit numbers must not overflow before it is checked.
__extension__ using Wide = __int128;

struct Unit {
    std::string_view name;
    std::int64_t micros;
};

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;
constexpr Wide longest = Wide{36'525} * day;  // 100 years

// From large to small. Weeks are read but never written: "30d" stays what people wrote.
constexpr std::array<Unit, 7> units = {Unit{"w", 7 * day}, Unit{"d", day},    Unit{"h", hour},
                                       Unit{"m", minute},  Unit{"s", second}, Unit{"ms", 1000},
                                       Unit{"us", 1}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

Error not_a_duration(std::string_view text, std::string_view why) {
    return invalid(fmt::format("'{}' is not a duration: {}", text, why),
                   "Write numbers with units (us ms s m h d w), such as 90s, 15m, 1h30m or 30d.");
}

/// Takes a number from the front of `rest`: its whole part, and its fraction as `part / scale`.
struct Number {
    Wide whole = 0;
    Wide part = 0;
    Wide scale = 1;
};

std::optional<Number> take_number(std::string_view& rest) {
    Number number;
    std::size_t at = 0;
    for (; at < rest.size() && is_digit(rest[at]); ++at) {
        number.whole = std::min(number.whole * 10 + (rest[at] - '0'), longest);
    }
    if (at == 0) return std::nullopt;
    if (at < rest.size() && rest[at] == '.') {
        const std::size_t first = ++at;
        for (; at < rest.size() && is_digit(rest[at]); ++at) {
            if (at - first >= 15) continue;  // Less than a microsecond of a week.
            number.part = number.part * 10 + (rest[at] - '0');
            number.scale *= 10;
        }
        if (at == first) return std::nullopt;
    }
    rest.remove_prefix(at);
    return number;
}

std::string two_units(std::int64_t value, const Unit& large, const Unit& small) {
    const std::int64_t rounded = (value + small.micros / 2) / small.micros;
    const std::int64_t ratio = large.micros / small.micros;
    std::string text = fmt::format("{}{}", rounded / ratio, large.name);
    if (rounded % ratio != 0) text += fmt::format("{}{}", rounded % ratio, small.name);
    return text;
}

std::int64_t rounded_to(std::int64_t value, std::int64_t unit) {
    return (value + unit / 2) / unit * unit;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
    std::string_view rest = trim(text);
    if (rest == "0") return Duration::zero();
    if (rest.empty()) return not_a_duration(text, "it is empty");
    if (rest.front() == '-') return not_a_duration(text, "it is negative");
    Wide total = 0;
    std::size_t next_unit = 0;
    while (!rest.empty()) {
        const auto number = take_number(rest);
        if (!number) return not_a_duration(text, fmt::format("no number at '{}'", rest));
        std::size_t letters = 0;
        while (letters < rest.size() && rest[letters] >= 'a' && rest[letters] <= 'z') ++letters;
        const std::string_view name = rest.substr(0, letters);
        if (name.empty()) return not_a_duration(text, "a number has no unit");
        std::size_t index = 0;
        while (index < units.size() && units.at(index).name != name) ++index;
        if (index == units.size()) {
            return not_a_duration(text, fmt::format("unknown unit '{}'", name));
        }
        // Larger units first and each once: `5m1h` or `5m5m` is more likely a slip than meant.
        if (index < next_unit) return not_a_duration(text, "its units do not descend");
        next_unit = index + 1;
        const Wide micros = units.at(index).micros;
        total += number->whole * micros + number->part * micros / number->scale;
        if (total > longest) return not_a_duration(text, "it is longer than 100 years");
        rest.remove_prefix(letters);
    }
    return Duration(static_cast<std::int64_t>(total));
}

std::string format_duration(Duration duration) {
    if (duration == Duration::zero()) return "0s";
    Wide left = duration.count();
    std::string text = left < 0 ? "-" : "";
    if (left < 0) left = -left;
    for (const Unit& unit : units) {
        if (unit.name == "w" || left < unit.micros) continue;
        text += fmt::format("{}{}", static_cast<std::int64_t>(left / unit.micros), unit.name);
        left %= unit.micros;
    }
    return text;
}

std::string human_duration(Duration duration) {
    constexpr std::int64_t shortest = std::numeric_limits<std::int64_t>::min();
    std::int64_t value = duration.count();
    // A week of headroom, so that rounding cannot overflow.
    if (value < 0) {
        value = -std::max(value, shortest + 7 * day);
        return "-" + human_duration(Duration(value));
    }
    value = std::min(value, std::numeric_limits<std::int64_t>::max() - 7 * day);
    if (value == 0) return "0s";
    if (value < 1000) return fmt::format("{}us", value);
    if (rounded_to(value, 1000) < second) return fmt::format("{}ms", (value + 500) / 1000);
    if (const std::int64_t tenths = rounded_to(value, second / 10) / (second / 10); tenths < 100) {
        if (tenths % 10 == 0) return fmt::format("{}s", tenths / 10);
        return fmt::format("{}.{}s", tenths / 10, tenths % 10);
    }
    const Unit& d = units[1];
    const Unit& h = units[2];
    const Unit& m = units[3];
    const Unit& s = units[4];
    if (rounded_to(value, second) < minute)
        return fmt::format("{}s", (value + second / 2) / second);
    if (rounded_to(value, second) < hour) return two_units(value, m, s);
    if (rounded_to(value, minute) < day) return two_units(value, h, m);
    if (rounded_to(value, hour) < 10 * day) return two_units(value, d, h);
    return fmt::format("{}d", (value + day / 2) / day);
}

}  // namespace lifeboat

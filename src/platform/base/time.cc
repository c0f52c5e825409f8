#include "platform/base/time.h"

#include <fmt/core.h>

#include <optional>

#include "platform/base/text.h"

namespace lifeboat {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

/// Reads RFC 3339 from left to right; every take_* says whether it found what it wants.
class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}

    bool done() const { return rest_.empty(); }
    bool take(std::string_view any_of) {
        if (rest_.empty() || any_of.find(rest_.front()) == std::string_view::npos) return false;
        rest_.remove_prefix(1);
        return true;
    }
    std::optional<int> take_digits(std::size_t count) {
        if (rest_.size() < count) return std::nullopt;
        int value = 0;
        for (const char c : rest_.substr(0, count)) {
            if (c < '0' || c > '9') return std::nullopt;
            value = value * 10 + (c - '0');
        }
        rest_.remove_prefix(count);
        return value;
    }
    /// Digits after a point, as microseconds; what is finer is cut off.
    std::optional<Duration> take_fraction() {
        Duration fraction{};
        Duration digit{100'000};
        bool any = false;
        for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; any = true) {
            fraction += digit * (rest_.front() - '0');
            digit /= 10;
            rest_.remove_prefix(1);
        }
        if (!any) return std::nullopt;
        return fraction;
    }

private:
    std::string_view rest_;
};

Error not_an_instant(std::string_view text, std::string_view why) {
    return invalid(fmt::format("'{}' is not a time: {}", text, why),
                   "Write RFC 3339 with an offset, such as 2025-12-04T02:00:00Z, or a date.");
}

/// `Z` or `±hh:mm`.
std::optional<minutes> take_offset(Reader& reader) {
    if (reader.take("Zz")) return minutes(0);
    const bool minus = reader.take("-");
    if (!minus && !reader.take("+")) return std::nullopt;
    const auto hour = reader.take_digits(2);
    if (!hour || *hour > 23 || !reader.take(":")) return std::nullopt;
    const auto minute = reader.take_digits(2);
    if (!minute || *minute > 59) return std::nullopt;
    const minutes offset = hours(*hour) + minutes(*minute);
    return minus ? -offset : offset;
}

}  // namespace

Result<Instant> parse_instant(std::string_view text) {
    Reader reader(trim(text));
    const auto year = reader.take_digits(4);
    const bool dash_one = reader.take("-");
    const auto month = reader.take_digits(2);
    const bool dash_two = reader.take("-");
    const auto day = reader.take_digits(2);
    if (!year || !dash_one || !month || !dash_two || !day) {
        return not_an_instant(text, "it does not begin with a date YYYY-MM-DD");
    }
    const std::chrono::year_month_day date(std::chrono::year(*year),
                                           std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day)));
    if (!date.ok()) return not_an_instant(text, "there is no such day");
    Instant instant = std::chrono::sys_days(date);
    if (reader.done()) return instant;

    if (!reader.take("Tt ")) return not_an_instant(text, "no T follows the date");
    const auto hour = reader.take_digits(2);
    const bool colon_one = reader.take(":");
    const auto minute = reader.take_digits(2);
    const bool colon_two = reader.take(":");
    const auto second = reader.take_digits(2);
    if (!hour || !colon_one || !minute || !colon_two || !second) {
        return not_an_instant(text, "no time hh:mm:ss follows the date");
    }
    // A leap second is read as the first second of the next minute: UTC here has no leap seconds.
    if (*hour > 23 || *minute > 59 || *second > 60) {
        return not_an_instant(text, "there is no such time of day");
    }
    instant += hours(*hour) + minutes(*minute) + seconds(*second);
    if (reader.take(".")) {
        const auto fraction = reader.take_fraction();
        if (!fraction) return not_an_instant(text, "no digit follows the point");
        instant += *fraction;
    }
    if (reader.done()) return not_an_instant(text, "it has no offset, and so may mean any zone");
    const auto offset = take_offset(reader);
    if (!offset || !reader.done()) {
        return not_an_instant(text, "its offset is neither Z nor of the form +01:00");
    }
    return instant - *offset;
}

std::string format_instant(Instant instant) {
    const auto midnight = std::chrono::floor<days>(instant);
    const std::chrono::year_month_day date(midnight);
    const Duration time = instant - midnight;
    const auto hour = std::chrono::floor<hours>(time);
    const auto minute = std::chrono::floor<minutes>(time - hour);
    const auto second = std::chrono::floor<seconds>(time - hour - minute);
    const Duration fraction = time - hour - minute - second;
    std::string text =
        fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    hour.count(), minute.count(), second.count());
    if (fraction != Duration::zero()) text += fmt::format(".{:06}", fraction.count());
    return text + "Z";
}

}  // namespace lifeboat

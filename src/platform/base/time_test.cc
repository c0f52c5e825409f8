#include "platform/base/time.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace lifeboat {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration century = days(36'525);

TEST(ParseDuration, reads_what_people_write) {
    struct Case {
        const char* text;
        Duration value;
    };
    for (const Case& c :
         {Case{"90s", seconds(90)}, Case{"15m", minutes(15)}, Case{"1h30m", minutes(90)},
          Case{"1.5h", minutes(90)}, Case{"30d", days(30)}, Case{"2w", days(14)},
          Case{"250ms", milliseconds(250)}, Case{"7us", microseconds(7)}, Case{"0", {}},
          Case{"0s", {}}, Case{" 5m ", minutes(5)},
          Case{"1w2d3h4m5s6ms7us",
               days(9) + hours(3) + minutes(4) + seconds(5) + milliseconds(6) + microseconds(7)},
          Case{"0.5s", milliseconds(500)}, Case{"0.0000001s", {}}, Case{"007s", seconds(7)},
          Case{"1.999999999999999999999s", microseconds(1'999'999)}, Case{"36525d", century},
          Case{"0.25w", hours(42)}}) {
        auto parsed = parse_duration(c.text);
        ASSERT_TRUE(parsed.has_value()) << c.text << ": " << parsed.error().message;
        EXPECT_EQ(*parsed, c.value) << c.text;
    }
}

TEST(ParseDuration, refuses_everything_else) {
    for (const char* text : {"",      " ",      "5",
                             "-5s",   "+5s",    "s",
                             "5 m",   "5x",     "5M",
                             "5min",  "1h1h",   "5m1h",
                             "1.h",   ".5h",    "1..5h",
                             "1h-5m", "36526d", "99999999999999999999999999999999999999999999s",
                             "1e3s",  "١s",     "1h30",
                             "0 0",   "5301w",  "36525d1us"}) {
        auto parsed = parse_duration(text);
        ASSERT_FALSE(parsed.has_value()) << text;
        EXPECT_EQ(parsed.error().kind, ErrorKind::invalid);
        EXPECT_FALSE(parsed.error().hint.empty());
    }
}

TEST(FormatDuration, is_short_and_exact) {
    EXPECT_EQ(format_duration({}), "0s");
    EXPECT_EQ(format_duration(minutes(90)), "1h30m");
    EXPECT_EQ(format_duration(milliseconds(250)), "250ms");
    EXPECT_EQ(format_duration(days(30)), "30d");
    EXPECT_EQ(format_duration(seconds(86'401)), "1d1s");
    EXPECT_EQ(format_duration(milliseconds(1500)), "1s500ms");
    EXPECT_EQ(format_duration(-seconds(5)), "-5s");
    EXPECT_EQ(format_duration(Duration::min()), "-106751991d4h54s775ms808us");
}

TEST(FormatDuration, is_read_back_for_every_value) {
    std::mt19937_64 random(1);  // NOLINT(cert-msc51-cpp): the same values every time
    for (int i = 0; i < 20'000; ++i) {
        // Few bits as often as many: small durations matter as much as large ones.
        const auto bits = static_cast<unsigned>(random() % 62);
        const Duration value(static_cast<std::int64_t>(random() >> (63U - bits)) % century.count());
        ASSERT_EQ(parse_duration(format_duration(value)), value) << value.count();
    }
    EXPECT_EQ(parse_duration(format_duration(century)), century);
}

TEST(HumanDuration, shows_two_units_rounded) {
    struct Case {
        Duration value;
        const char* text;
    };
    for (const Case& c :
         {Case{{}, "0s"}, Case{microseconds(999), "999us"}, Case{milliseconds(850), "850ms"},
          Case{microseconds(999'499), "999ms"}, Case{microseconds(999'600), "1s"},
          Case{milliseconds(3200), "3.2s"}, Case{milliseconds(9960), "10s"}, Case{seconds(3), "3s"},
          Case{milliseconds(59'400), "59s"}, Case{milliseconds(59'600), "1m"},
          Case{seconds(250), "4m10s"}, Case{seconds(3599), "59m59s"},
          Case{milliseconds(3'599'600), "1h"}, Case{minutes(205), "3h25m"},
          Case{hours(24) - seconds(1), "1d"}, Case{hours(51), "2d3h"}, Case{days(12), "12d"},
          Case{days(12) + hours(13), "13d"}, Case{-minutes(5), "-5m"}}) {
        EXPECT_EQ(human_duration(c.value), c.text);
    }
    EXPECT_EQ(human_duration(Duration::max()), "106751984d");
    EXPECT_EQ(human_duration(Duration::min()), "-106751984d");
}

Instant at(std::int64_t second, std::int64_t micros = 0) {
    return Instant(seconds(second) + microseconds(micros));
}

TEST(ParseInstant, reads_rfc_3339_and_dates) {
    struct Case {
        const char* text;
        Instant value;
    };
    for (const Case& c :
         {Case{"1970-01-01T00:00:00Z", at(0)}, Case{"2025-12-04T02:00:00Z", at(1'764'813'600)},
          Case{"2025-12-04 02:00:00z", at(1'764'813'600)},
          Case{"2025-12-04t03:00:00+01:00", at(1'764'813'600)},
          Case{"2025-12-03T20:30:00-05:30", at(1'764'813'600)},
          Case{"2025-12-04T02:00:00.5Z", at(1'764'813'600, 500'000)},
          Case{"2025-12-04T02:00:00.123456999Z", at(1'764'813'600, 123'456)},
          Case{"2025-12-04", at(1'764'806'400)}, Case{"2024-02-29", at(1'709'164'800)},
          Case{"2000-02-29", at(951'782'400)}, Case{"1969-12-31T23:59:59.9Z", at(-1, 900'000)},
          Case{"2016-12-31T23:59:60Z", at(1'483'228'800)}, Case{" 1970-01-02 ", at(86'400)},
          Case{"0001-01-01T00:00:00Z", at(-62'135'596'800)},
          Case{"9999-12-31T23:59:59Z", at(253'402'300'799)}}) {
        auto parsed = parse_instant(c.text);
        ASSERT_TRUE(parsed.has_value()) << c.text << ": " << parsed.error().message;
        EXPECT_EQ(*parsed, c.value) << c.text;
    }
}

TEST(ParseInstant, refuses_everything_else) {
    for (const char* text : {"",
                             "now",
                             "2025",
                             "2025-12",
                             "2025-13-01",
                             "2025-00-01",
                             "2025-04-31",
                             "2025-02-29",
                             "1900-02-29",
                             "2025-12-04T",
                             "2025-12-04T02:00:00",
                             "2025-12-04T02:00Z",
                             "2025-12-04T24:00:00Z",
                             "2025-12-04T02:60:00Z",
                             "2025-12-04T02:00:61Z",
                             "2025-12-04T02:00:00.Z",
                             "2025-12-04T02:00:00+1:00",
                             "2025-12-04T02:00:00+0100",
                             "2025-12-04T02:00:00+24:00",
                             "2025-12-04T02:00:00+01:60",
                             "2025-12-04T02:00:00ZZ",
                             "2025-12-04X02:00:00Z",
                             "25-12-04",
                             "2025-1-4",
                             "+2025-12-04",
                             "2025-12-04Z"}) {
        auto parsed = parse_instant(text);
        ASSERT_FALSE(parsed.has_value()) << text;
        EXPECT_EQ(parsed.error().kind, ErrorKind::invalid);
    }
}

TEST(FormatInstant, leaves_out_a_zero_fraction) {
    EXPECT_EQ(format_instant(at(1'764'813'600)), "2025-12-04T02:00:00Z");
    EXPECT_EQ(format_instant(at(1'764'813'600, 123'456)), "2025-12-04T02:00:00.123456Z");
    EXPECT_EQ(format_instant(at(1'764'813'600, 500'000)), "2025-12-04T02:00:00.500000Z");
    EXPECT_EQ(format_instant(at(-1, 999'999)), "1969-12-31T23:59:59.999999Z");
}

TEST(FormatInstant, is_read_back) {
    std::mt19937_64 random(1);  // NOLINT(cert-msc51-cpp): the same values every time
    std::uniform_int_distribution<std::int64_t> micros(
        at(-62'167'219'200).time_since_epoch().count(),
        at(253'402'300'799).time_since_epoch().count());
    for (int i = 0; i < 20'000; ++i) {
        const Instant value{Duration(micros(random))};
        ASSERT_EQ(parse_instant(format_instant(value)), value) << format_instant(value);
    }
}

}  // namespace
}  // namespace lifeboat

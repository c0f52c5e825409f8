#include "platform/base/text.h"

#include <gtest/gtest.h>

#include <limits>

#include "platform/base/bytes.h"
#include "platform/base/size.h"

namespace lifeboat {
namespace {

using Views = std::vector<std::string_view>;

TEST(Text, trims_and_splits_and_joins) {
    EXPECT_EQ(trim("  a b\t\n"), "a b");
    EXPECT_EQ(trim(" \r\n"), "");
    EXPECT_EQ(split("a,b,,c", ','), (Views{"a", "b", "", "c"}));
    EXPECT_EQ(split("", ','), Views{""});
    EXPECT_EQ(split(",", ','), (Views{"", ""}));
    EXPECT_EQ(join(std::vector<std::string>{"a", "b", "c"}, ", "), "a, b, c");
    EXPECT_EQ(join(std::vector<std::string>{}, ", "), "");
    EXPECT_EQ(to_lower("AbC-Ä9"), "abc-Ä9");
}

TEST(Text, reads_whole_integers_only) {
    EXPECT_EQ(parse_integer("42"), 42);
    EXPECT_EQ(parse_integer("-7"), -7);
    EXPECT_EQ(parse_integer("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
    for (const char* text :
         {"", " 1", "1 ", "+1", "1.0", "0x1", "9223372036854775808", "-", "abc"}) {
        EXPECT_EQ(parse_integer(text), std::nullopt) << text;
    }
}

TEST(Text, suggests_the_nearest_name_for_a_typing_mistake) {
    const std::vector<std::string> keys = {"objectives", "protect", "health", "site", "kind", "at"};
    EXPECT_EQ(nearest("objectivs", keys), "objectives");
    EXPECT_EQ(nearest("objetcives", keys), "objectives");
    EXPECT_EQ(nearest("protcet", keys), "protect");
    EXPECT_EQ(nearest("knid", keys), "kind");
    EXPECT_EQ(nearest("site", keys), "site");
    EXPECT_EQ(nearest("elephant", keys), std::nullopt);
    EXPECT_EQ(nearest("", keys), std::nullopt);
    EXPECT_EQ(nearest("x", keys), std::nullopt);
    EXPECT_EQ(nearest("kind", {}), std::nullopt);
}

TEST(Text, knows_names) {
    for (const char* name : {"a", "0", "db-1", "eu.west_1"}) EXPECT_TRUE(is_name(name)) << name;
    EXPECT_TRUE(is_name(std::string(63, 'x')));
    EXPECT_FALSE(is_name(std::string(64, 'x')));
    for (const char* name : {"", "-a", ".a", "_a", "A", "a b", "a/b", "ä"}) {
        EXPECT_FALSE(is_name(name)) << name;
    }
}

TEST(ParseSize, reads_what_people_write) {
    struct Case {
        const char* text;
        std::uint64_t value;
    };
    constexpr auto max = std::numeric_limits<std::uint64_t>::max();
    for (const Case& c :
         {Case{"0", 0}, Case{"4096", 4096}, Case{"4096B", 4096}, Case{"64KiB", 65'536},
          Case{"64kib", 65'536}, Case{"16MB", 16'000'000}, Case{"16 MB", 16'000'000},
          Case{"1.5GiB", 1'610'612'736}, Case{"1.5KiB", 1536}, Case{"2TiB", 2'199'023'255'552},
          Case{"18446744073709551615", max}, Case{"15EiB", 17'293'822'569'102'704'640U},
          Case{" 1KB ", 1000}, Case{"0.0000000000000000000001GiB", 0}}) {
        auto parsed = parse_size(c.text);
        ASSERT_TRUE(parsed.has_value()) << c.text << ": " << parsed.error().message;
        EXPECT_EQ(*parsed, c.value) << c.text;
    }
}

TEST(ParseSize, refuses_everything_else) {
    for (const char* text : {"", "-1", "KiB", "1.5", "1.5B", "1.KiB", ".5KiB", "64K", "64Ki", "1XB",
                             "16EiB", "18446744073709551616", "1e3", "1 2KiB",
                             "99999999999999999999999999999999999999999999999999"}) {
        auto parsed = parse_size(text);
        ASSERT_FALSE(parsed.has_value()) << text;
        EXPECT_EQ(parsed.error().kind, ErrorKind::invalid);
    }
}

TEST(ParseRate, reads_sizes_per_second) {
    EXPECT_EQ(parse_rate("50MiB/s").value(), 52'428'800U);
    EXPECT_EQ(parse_rate("50MiB").value(), 52'428'800U);
    EXPECT_EQ(parse_rate("50MiB/m").error().kind, ErrorKind::invalid);
    EXPECT_EQ(parse_rate("/s").error().kind, ErrorKind::invalid);
}

TEST(HumanSize, shows_three_digits) {
    struct Case {
        std::uint64_t value;
        const char* text;
    };
    for (const Case& c : {Case{0, "0 B"}, Case{1023, "1023 B"}, Case{1024, "1.00 KiB"},
                          Case{7'408'831'365, "6.90 GiB"}, Case{10'235, "10.0 KiB"},
                          Case{104'857'600, "100 MiB"}, Case{1'048'575, "1.00 MiB"},
                          Case{std::numeric_limits<std::uint64_t>::max(), "16.0 EiB"}}) {
        EXPECT_EQ(human_size(c.value), c.text) << c.value;
    }
}

Bytes all_bytes() {
    Bytes bytes;
    for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<std::byte>(i));
    return bytes;
}

TEST(Hex, is_written_and_read_back) {
    EXPECT_EQ(to_hex(as_bytes("\x01\xab\xff")), "01abff");
    EXPECT_EQ(from_hex("01aBFf").value(), to_bytes(as_bytes("\x01\xab\xff")));
    EXPECT_EQ(from_hex(to_hex(all_bytes())).value(), all_bytes());
    EXPECT_TRUE(from_hex("").value().empty());
    for (const char* text : {"0", "0g", "g0", " 0", "0x"}) {
        EXPECT_EQ(from_hex(text).error().kind, ErrorKind::invalid) << text;
    }
}

TEST(Base64, is_written_and_read_back) {
    struct Case {
        const char* plain;
        const char* text;
    };
    for (const Case& c : {Case{"", ""}, Case{"f", "Zg=="}, Case{"fo", "Zm8="}, Case{"foo", "Zm9v"},
                          Case{"foob", "Zm9vYg=="}, Case{"fooba", "Zm9vYmE="},
                          Case{"foobar", "Zm9vYmFy"}, Case{"\xff\xfe\xfd", "//79"}}) {
        EXPECT_EQ(to_base64(as_bytes(c.plain)), c.text);
        EXPECT_EQ(from_base64(c.text).value(), to_bytes(as_bytes(c.plain)));
    }
    for (std::size_t size = 0; size < 256; ++size) {
        const Bytes all = all_bytes();
        const Bytes bytes(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_EQ(from_base64(to_base64(bytes)).value(), bytes);
    }
}

TEST(Base64, refuses_everything_else) {
    for (const char* text : {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "====", "Z===", "Zg==Zg==", "Zm9v\n",
                             "Zm 9", "Zm9-", "=g==", "Zg=A"}) {
        EXPECT_EQ(from_base64(text).error().kind, ErrorKind::invalid) << text;
    }
}

TEST(Bytes, loads_and_appends_both_endians) {
    Bytes bytes;
    append_le<std::uint32_t>(bytes, 0x01020304);
    append_be<std::uint16_t>(bytes, 0x0506);
    EXPECT_EQ(to_hex(bytes), "040302010506");
    EXPECT_EQ(load_le<std::uint32_t>(bytes, 0), 0x01020304U);
    EXPECT_EQ(load_be<std::uint16_t>(bytes, 4), 0x0506U);
    EXPECT_DEATH((void)load_le<std::uint32_t>(bytes, 3), "broken invariant");
}

TEST(Error, is_classified_and_told) {
    EXPECT_EQ(kind_of_errno(ENOENT), ErrorKind::not_found);
    EXPECT_EQ(kind_of_errno(ENOSPC), ErrorKind::exhausted);
    EXPECT_EQ(kind_of_errno(ECONNREFUSED), ErrorKind::unavailable);
    EXPECT_EQ(from_errno("open 'x'", EACCES).message, "unable to open 'x': Permission denied");
    for (int i = 0; i <= static_cast<int>(ErrorKind::unsupported); ++i) {
        const auto kind = static_cast<ErrorKind>(i);
        EXPECT_EQ(error_kind_from(to_string(kind)), kind);
    }
    EXPECT_EQ(error_kind_from("a kind of tomorrow"), ErrorKind::unknown);
    EXPECT_EQ(invalid("inner").in("outer").with_hint("Do it.").with_hint("Not this."),
              invalid("outer: inner", "Do it."));
}

}  // namespace
}  // namespace lifeboat

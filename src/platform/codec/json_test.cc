#include "platform/codec/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace lifeboat {
namespace {

std::string message_of(std::string_view text) {
    const auto parsed = parse_json(text);
    if (parsed) return "parsed: " + dump(*parsed);
    EXPECT_EQ(parsed.error().kind, ErrorKind::invalid);
    return parsed.error().message;
}

TEST(Json, parses_every_kind_of_value) {
    const std::string text =
        R"({"n":null,"t":true,"f":false,"i":-1,"u":18446744073709551615,"d":1.5,)"
        R"("s":"\u00fc\n","a":[1,[]],"o":{}})";
    const auto value = parse_json(" " + text + " ");
    ASSERT_TRUE(value) << value.error().message;
    EXPECT_EQ(value->at("s"), "ü\n");
    EXPECT_EQ(value->dump(-1, ' ', true), text);
}

TEST(Json, keeps_the_order_of_members) {
    EXPECT_EQ(dump(*parse_json(R"({"z":1,"a":2,"m":3})")), R"({"z":1,"a":2,"m":3})");
}

TEST(Json, says_where_a_text_is_broken) {
    EXPECT_EQ(message_of(""),
              "invalid JSON at line 1, column 1: unexpected end of input; expected '[', '{', or a "
              "literal");
    EXPECT_TRUE(
        message_of("{\n  \"a\": tru\n}").starts_with("invalid JSON at line 2, column 11: "));
    EXPECT_TRUE(message_of("{\"ü\": ]").starts_with("invalid JSON at line 1, column 7: "));
    EXPECT_TRUE(message_of("[1,]").starts_with("invalid JSON at line 1, column 4: "));
    EXPECT_TRUE(message_of("1 2").starts_with("invalid JSON at line 1, column 3: "));
    EXPECT_TRUE(message_of("[1e999]").starts_with("invalid JSON at line 1, column "));
    EXPECT_TRUE(message_of("\"a\xff\"").contains("UTF-8"));
    EXPECT_TRUE(message_of("\"a\x01\"").contains("control character"));
}

TEST(Json, never_repeats_what_it_could_not_read) {
    EXPECT_FALSE(message_of(R"(["hunter2)").contains("hunter2"));
    EXPECT_FALSE(message_of(R"([hunter2])").contains("hunter2"));
}

TEST(Json, refuses_a_key_that_appears_twice) {
    EXPECT_EQ(message_of("{\"a\": 1,\n \"b\": {\"c\": 1, \"c\": 2}}"),
              "invalid JSON at line 2, column 16: the key 'c' appears twice in one object");
    EXPECT_EQ(message_of(R"({"a\"":1,"a\"":2})"),
              "invalid JSON at line 1, column 10: the key 'a\"' appears twice in one object");
    EXPECT_TRUE(parse_json(R"([{"a":1},{"a":1}])"));
    std::string many = "{";
    for (int i = 0; i < 1000; ++i) many += "\"k" + std::to_string(i) + "\":0,";
    EXPECT_TRUE(parse_json(many + "\"last\":0}"));
    EXPECT_TRUE(message_of(many + "\"k999\":0}").contains("'k999' appears twice"));
    EXPECT_TRUE(message_of(many + "\"k3\":0}").contains("'k3' appears twice"));
}

TEST(Json, bounds_the_depth) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    EXPECT_TRUE(parse_json(nested(100)));
    EXPECT_EQ(message_of(nested(101)),
              "invalid JSON at line 1, column 101: nested deeper than 100 levels");
    EXPECT_FALSE(parse_json(std::string(1'000'000, '[')));
}

TEST(Json, survives_every_truncation) {
    const std::string text = R"({"a": [1, -2.5e3, "x\u00fcy\\"], "b": {"c": null, "ü": true}})";
    for (std::size_t size = 0; size < text.size(); ++size)
        EXPECT_FALSE(parse_json(text.substr(0, size))) << size;
}

TEST(Json, writes_bytes_that_are_not_utf8_as_replacements) {
    EXPECT_EQ(dump(Json("a\xff")), "\"a\xEF\xBF\xBD\"");
    EXPECT_EQ(dump_pretty(Json{{"a", "\xc3"}}), "{\n  \"a\": \"\xEF\xBF\xBD\"\n}");
    EXPECT_EQ(dump_canonical(Json{{"a\xff", 1}}), "{\"a\xEF\xBF\xBD\":1}");
}

TEST(Json, has_one_canonical_text_for_equal_values) {
    const Json left = *parse_json(R"({"b":{"y":[1,{"q":1,"p":2}],"x":null},"a":"ü"})");
    const Json right = *parse_json(R"({"a":"\u00fc","b":{"x":null,"y":[1,{"p":2,"q":1}]}})");
    EXPECT_EQ(dump_canonical(left), R"({"a":"ü","b":{"x":null,"y":[1,{"p":2,"q":1}]}})");
    EXPECT_EQ(dump_canonical(left), dump_canonical(right));
    EXPECT_EQ(dump_canonical(*parse_json("[[],{},[1,1]]")), "[[],{},[1,1]]");
}

TEST(Json, reads_numbers_back_as_they_were) {
    for (const double number : {0.1, 1e300, -0.0, 5e-324, 1.0, 123456789.125})
        EXPECT_EQ(parse_json(dump(Json(number))).value().get<double>(), number);
    EXPECT_EQ(dump(Json(std::nan(""))), "null");
}

TEST(Json, gives_typed_members_or_names_what_is_wrong) {
    const Json object{{"s", "text"}, {"i", -5},  {"u", std::numeric_limits<std::uint64_t>::max()},
                      {"b", true},   {"d", 1.5}, {"t", "2026-11-23T11:06:43Z"}};
    EXPECT_EQ(get_string(object, "s").value(), "text");
    EXPECT_EQ(get_integer(object, "i").value(), -5);
    EXPECT_EQ(get_unsigned(object, "u").value(), std::numeric_limits<std::uint64_t>::max());
    EXPECT_TRUE(get_bool(object, "b").value());
    EXPECT_EQ(format_instant(get_instant(object, "t").value()), "2026-11-23T11:06:43Z");

    EXPECT_EQ(get_string(object, "none").error().message, "member 'none' is missing");
    EXPECT_EQ(get_string(object, "none").error().kind, ErrorKind::corrupt);
    EXPECT_EQ(get_string(object, "i").error().message,
              "member 'i' is number where a string belongs");
    EXPECT_FALSE(get_integer(object, "u"));
    EXPECT_FALSE(get_integer(object, "d"));
    EXPECT_FALSE(get_unsigned(object, "i"));
    EXPECT_FALSE(get_bool(object, "i"));
    EXPECT_FALSE(get_instant(object, "s"));
    EXPECT_FALSE(get_string(Json(5), "s"));

    EXPECT_EQ(string_or(object, "i", "else"), "else");
    EXPECT_EQ(integer_or(object, "i", 7), -5);
    EXPECT_EQ(integer_or(object, "s", 7), 7);
    EXPECT_TRUE(bool_or(Json(), "b", true));
}

TEST(Json, carries_errors) {
    const Error error = conflict("'db' is held by pid 7", "Wait for it.");
    EXPECT_EQ(error_from_json(to_json(error)), error);
    EXPECT_EQ(error_from_json(Json("nonsense")).kind, ErrorKind::unknown);
}

}  // namespace
}  // namespace lifeboat

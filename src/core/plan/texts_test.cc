#include "core/plan/texts.h"

#include <gtest/gtest.h>

#include "core/plan/diagnostic.h"

namespace lifeboat::plan {
namespace {

/// "line:column" of `needle` in the value of the key `k` of the document.
std::string place_of(const std::string& text, std::string_view needle) {
    const std::vector<SourceText> sources{{.name = "p", .text = text}};
    const yaml::Document document = yaml::parse(text);
    EXPECT_TRUE(document.problems.empty()) << document.problems.front().message;
    const yaml::Node& node = *document.root.find("k");
    const std::size_t offset = node.scalar.find(needle);
    EXPECT_NE(offset, std::string::npos) << node.scalar;
    const yaml::Position at = Texts(sources).place(node.at, node.scalar, offset);
    return std::to_string(at.line) + ":" + std::to_string(at.column);
}

TEST(Texts, find_the_line_of_a_literal_block) {
    EXPECT_EQ(place_of("k: |\n  one\n  two here\n", "here"), "3:7");
    EXPECT_EQ(place_of("a: 1\nk: |-  # a comment | with a bar\n  one\n\n\n  two\n", "two"), "6:3");
    EXPECT_EQ(place_of("k: |\n\n\n  one\n", "one"), "4:3");
    EXPECT_EQ(place_of("k: |2\n    indented\n  less\n", "indented"), "2:5");
    EXPECT_EQ(place_of("k: |1+\n one\n  two\n\n", "two"), "3:3");
    EXPECT_EQ(place_of("k: |\n  # no comment\n  two\n", "two"), "3:3");
    EXPECT_EQ(place_of("k: |\r\n  one\r\n  two\r\n", "two"), "3:3");
    EXPECT_EQ(place_of("k: &x |\n  one\n  two\n", "two"), "3:3");
}

TEST(Texts, find_the_line_of_a_folded_block) {
    EXPECT_EQ(place_of("k: >-\n  one two\n  three four\n", "four"), "3:9");
    EXPECT_EQ(place_of("k: >\n  one\n\n  two\n    more\n\n  last\n", "last"), "7:3");
    EXPECT_EQ(place_of("k: >\n  one\n    more\n  last\n", "more"), "3:5");
}

TEST(Texts, find_the_line_of_plain_and_quoted_texts) {
    EXPECT_EQ(place_of("k: one two\n", "two"), "1:8");
    EXPECT_EQ(place_of("k: one\n  two\n\n  three\n", "three"), "4:3");
    EXPECT_EQ(place_of("k: 'it''s\n  here'\n", "here"), "2:3");
    EXPECT_EQ(place_of("k: \"a\\n\\tb \\\"q\\\" \\x41\\u00e9\\\n   here\"\n", "here"), "2:4");
    EXPECT_EQ(place_of("k: \"a\\\\nb\"\n", "b"), "1:9");
}

TEST(Texts, count_columns_in_characters) {
    EXPECT_EQ(place_of("k: |\n  \xC3\xA9\xC3\xA9 two\n", "two"), "2:6");
    EXPECT_EQ(place_of("\xEF\xBB\xBFk: one two\n", "two"), "1:8");
}

TEST(Texts, stay_at_the_scalar_where_the_value_cannot_be_followed) {
    EXPECT_EQ(place_of("a: &x |\n  one\n  two\nk: *x\n", "two"), "4:4");
    const std::vector<SourceText> sources{{.name = "p", .text = "k: other\n"}};
    const yaml::Position at{.file = 0, .line = 1, .column = 4};
    EXPECT_EQ(Texts(sources).place(at, "this", 2), at);
    EXPECT_EQ(Texts(sources).place({.file = 3, .line = 1, .column = 1}, "x", 0).file, 3U);
    EXPECT_EQ(Texts(sources).place({.file = 0, .line = 9, .column = 1}, "x", 0).line, 9U);
    EXPECT_EQ(Texts().place(at, "x", 0), at);
}

TEST(Texts, look_behind_the_stars_of_a_hidden_secret) {
    const std::vector<SourceText> sources{{.name = "p", .text = "k: |\n  a:****@h\n  two\n"}};
    const yaml::Position at{.file = 0, .line = 1, .column = 4};
    EXPECT_EQ(Texts(sources).place(at, "a:pass@h\ntwo\n", 9).line, 3U);
}

}  // namespace
}  // namespace lifeboat::plan

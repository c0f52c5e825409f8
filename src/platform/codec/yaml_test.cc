#include "platform/codec/yaml.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "platform/codec/yaml_builder.h"

namespace lifeboat::yaml {
namespace {

/// The tree on one line: keys and values with where they stand.
std::string show(const Node& node) {
    std::string text;
    if (node.type == Type::null) {
        text = "~";
    } else if (node.is_scalar()) {
        text = node.quoted ? fmt::format("'{}'", node.scalar) : node.scalar;
    } else if (node.is_sequence()) {
        for (const Node& item : node.items) text += (text.empty() ? "" : ", ") + show(item);
        text = fmt::format("[{}]", text);
    } else {
        for (const Entry& entry : node.entries)
            text += fmt::format("{}{}@{}:{}={}", text.empty() ? "" : ", ", entry.key,
                                entry.key_at.line, entry.key_at.column, show(entry.value));
        text = fmt::format("{{{}}}", text);
    }
    return fmt::format("{}@{}:{}", text, node.at.line, node.at.column);
}

/// All problems as "line:column message".
std::vector<std::string> problems_of(std::string_view text) {
    std::vector<std::string> found;
    const Document document = parse(text);
    for (const Problem& p : document.problems) {
        EXPECT_FALSE(p.hint.empty()) << p.message;
        EXPECT_TRUE(p.hint.ends_with('.') || p.hint.ends_with('?')) << p.hint;
        found.push_back(fmt::format("{}:{} {}", p.at.line, p.at.column, p.message));
    }
    return found;
}
using Found = std::vector<std::string>;

std::string tree_of(std::string_view text) {
    const Document document = parse(text);
    for (const Problem& p : document.problems)
        ADD_FAILURE() << text << "\n" << p.at.line << ":" << p.at.column << " " << p.message;
    return show(document.root);
}

TEST(Yaml, reads_mappings_sequences_and_scalars_with_their_positions) {
    EXPECT_EQ(tree_of("a: 1\nb:\n  - x\n  - {c: d}\n"),
              "{a@1:1=1@1:4, b@2:1=[x@3:5, {c@4:6=d@4:9}@4:5]@3:3}@1:1");
}

TEST(Yaml, keeps_scalars_as_text) {
    EXPECT_EQ(tree_of("[no, 010, 1e3, 2025-12-04, 'null', \"\", true]"),
              "[no@1:2, 010@1:6, 1e3@1:11, 2025-12-04@1:16, 'null'@1:28, ''@1:36, true@1:40]@1:1");
}

TEST(Yaml, tells_null_from_text) {
    EXPECT_EQ(tree_of("a: ~\nb: null\nc:\nd: 'null'\n"),
              "{a@1:1=~@1:4, b@2:1=~@2:4, c@3:1=~@3:1, d@4:1='null'@4:4}@1:1");
}

TEST(Yaml, places_an_empty_value_where_it_is_missing) {
    EXPECT_EQ(tree_of("a:\n\n# c\nb: 1\n"), "{a@1:1=~@1:1, b@4:1=1@4:4}@1:1");
    EXPECT_EQ(tree_of("- x\n-\n# c\n- y\n"), "[x@1:3, ~@2:1, y@4:3]@1:1");
    EXPECT_EQ(tree_of("- x\n-\n"), "[x@1:3, ~@2:1]@1:1");
}

TEST(Yaml, counts_columns_in_characters) {
    EXPECT_EQ(tree_of("\xC3\xA9: [\xC3\xBC, x]\n"), "{\xC3\xA9@1:1=[\xC3\xBC@1:5, x@1:8]@1:4}@1:1");
    EXPECT_EQ(problems_of("k: [\"\xF0\x9F\x9A\xA2\xF0\x9F\x9A\xA2\", @]").at(0),
              "1:11 a value cannot begin with '@'");
}

TEST(Yaml, reads_block_texts) {
    EXPECT_EQ(tree_of("a: |\n  one\n  \ttwo\nb: >-\n  x\n  y\n"),
              "{a@1:1='one\n\ttwo\n'@1:4, b@4:1='x y'@4:4}@1:1");
}

TEST(Yaml, reads_an_empty_text_as_null) {
    EXPECT_EQ(tree_of(""), "~@1:1");
    EXPECT_EQ(tree_of("# nothing\n"), "~@1:1");
    EXPECT_EQ(tree_of("---\n"), "~@1:4");
}

TEST(Yaml, carries_the_number_of_the_file) {
    const Document document = parse("a: 1\na: 2\n", 3);
    EXPECT_EQ(document.root.entries.at(0).value.at.file, 3U);
    EXPECT_EQ(document.problems.at(0).at, (Position{.file = 3, .line = 2, .column = 1}));
}

TEST(Yaml, finds_a_key) {
    const Document document = parse("a: 1\nb: 2\n");
    EXPECT_EQ(document.root.find("b")->scalar, "2");
    EXPECT_EQ(document.root.entry("b")->key_at.line, 2U);
    EXPECT_EQ(document.root.find("c"), nullptr);
    EXPECT_EQ(document.root.find("a")->find("x"), nullptr);
}

TEST(Yaml, accepts_a_byte_order_mark_crlf_and_a_directive) {
    EXPECT_EQ(tree_of("\xEF\xBB\xBF%YAML 1.2\r\n---\r\na:\r\n  b: 1\r\n"),
              "{a@3:1={b@4:3=1@4:6}@4:3}@3:1");
}

// --- aliases ---

TEST(Yaml, expands_an_alias_at_its_own_place) {
    EXPECT_EQ(tree_of("a: &x\n  k: 1\nb: *x\nc: &y 'q'\nd: [*y]\n"),
              "{a@1:1={k@2:3=1@2:6}@2:3, b@3:1={k@2:3=1@2:6}@3:4, c@4:1='q'@4:7, "
              "d@5:1=['q'@5:5]@5:4}@1:1");
}

TEST(Yaml, refuses_an_alias_to_nothing_and_to_itself) {
    EXPECT_EQ(problems_of("a: *x\n"), Found{"1:4 the alias '*x' names no anchor"});
    EXPECT_EQ(problems_of("a: [*x]\n"), Found{"1:5 the alias '*x' names no anchor"});
    EXPECT_EQ(problems_of("a: &x {k: *x}\n"), Found{"1:11 an alias inside what it stands for"});
}

TEST(Yaml, bounds_what_aliases_add) {
    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 10; ++i) {
        bomb += fmt::format("a{}: &a{} [", i, i);
        for (int j = 0; j < 10; ++j) bomb += fmt::format("{}*a{}", j == 0 ? "" : ", ", i - 1);
        bomb += "]\n";
    }
    const auto found = problems_of(bomb);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_TRUE(found.at(0).contains("aliases add more than 10000 values")) << found.at(0);
}

TEST(Yaml, bounds_the_text_that_aliases_add) {
    std::string text = "a: &a '" + std::string(1'000'000, 'x') + "'\nb: [";
    for (int i = 0; i < 1000; ++i) text += "*a, ";
    text += "*a]\n";
    EXPECT_EQ(problems_of(text).size(), 1U);
}

TEST(Yaml, bounds_the_depth_that_aliases_add) {
    const auto nested = [](std::size_t depth, const std::string& inner) {
        return std::string(depth, '[') + inner + std::string(depth, ']');
    };
    const std::string text = "a: &a " + nested(40, "x") + "\nb: " + nested(30, "*a") + "\n";
    EXPECT_EQ(problems_of(text), Found{"2:34 nested deeper than 64 levels"});
}

TEST(Yaml, takes_no_longer_for_many_nested_anchors) {
    std::string text;
    for (int group = 0; group < 300; ++group) {
        text += "- ";
        for (int i = 0; i < 50; ++i) text += fmt::format("&g{}x{} [", group, i);
        text += std::string(1000, ',').replace(0, 1, "x");
        for (std::size_t i = text.size() - 999; i < text.size(); i += 2) text[i] = 'y';
        text += std::string(50, ']') + "\n";
    }
    (void)parse(text);  // bounded memory, no more is asked
}

TEST(Yaml, says_that_merge_keys_are_not_supported) {
    const Document document = parse("d: &d {k: 1}\na:\n  <<: *d\n  z: 2\n");
    ASSERT_EQ(document.problems.size(), 1U);
    EXPECT_EQ(document.problems.at(0).message, "merge keys ('<<') are not supported");
    EXPECT_EQ(document.problems.at(0).at.line, 3U);
    EXPECT_EQ(document.root.find("a")->entries.size(), 1U);
}

// --- what the parser lets through ---

TEST(Yaml, names_the_line_of_the_first_when_a_key_appears_twice) {
    EXPECT_EQ(problems_of("a: 1\nb: {c: 1, c: 2}\na: 3\n'a': 4\n"),
              (Found{"2:11 the key 'c' appears twice; the first is at line 2",
                     "3:1 the key 'a' appears twice; the first is at line 1",
                     "4:1 the key 'a' appears twice; the first is at line 1"}));
    EXPECT_EQ(parse("a: 1\na: 2\n").root.find("a")->scalar, "1");
    std::string many;
    for (int i = 0; i < 5000; ++i) many += fmt::format("k{}: {}\n", i, i);
    EXPECT_TRUE(problems_of(many).empty());
    EXPECT_EQ(problems_of(many + "k77: x\n"),
              Found{"5001:1 the key 'k77' appears twice; the first is at line 78"});
    EXPECT_EQ(problems_of(many + "k4999: x\n").size(), 1U);
}

TEST(Yaml, finds_quotes_that_are_never_closed) {
    EXPECT_EQ(problems_of("a: \"x\nb: c\n"),
              Found{"1:4 the text in double quotes is never closed"});
    EXPECT_EQ(problems_of("a: 'it''s\nb: c"),
              Found{"1:4 the text in single quotes is never closed"});
    EXPECT_EQ(problems_of("a: {x: \"y, z: 1}\nb: 3\n"),
              Found{"1:8 the text in double quotes is never closed"});
    EXPECT_EQ(problems_of("'b\": 2\n"), Found{"1:1 the text in single quotes is never closed"});
    EXPECT_EQ(problems_of("a: \"x\\\"\n"), Found{"1:4 the text in double quotes is never closed"});
    EXPECT_EQ(problems_of("a: &n \"x\n"), Found{"1:7 the text in double quotes is never closed"});
}

TEST(Yaml, names_the_line_where_a_quote_is_probably_missing) {
    const Document document = parse("a: \"x\nb: \"y\"\n");
    ASSERT_EQ(document.problems.size(), 1U);
    EXPECT_EQ(document.problems.at(0).hint, "Probably the closing quote is missing at line 1.");
    EXPECT_EQ(problems_of("a: \"x\" y\n"),
              Found{"1:8 text behind the end of a quoted text that began at line 1"});
}

TEST(Yaml, finds_tabs_in_the_indentation) {
    EXPECT_EQ(problems_of("a:\n\tb: 1\n"), Found{"2:2 a tab in the indentation"});
    EXPECT_EQ(problems_of("a:\n  b: 1\n\tc: 2\n"), Found{"3:1 a tab in the indentation"});
    EXPECT_EQ(problems_of("a:\n \t- x\n"), Found{"2:3 a tab in the indentation"});
    EXPECT_TRUE(problems_of("a:\t1\nb: [\n\tx]\nc: |\n  \tx\n-\t").size() == 1U);  // the dash
    EXPECT_TRUE(problems_of("a:\t1\nb: [\n\tx]\nc: |\n  \tx\n").empty());
}

TEST(Yaml, finds_control_characters_and_foreign_bytes) {
    EXPECT_EQ(problems_of("a: \x01x\nb: \"\x1b[0m\"\n"),
              (Found{"1:4 the control character U+0001", "2:5 the control character U+001B"}));
    EXPECT_EQ(problems_of(std::string("a: x\0y\n", 7)), Found{"1:5 the control character U+0000"});
    EXPECT_EQ(problems_of("a: \xC3\xBC\xff\n"), Found{"1:5 the byte 0xff is not UTF-8"});
    EXPECT_EQ(problems_of("a: \xED\xA0\x80\n").size(), 3U);  // half of a surrogate pair
    EXPECT_EQ(problems_of("a: \xC0\xAF\n").size(), 2U);      // overlong
    EXPECT_EQ(problems_of("a: 1\rb: 2\n").at(0),
              "1:5 a carriage return without a line feed behind it");
    EXPECT_EQ(problems_of("a: \x04\nb: 1\nb: 2\n").size(), 2U);  // not the end of the text
    EXPECT_EQ(problems_of("\xff\xfe"
                          "a")
                  .at(0),
              "1:1 the file is UTF-16, not UTF-8");
    EXPECT_EQ(problems_of(std::string(5000, '\x02')).size(), 21U);
}

TEST(Yaml, bounds_depth_and_size) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + "x" + std::string(depth, ']') + "\n";
    };
    EXPECT_TRUE(problems_of(nested(64)).empty());
    EXPECT_EQ(problems_of(nested(65)), Found{"1:65 nested deeper than 64 levels"});
    EXPECT_EQ(problems_of(nested(100'000)), Found{"1:65 nested deeper than 64 levels"});
    std::string block;
    for (std::size_t i = 0; i < 100; ++i) block += std::string(i, ' ') + "k:\n";
    EXPECT_EQ(problems_of(block), Found{"65:65 nested deeper than 64 levels"});
    EXPECT_EQ(problems_of(std::string((4U << 20U) + 1, 'x')).size(), 1U);
}

TEST(Yaml, refuses_a_second_document) {
    EXPECT_EQ(problems_of("a: 1\n---\nb: 2\n"), Found{"2:1 a second document begins here"});
    EXPECT_EQ(problems_of("  a: 1\n b: 2\n"), Found{"2:2 text behind the end of the document"});
    EXPECT_TRUE(problems_of("---\na: 1\n...\n").empty());
}

TEST(Yaml, refuses_tags_and_keys_that_are_no_texts) {
    EXPECT_EQ(problems_of("a: !!str 3\nb: !x {c: 1}\n"),
              (Found{"1:4 tags ('!', '!!') are not supported",
                     "2:4 tags ('!', '!!') are not supported"}));
    EXPECT_EQ(problems_of("? [a]\n: 3\nb: 1\n"),
              Found{"1:3 a key must be a text, not a list or a mapping"});
    EXPECT_EQ(problems_of("url: {{ incident.url }}\n").size(), 1U);
    EXPECT_EQ(problems_of(": x\n"), Found{"1:1 a key must be a text"});
}

// --- what the parser complains about, in our words ---

TEST(Yaml, says_what_is_wrong_with_broken_text) {
    const std::vector<std::pair<std::string, std::string>> table = {
        {"a: b: c\n", "1:5 a ':' in a place where no value can begin"},
        {"a: 1\n- b\n", "2:1 unexpected '-' among the keys of a mapping"},
        {"- a\nb: 1\n", "2:1 text behind the end of the document"},
        {"k:\n  - a\n  b: 1\n", "3:3 unexpected 'b:' among the keys of a mapping"},
        {"a: [1,\nb: 2\n", "1:4 '[' is never closed"},
        {"a: {b: 1\n", "1:4 '{' is never closed"},
        {"a: [x y: 1 z\n  w: 2]\n", "2:4 unexpected ':' between '[' and ']'"},
        {"a: @x\n", "1:4 a value cannot begin with '@'"},
        {"a: %x\n", "1:4 a value cannot begin with '%'"},
        {"a: \"\\q\"\n", "1:7 unknown escape in a text in double quotes"},
        {"[a]]\n", "1:4 ']' closes what was never opened"},
        {"a: |x\n  t\n", "1:5 'x' behind the '|' or '>' of a block text"},
        {"a: *\n", "1:5 '*' without the name of an anchor"},
    };
    for (const auto& [text, expected] : table)
        EXPECT_EQ(problems_of(text), Found{expected}) << text;
}

TEST(Yaml, keeps_what_stands_before_a_broken_line) {
    const Document document = parse("a: 1\nb:\n  c: [1, 2]\n  d: @\ne: 5\n");
    EXPECT_EQ(document.problems.size(), 1U);
    EXPECT_EQ(show(document.root),
              "{a@1:1=1@1:4, b@2:1={c@3:3=[1@3:7, 2@3:10]@3:6, d@4:3=~@4:3}@3:3}@1:1");
}

TEST(Yaml, collects_all_problems_in_order) {
    EXPECT_EQ(problems_of("a: !t 1\na: 2\nb:\n\t- x\nc: \x02\nd: @\n"),
              (Found{"1:4 tags ('!', '!!') are not supported",
                     "2:1 the key 'a' appears twice; the first is at line 1",
                     "4:2 a tab in the indentation", "5:4 the control character U+0002"}));
}

// --- anything at all ---

constexpr std::string_view sample =
    "# plan\nlifeboat: 1\nsites: {primary: {aws: {region: us-east-1}}, dr: &dr {x: [1, 2]}}\n"
    "components:\n  database:\n    kind: \"aws.rds\"\n    objectives: {rto: 1h, rpo: '15m'}\n"
    "    needs: [a, *dr]\n    text: |\n      one\n      tw\xC3\xB6\n    ? k\n    : v\n"
    "  - odd\nlast: >-\n  x\n\n  y\n";

/// The one property that must hold for every input: it comes back, and positions lie inside.
void expect_sane(std::string_view text) {
    const Document document = parse(text);
    const auto lines = static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n') + 1);
    for (const Problem& p : document.problems) {
        EXPECT_GE(p.at.line, 1U);
        EXPECT_LE(p.at.line, lines);
        EXPECT_GE(p.at.column, 1U);
    }
    EXPECT_LE(document.root.at.line, lines);
}

TEST(Yaml, survives_every_truncation) {
    for (std::size_t size = 0; size <= sample.size(); ++size) expect_sane(sample.substr(0, size));
    for (std::size_t from = 0; from <= sample.size(); ++from) expect_sane(sample.substr(from));
}

TEST(Yaml, survives_every_replaced_byte) {
    for (std::size_t at = 0; at < sample.size(); ++at)
        for (const char c : std::string_view("\0\t\n\r\"'[]{}:,-&*!|>%@#? \xff\xEF\x04", 26)) {
            std::string text(sample);
            text[at] = c;
            expect_sane(text);
        }
}

TEST(Yaml, survives_random_soup) {
    constexpr std::string_view letters = "ab:\n -[]{},'\"&*!|>#?\t\r%@~\xC3\xBC\x01<";
    std::uint32_t state = 12345;  // the seed
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        state = state * 1664525U + 1013904223U;
        const std::size_t size = (state >> 16U) % 40;
        for (std::size_t i = 0; i < size; ++i) {
            state = state * 1664525U + 1013904223U;
            text += letters[(state >> 16U) % letters.size()];
        }
        expect_sane(text);
    }
}

}  // namespace
}  // namespace lifeboat::yaml

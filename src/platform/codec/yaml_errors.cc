#include "platform/codec/yaml_errors.h"

#include <fmt/core.h>

#include <array>

#include "platform/codec/utf8.h"

namespace lifeboat::yaml {
namespace {

struct Row {
    std::string_view begins;   // of the parser's text
    std::string_view message;  // "{}" is the character or word where it stopped
    std::string_view hint;
};

constexpr std::string_view quote_it = "Put the text in quotes.";
constexpr std::string_view indentation =
    "Check the indentation of this line and of those before it, and that quotes are closed.";

constexpr std::array rows = {
    Row{"end of map not found", "unexpected '{}' among the keys of a mapping", indentation},
    Row{"end of sequence not found", "unexpected '{}' among the items of a list", indentation},
    Row{"end of map flow not found", "unexpected '{}' between '{{' and '}}'",
        "Separate the members by commas and close the brace."},
    Row{"end of sequence flow not found", "unexpected '{}' between '[' and ']'",
        "Separate the items by commas and close the bracket."},
    Row{"illegal map value", "a ':' in a place where no value can begin",
        "Check the indentation; put a text that contains ': ' in quotes."},
    Row{"illegal map key", "a '?' in a place where no key can begin", quote_it},
    Row{"illegal block entry", "a '- ' in a place where no item can begin", indentation},
    Row{"illegal flow end", "'{}' closes what was never opened", quote_it},
    Row{"illegal tab", "a tab in the indentation", "Indent with spaces."},
    Row{"unknown token", "a value cannot begin with '{}'", quote_it},
    Row{"unknown escape character", "unknown escape in a text in double quotes",
        "Write \\\\ for a backslash, or use single quotes, in which nothing is escaped."},
    Row{"bad character found while scanning hex", "a broken escape in a text in double quotes",
        "\\x takes two hexadecimal digits, \\u four and \\U eight."},
    Row{"invalid unicode", "an escape that is no Unicode character",
        "\\u takes the number of a character below D800 or above DFFF."},
    Row{"the referenced anchor is not defined", "the alias '{}' names no anchor",
        "Define it before with &NAME, or put the text in quotes."},
    Row{"anchor not found after &", "'&' without the name of an anchor", quote_it},
    Row{"alias not found after *", "'*' without the name of an anchor", quote_it},
    Row{"illegal character found while scanning anchor", "'{}' in the name of an anchor", quote_it},
    Row{"illegal character found while scanning alias", "'{}' in the name of an alias", quote_it},
    Row{"aliases can't have any content", "an alias with something behind it",
        "An alias stands alone; put the text in quotes if it is none."},
    Row{"cannot assign multiple", "two anchors, tags or aliases at one value", "Keep one of them."},
    Row{"cannot set zero indentation", "a block text with an indentation of 0",
        "Write '|' or '>' alone, and indent the text below it."},
    Row{"unexpected character in block scalar", "'{}' behind the '|' or '>' of a block text",
        "Begin the text on the next line; put a text that begins with '|' or '>' in quotes."},
    Row{"illegal document indicator in scalar", "'---' or '...' inside a quoted text",
        "Probably a closing quote is missing above."},
    Row{"illegal EOF in scalar", "the file ends inside a quoted text", "Add the closing quote."},
    Row{"illegal character in scalar", "'{}' in a text that is not quoted", quote_it},
    Row{"bad file", "the structure is nested too deep", "Flatten it."},
};

/// The word where the parser stopped, short enough to quote.
std::string word_at(std::string_view rest) {
    constexpr std::size_t length_max = 24;
    std::string word;
    for (std::size_t at = 0; at < rest.size();) {
        const char c = rest[at];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || word.size() >= length_max) break;
        const std::size_t size = decode_utf8(rest, at).size;
        word += rest.substr(at, size);
        at += size;
    }
    if (word.starts_with('*')) word = word.substr(0, word.find_first_of(",]}"));  // of an alias
    return word.empty() ? "end of line" : word;
}

}  // namespace

Wording wording_of(std::string_view complaint, std::string_view rest) {
    for (const Row& row : rows) {
        if (!complaint.starts_with(row.begins)) continue;
        std::string word = word_at(rest);
        const bool one_character = row.begins == "unknown token" ||
                                   row.begins.contains("while scanning") ||
                                   row.begins == "illegal flow end";
        if (one_character && !rest.empty()) word = word.substr(0, decode_utf8(word, 0).size);
        return {.message = fmt::format(fmt::runtime(row.message), word),
                .hint = std::string(row.hint)};
    }
    return {.message = fmt::format("not valid YAML: {}", complaint),
            .hint = std::string(indentation)};
}

}  // namespace lifeboat::yaml

#include "platform/codec/yaml_source.h"

#include <fmt/core.h>

#include <algorithm>

#include "platform/base/size.h"
#include "platform/codec/utf8.h"

namespace lifeboat::yaml {
namespace {

constexpr std::size_t byte_problems_max = 20;  // a binary file must not make a million

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_space(char c) { return is_blank(c) || c == '\n' || c == '\r'; }

/// Empty for a character that YAML allows, else what to call it.
std::string name_of_bad(const Utf8Char& c, char next) {
    if (!c.valid)
        return fmt::format("the byte 0x{:02x} is not UTF-8", static_cast<unsigned>(c.code));
    if (c.code == '\r')
        return next == '\n' ? "" : "a carriage return without a line feed behind it";
    if (c.code == '\t' || c.code == '\n' || c.code == 0x85) return "";
    if (c.code < 0x20 || (c.code >= 0x7f && c.code < 0xa0))
        return fmt::format("the control character U+{:04X}", static_cast<unsigned>(c.code));
    if (c.code == 0xfeff) return "a byte order mark in the middle of the text";
    if (c.code == 0xfffe || c.code == 0xffff)
        return fmt::format("the character U+{:04X}, which is none", static_cast<unsigned>(c.code));
    return "";
}

}  // namespace

Source::Source(std::string_view text, std::uint32_t file, std::vector<Problem>& problems)
    : file_(file) {
    const Position start{.file = file, .line = 1, .column = 1};
    if (text.size() > text_size_max) {
        readable_ = false;
        problems.push_back(
            {.at = start,
             .message = fmt::format("the file has {}; at most {} are read", human_size(text.size()),
                                    human_size(text_size_max)),
             .hint = "Split it, and name the parts under 'include:'."});
        return;
    }
    if (text.starts_with("\xFE\xFF") || text.starts_with("\xFF\xFE")) {
        readable_ = false;
        problems.push_back({.at = start,
                            .message = "the file is UTF-16, not UTF-8",
                            .hint = "Save it as UTF-8, or convert it: iconv -f utf-16 -t utf-8."});
        return;
    }
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    text_ = text;
    if (!text_.ends_with('\n')) text_ += '\n';  // else some unterminated quotes become exceptions
    for (std::size_t i = 0; i + 1 < text_.size(); ++i)
        if (text_[i] == '\n') lines_.push_back(i + 1);
    clean(problems);
}

void Source::clean(std::vector<Problem>& problems) {
    std::size_t found = 0;
    for (std::size_t at_byte = 0; at_byte < text_.size();) {
        const Utf8Char c = decode_utf8(text_, at_byte);
        const std::string bad = name_of_bad(c, at(at_byte + 1));
        if (!bad.empty()) {
            if (++found <= byte_problems_max)
                problems.push_back(
                    {.at = position(at_byte),
                     .message = bad,
                     .hint = c.valid ? "Delete it; inside double quotes, write it as an escape."
                                     : "Save the file as UTF-8."});
            std::fill_n(text_.begin() + static_cast<std::ptrdiff_t>(at_byte), c.size,
                        c.code == '\r' ? ' ' : '?');
        }
        at_byte += c.size;
    }
    if (found > byte_problems_max)
        problems.push_back({.at = position(text_.size() - 1),
                            .message = fmt::format("{} more characters that cannot stand in YAML",
                                                   found - byte_problems_max),
                            .hint = "Is this really a text file?"});
}

Position Source::position(std::size_t offset) {
    offset = std::min(offset, text_.empty() ? 0 : text_.size() - 1);
    const auto above = std::upper_bound(lines_.begin(), lines_.end(), offset);
    const auto line = static_cast<std::size_t>(above - lines_.begin()) - 1;
    if (line != known_line_ || offset < known_offset_) {
        known_line_ = line;
        known_offset_ = lines_[line];
        known_column_ = 1;
    }
    const std::string_view between =
        std::string_view(text_).substr(known_offset_, offset - known_offset_);
    known_column_ += static_cast<std::uint32_t>(count_characters(between));
    known_offset_ = offset;
    return {.file = file_, .line = static_cast<std::uint32_t>(line + 1), .column = known_column_};
}

std::size_t Source::skip_properties(std::size_t offset) const {
    while (at(offset) == '&' || at(offset) == '!') {
        std::size_t end = offset;
        while (end < text_.size() && !is_space(text_[end])) ++end;
        while (end < text_.size() && (is_space(text_[end]) || text_[end] == '#')) {
            if (text_[end] == '#')
                while (at(end) != '\n' && end + 1 < text_.size()) ++end;
            ++end;
        }
        if (end >= text_.size()) return offset;
        offset = end;
    }
    return offset;
}

std::size_t Source::closing_quote(std::size_t offset) const {
    const char quote = at(offset);
    for (std::size_t i = offset + 1; i < text_.size(); ++i) {
        if (quote == '"' && text_[i] == '\\') {
            ++i;
        } else if (text_[i] == quote) {
            if (quote == '"' || at(i + 1) != '\'') return i;
            ++i;  // '' is one quote inside
        }
    }
    return std::string::npos;
}

bool Source::is_indented_by_tab(std::size_t offset) const {
    bool tab = false;
    while (offset-- > 0 && text_[offset] != '\n') {
        if (!is_blank(text_[offset]) && text_[offset] != '-') return false;
        tab = tab || text_[offset] == '\t';
        if (text_[offset] == '-') tab = false;  // "-<tab>x": the tab separates, it does not indent
    }
    return tab;
}

std::size_t Source::dash_before(std::size_t offset) const {
    const std::size_t from = std::min(offset, text_.size());
    for (std::size_t line_end = from; line_end > 0;) {
        const std::size_t newline = text_.rfind('\n', line_end - 1);
        std::size_t first = newline == std::string::npos ? 0 : newline + 1;
        while (first < line_end && is_blank(text_[first])) ++first;
        if (first < line_end && text_[first] == '-') return first;
        const bool comment = first < line_end && text_[first] == '#';
        if (first < line_end && !comment && !is_space(text_[first])) break;
        if (newline == std::string::npos) break;
        line_end = newline;
    }
    return offset;
}

}  // namespace lifeboat::yaml

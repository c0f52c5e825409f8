#include "core/plan/diagnostic.h"

#include <fmt/core.h>

#include <algorithm>

namespace lifeboat::plan {
namespace {

constexpr std::size_t excerpt_max = 160;  // bytes of a line that are shown around the column
constexpr std::size_t tab_width = 4;

struct Style {
    std::string_view level, bold, dim, off;
};

Style style_of(DiagnosticLevel level, bool colour) {
    if (!colour) return {};
    return {.level = level == DiagnosticLevel::error ? "\x1b[1;31m" : "\x1b[1;33m",
            .bold = "\x1b[1m",
            .dim = "\x1b[2m",
            .off = "\x1b[0m"};
}

std::string_view word(DiagnosticLevel level) {
    return level == DiagnosticLevel::error ? "error" : "warning";
}

std::string_view line_of(std::string_view text, std::uint32_t line) {
    for (std::uint32_t n = 1; n < line; ++n) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) return {};
        text.remove_prefix(end + 1);
    }
    text = text.substr(0, text.find('\n'));
    while (text.ends_with('\r')) text.remove_suffix(1);
    return text;
}

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

/// Wide characters take two cells in a terminal; combining ones none.
unsigned cells(std::string_view character) {
    if (character.size() < 3) return 1;
    std::uint32_t code =
        static_cast<unsigned char>(character[0]) & (character.size() == 3 ? 0x0FU : 0x07U);
    for (const char c : character.substr(1))
        code = (code << 6U) | (static_cast<unsigned char>(c) & 0x3FU);
    if (code >= 0xFE00 && code <= 0xFE0F) return 0;
    const bool wide = (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) ||
                      (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
                      (code >= 0xFE30 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFF60) ||
                      (code >= 0x1F300 && code <= 0x1FAFF) || (code >= 0x20000 && code <= 0x3FFFD);
    return wide ? 2 : 1;
}

struct Excerpt {
    std::string text;
    std::size_t caret = 0;  ///< cells before it
};

/// The line as a terminal shows it: tabs as blanks, control characters as '?', cut to what matters.
Excerpt excerpt_of(std::string_view line, std::uint32_t column) {
    Excerpt excerpt;
    std::size_t width = 0;
    std::size_t begin = 0;
    bool caret_set = false;
    std::uint32_t number = 1;
    for (std::size_t at = 0; at < line.size(); ++number) {
        std::size_t size = 1;
        while (at + size < line.size() && continues(line[at + size])) ++size;
        if (number == column) {
            excerpt.caret = width;
            caret_set = true;
        }
        const std::string_view character = line.substr(at, size);
        if (character == "\t") {
            const std::size_t blanks = tab_width - width % tab_width;
            excerpt.text.append(blanks, ' ');
            width += blanks;
        } else if (static_cast<unsigned char>(character[0]) < 0x20 || character[0] == '\x7f') {
            excerpt.text += '?';
            ++width;
        } else {
            excerpt.text += character;
            width += cells(character);
        }
        at += size;
        if (!caret_set && excerpt.text.size() > excerpt_max) {
            begin = excerpt.text.size();  // far to the left of the column: not shown
            excerpt.text.clear();
            width = 0;
        }
        if (caret_set && excerpt.text.size() > excerpt_max) {
            excerpt.text += "…";
            break;
        }
    }
    if (!caret_set) excerpt.caret = width;
    if (begin != 0) {
        excerpt.text = "…" + excerpt.text;
        ++excerpt.caret;
    }
    return excerpt;
}

const SourceText* source_of(const Diagnostic& diagnostic, const std::vector<SourceText>& sources) {
    return diagnostic.at.file < sources.size() ? &sources[diagnostic.at.file] : nullptr;
}

}  // namespace

std::string render(const Diagnostic& diagnostic, const std::vector<SourceText>& sources,
                   bool colour) {
    const Style style = style_of(diagnostic.level, colour);
    const SourceText* source = source_of(diagnostic, sources);
    std::string place = source == nullptr ? std::string("plan") : source->name;
    if (diagnostic.at.line != 0)
        place += fmt::format(":{}:{}", diagnostic.at.line, diagnostic.at.column);
    std::string text =
        fmt::format("{}{}:{} {}{}[{}]:{} {}\n", style.bold, place, style.off, style.level,
                    word(diagnostic.level), diagnostic.id, style.off, diagnostic.message);
    const std::string number = std::to_string(diagnostic.at.line);
    const std::size_t gutter = std::max<std::size_t>(number.size() + 1, 5);
    if (source != nullptr && diagnostic.at.line != 0) {
        const std::string_view line = line_of(source->text, diagnostic.at.line);
        const Excerpt excerpt = excerpt_of(line, diagnostic.at.column);
        text +=
            fmt::format("{}{:>{}} |{} {}\n", style.dim, number, gutter, style.off, excerpt.text);
        text += fmt::format("{}{:>{}} |{} {:>{}}{}^{}{}{}\n", style.dim, "", gutter, style.off, "",
                            excerpt.caret, style.level, diagnostic.note.empty() ? "" : " ",
                            diagnostic.note, style.off);
    }
    if (!diagnostic.hint.empty())
        text += fmt::format("{}{:>{}} ={} {}\n", style.dim, "", gutter, style.off, diagnostic.hint);
    return text;
}

Json to_json(const Diagnostic& diagnostic, const std::vector<SourceText>& sources) {
    const SourceText* source = source_of(diagnostic, sources);
    Json json{{"level", word(diagnostic.level)},
              {"id", diagnostic.id},
              {"file", source == nullptr ? std::string() : source->name},
              {"line", diagnostic.at.line},
              {"column", diagnostic.at.column},
              {"message", diagnostic.message}};
    if (!diagnostic.note.empty()) json["note"] = diagnostic.note;
    if (!diagnostic.hint.empty()) json["hint"] = diagnostic.hint;
    return json;
}

}  // namespace lifeboat::plan

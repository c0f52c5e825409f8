#include "surface/cli/output.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "platform/codec/utf8.h"
#include "platform/observe/redact.h"

namespace lifeboat::cli {
namespace {

/// What is no UTF-8 (an excerpt of a broken file) must not confuse the terminal.
std::string well_formed(std::string text) {
    std::string clean;
    for (std::size_t at = 0; at < text.size();) {
        const Utf8Char next = decode_utf8(text, at);
        if (next.valid)
            clean.append(text, at, next.size);
        else
            clean += "\xef\xbf\xbd";
        at += next.size;
    }
    return clean;
}

void write(std::FILE* stream, std::string_view text) {
    const std::string safe = well_formed(redact(text)) + "\n";
    (void)std::fwrite(safe.data(), 1, safe.size(), stream);
    (void)std::fflush(stream);
}

std::string_view code_of(Tone tone) {
    switch (tone) {
        case Tone::good:
            return "\x1b[32m";
        case Tone::warning:
            return "\x1b[33m";
        case Tone::bad:
            return "\x1b[31m";
        case Tone::faint:
            return "\x1b[2m";
        case Tone::strong:
            return "\x1b[1m";
        case Tone::plain:
            break;
    }
    return "";
}

}  // namespace

void Output::line(std::string_view text) const { write(stdout, text); }
void Output::note(std::string_view text) const { write(stderr, text); }
void Output::document(const Json& value) const { write(stdout, dump_pretty(value)); }
void Output::event(const Json& value) const { write(stdout, dump(value)); }

void Output::error(const Error& error) const {
    if (options_.json) {
        document(Json{{"error", to_json(error)}});
        return;
    }
    note(fmt::format("lifeboat: {} {}", paint(Tone::bad, "error:"), error.message));
    if (!error.hint.empty()) note("  " + error.hint);
}

std::string Output::paint(Tone tone, std::string_view text) const {
    const std::string_view code = code_of(tone);
    if (!options_.colour || code.empty()) return std::string(text);
    return fmt::format("{}{}\x1b[0m", code, text);
}

std::size_t visible_width(std::string_view text) {
    std::size_t width = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\x1b') {
            while (i < text.size() && text[i] != 'm') ++i;
            continue;
        }
        if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) ++width;
    }
    return width;
}

std::string clip(std::string_view text, std::size_t width) {
    if (visible_width(text) <= width) return std::string(text);
    if (width == 0) return {};
    std::string kept;
    std::size_t columns = 0;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t end = i + 1;
        if (text[i] == '\x1b') {
            while (end < text.size() && text[end - 1] != 'm') ++end;
        } else {
            while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
                ++end;
            if (++columns == width) break;
        }
        kept += text.substr(i, end - i);
        i = end;
    }
    return kept + "…";
}

TerminalSize terminal_size() {
    winsize size{};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        return {};
    return TerminalSize{.width = size.ws_col, .height = size.ws_row};
}

std::vector<std::string> aligned(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], visible_width(row[i]));
    }
    std::vector<std::string> lines;
    for (const auto& row : rows) {
        std::string text;
        for (std::size_t i = 0; i < row.size(); ++i) {
            text += row[i];
            if (i + 1 < row.size()) text.append(widths[i] - visible_width(row[i]) + 2, ' ');
        }
        lines.push_back(std::move(text));
    }
    return lines;
}

void Output::table(const std::vector<std::vector<std::string>>& rows) const {
    for (const std::string& text : aligned(rows)) line(text);
}

}  // namespace lifeboat::cli

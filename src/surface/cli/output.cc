#include "surface/cli/output.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "platform/observe/redact.h"

namespace lifeboat::cli {
namespace {

void write(std::FILE* stream, std::string_view text) {
    const std::string safe = redact(text) + "\n";
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

void Output::table(const std::vector<std::vector<std::string>>& rows) const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], visible_width(row[i]));
    }
    for (const auto& row : rows) {
        std::string text;
        for (std::size_t i = 0; i < row.size(); ++i) {
            text += row[i];
            if (i + 1 < row.size()) text.append(widths[i] - visible_width(row[i]) + 2, ' ');
        }
        line(text);
    }
}

}  // namespace lifeboat::cli

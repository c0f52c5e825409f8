#include "core/plan/mask.h"

#include <fmt/core.h>

#include <algorithm>

namespace lifeboat::plan {
namespace {

constexpr std::size_t short_secret = 6;

void star(std::string& text, std::size_t begin, std::size_t size) {
    for (std::size_t i = begin; i < std::min(begin + size, text.size()); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte == '\n' || byte == '\r') continue;
        text[i] = '*';
    }
}

std::size_t line_begin(const std::string& text, std::uint32_t line) {
    std::size_t at = 0;
    for (std::uint32_t n = 1; n < line; ++n) {
        const std::size_t end = text.find('\n', at);
        if (end == std::string::npos) return text.size();
        at = end + 1;
    }
    return at;
}

void star_all(std::string& text, std::string_view secret) {
    for (std::size_t at = text.find(secret); at != std::string::npos;
         at = text.find(secret, at + 1))
        star(text, at, secret.size());
}

/// A secret whose first and last character are known; false when it is not.
bool star_exactly(std::string& text, const Revealed& secret, const Texts& texts) {
    if (secret.last.line == 0) return false;
    const std::size_t first = texts.byte_at(secret.at);
    std::size_t last = texts.byte_at(secret.last);
    if (first == std::string::npos || last == std::string::npos || last < first) return false;
    // The last character may be written as an escape.
    if (text[last] == '\\') last = std::min(text.find_first_of("\"\n", last + 2), text.size());
    star(text, first, last - first + 1);
    return true;
}

void star_in_line(std::string& text, const Revealed& secret) {
    const std::size_t begin = line_begin(text, secret.at.line);
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::size_t found =
        secret.value.empty() ? std::string::npos : text.find(secret.value, begin);
    if (found != std::string::npos && found < end)
        star(text, found, secret.value.size());
    else  // folded, escaped or over several lines: hide all that may be it
        star(text, std::min(begin + secret.at.column - 1, end),
             end - std::min(begin + secret.at.column - 1, end));
}

/// Wherever else it stands: in a comment, in what was copied from here.
void star_elsewhere(std::string& text, const std::string& secret) {
    if (secret.size() >= short_secret) star_all(text, secret);
    const std::string in_url = fmt::format(":{}@", secret);
    for (std::size_t at = text.find(in_url); at != std::string::npos;
         at = text.find(in_url, at + 1))
        star(text, at + 1, secret.size());
    // A text over several lines is found line by line.
    for (std::size_t at = 0; secret.contains('\n') && at < secret.size();) {
        const std::size_t stop = std::min(secret.find('\n', at), secret.size());
        if (stop - at >= short_secret)
            star_all(text, std::string_view(secret).substr(at, stop - at));
        at = stop + 1;
    }
}

}  // namespace

void mask(std::vector<SourceText>& sources, const std::vector<Revealed>& revealed,
          const Texts& texts) {
    constexpr std::size_t looks_max = 200;  // each looks through the whole text
    for (std::size_t i = 0; i < revealed.size(); ++i) {
        const Revealed& secret = revealed[i];
        if (secret.at.file >= sources.size()) continue;
        std::string& text = sources[secret.at.file].text;
        const bool exact = star_exactly(text, secret, texts);
        if (i < looks_max) {
            if (!exact) star_in_line(text, secret);
            star_elsewhere(text, secret.value);
        } else if (!exact) {
            const std::size_t begin = line_begin(text, secret.at.line);
            star(text, begin, text.find('\n', begin) - begin);
        }
    }
}

}  // namespace lifeboat::plan

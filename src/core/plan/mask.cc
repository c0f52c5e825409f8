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

void mask_one(std::string& text, const Revealed& secret) {
    if (secret.in_url) {
        const std::string in_place = fmt::format(":{}@", secret.value);
        for (std::size_t at = text.find(in_place); at != std::string::npos;
             at = text.find(in_place, at + 1))
            star(text, at + 1, secret.value.size());
        return;
    }
    const std::size_t begin = line_begin(text, secret.at.line);
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::size_t found =
        secret.value.empty() ? std::string::npos : text.find(secret.value, begin);
    if (found != std::string::npos && found < end)
        star(text, found, secret.value.size());
    else  // folded, escaped or over several lines: hide all that may be it
        star(text, std::min(begin + secret.at.column - 1, end),
             end - std::min(begin + secret.at.column - 1, end));
    if (secret.value.size() >= short_secret) star_all(text, secret.value);
    // A text over several lines is found line by line.
    for (std::size_t at = 0; secret.value.contains('\n') && at < secret.value.size();) {
        const std::size_t stop = std::min(secret.value.find('\n', at), secret.value.size());
        if (stop - at >= short_secret)
            star_all(text, std::string_view(secret.value).substr(at, stop - at));
        at = stop + 1;
    }
}

}  // namespace

void mask(std::vector<SourceText>& sources, const std::vector<Revealed>& revealed) {
    constexpr std::size_t masks_max = 200;  // each looks through the whole text
    for (std::size_t i = 0; i < revealed.size(); ++i) {
        const Revealed& secret = revealed[i];
        if (secret.at.file >= sources.size()) continue;
        std::string& text = sources[secret.at.file].text;
        if (i < masks_max)
            mask_one(text, secret);
        else
            star(text, line_begin(text, secret.at.line),
                 text.find('\n', line_begin(text, secret.at.line)) -
                     line_begin(text, secret.at.line));
    }
}

}  // namespace lifeboat::plan

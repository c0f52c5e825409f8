// Small judgements about texts that the reader needs.

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/plan/reader.h"
#include "platform/base/text.h"

namespace lifeboat::plan {

std::string_view describe(yaml::Type type) {
    switch (type) {
        case yaml::Type::null:
            return "nothing";
        case yaml::Type::scalar:
            return "a text";
        case yaml::Type::sequence:
            return "a list";
        case yaml::Type::mapping:
            return "a mapping";
    }
    return "something else";
}

std::string_view describe(Refers sort) {
    switch (sort) {
        case Refers::nothing:
            return "text";
        case Refers::site:
            return "site";
        case Refers::component:
            return "component";
        case Refers::scenario:
            return "scenario";
        case Refers::severity:
            return "severity";
        case Refers::channel:
            return "channel";
        case Refers::role:
            return "role";
        case Refers::contact:
            return "contact";
    }
    return "name";
}

bool is_placeholder(std::string_view text) {
    text = trim(text);
    if (text.empty()) return false;
    if (text.front() == '[' && text.back() == ']') return true;
    if (text.front() == '<' && text.back() == '>') return true;
    return text.contains("XXX") || text == "-" || text == "TBD" || text == "TODO" || text == "?";
}

bool is_reference(std::string_view text) {
    for (const std::string_view scheme : {"env:", "file:", "aws-secret:"})
        if (text.starts_with(scheme)) return text.size() > scheme.size();
    return false;
}

bool names_a_secret(std::string_view name) {
    const std::string lower = to_lower(name);
    for (const std::string_view ending :
         {"password", "passwd", "_pwd", "passphrase", "secret", "token", "api_key", "apikey",
          "private_key", "secret_key", "secret_access_key", "authorization"})
        if (lower.ends_with(ending)) return true;
    return false;
}

std::optional<std::string_view> password_in_url(std::string_view text) {
    for (std::size_t at = text.find("://"); at != std::string_view::npos;
         at = text.find("://", at + 1)) {
        const std::string_view rest = text.substr(at + 3);
        const std::string_view authority = rest.substr(0, rest.find_first_of("/?# \t\n\"'<>"));
        const std::size_t host = authority.rfind('@');
        if (host == std::string_view::npos) continue;
        const std::size_t colon = authority.find(':');
        if (colon == std::string_view::npos || colon > host) continue;
        const std::string_view password = authority.substr(colon + 1, host - colon - 1);
        const bool filled_in = password.empty() || password.contains('$') ||
                               password.contains("{{") || password.starts_with('*');
        if (!filled_in) return password;
    }
    return std::nullopt;
}

Json plain_value(const yaml::Node& node) {
    if (node.quoted) return Json(node.scalar);
    if (node.scalar == "true" || node.scalar == "false") return Json(node.scalar == "true");
    // `010` and `1_000` are what they look like: texts.
    const bool leading_zero = node.scalar.size() > 1 && node.scalar.front() == '0';
    if (const auto number = parse_integer(node.scalar); number && !leading_zero) {
        if (*number >= 0) return Json(static_cast<std::uint64_t>(*number));
        return Json(*number);
    }
    const bool digits = std::ranges::all_of(
        node.scalar, [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == '-'; });
    double real = 0;
    const char* end = node.scalar.data() + node.scalar.size();
    const auto [stop, problem] = std::from_chars(node.scalar.data(), end, real);
    if (digits && problem == std::errc() && stop == end && std::isfinite(real) && !leading_zero)
        return Json(real);
    return Json(node.scalar);
}

Position place_of(const yaml::Entry& entry) {
    return entry.value.at.line == 0 ? entry.key_at : entry.value.at;
}

}  // namespace lifeboat::plan

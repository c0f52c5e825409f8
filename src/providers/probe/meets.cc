#include <fmt/core.h>

#include <charconv>
#include <compare>

#include "platform/base/text.h"
#include "providers/probe/check.h"

namespace lifeboat::probe {
namespace {

std::optional<double> number(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// Integers are compared as integers: counts beyond 2^53 must not become equal.
std::partial_ordering compare(std::string_view left, std::string_view right) {
    const auto left_integer = parse_integer(left);
    const auto right_integer = parse_integer(right);
    if (left_integer && right_integer) return *left_integer <=> *right_integer;
    const auto left_number = number(left);
    const auto right_number = number(right);
    if (left_number && right_number) return *left_number <=> *right_number;
    return left <=> right;
}

/// `*` stands for any text, `?` for one character; all else for itself.
bool matches(std::string_view text, std::string_view glob) {
    std::size_t at = 0, in = 0, star = std::string_view::npos, resume = 0;
    while (at < text.size()) {
        if (in < glob.size() && glob[in] == '*') {
            star = in++;
            resume = at;
        } else if (in < glob.size() && (glob[in] == '?' || glob[in] == text[at])) {
            ++in;
            ++at;
        } else if (star != std::string_view::npos) {
            in = star + 1;
            at = ++resume;
        } else {
            return false;
        }
    }
    while (in < glob.size() && glob[in] == '*') ++in;
    return in == glob.size();
}

struct Operator {
    std::string_view sign;
    bool (*holds)(std::partial_ordering);
};

constexpr Operator operators[] = {
    // The longer sign first: ">=" is not ">" and "=…".
    {">=", [](std::partial_ordering order) { return order >= 0; }},
    {"<=", [](std::partial_ordering order) { return order <= 0; }},
    {"!=", [](std::partial_ordering order) { return order != 0; }},
    {"==", [](std::partial_ordering order) { return order == 0; }},
    {">", [](std::partial_ordering order) { return order > 0; }},
    {"<", [](std::partial_ordering order) { return order < 0; }},
    {"=", [](std::partial_ordering order) { return order == 0; }},
};

constexpr std::string_view matches_word = "matches ";

}  // namespace

Result<bool> meets(std::string_view value, std::string_view expectation) {
    const std::string_view wanted = trim(expectation);
    const std::string_view given = trim(value);
    if (wanted.starts_with(matches_word))
        return matches(given, trim(wanted.substr(matches_word.size())));
    for (const Operator& one : operators) {
        if (!wanted.starts_with(one.sign)) continue;
        const std::string_view operand = trim(wanted.substr(one.sign.size()));
        const bool equality = one.sign.find('=') != std::string_view::npos && one.sign[0] != '<' &&
                              one.sign[0] != '>';
        if (operand.empty() && !equality)
            return invalid(fmt::format("the expectation '{}' compares with nothing", expectation),
                           "Write a value behind the sign, for example '> 0'.");
        if (!equality && (!number(given) || !number(operand))) {
            if (!number(operand))
                return invalid(fmt::format("the expectation '{}' needs a number", expectation),
                               "Use '=' or 'matches' for texts.");
            return false;  // a text is not more or less than a number
        }
        return one.holds(compare(given, operand));
    }
    return compare(given, wanted) == 0;
}

}  // namespace lifeboat::probe

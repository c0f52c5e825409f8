#pragma once
/// Small text tools that the standard library of GCC 12 lacks. ASCII; pure.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lifeboat {

std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);
std::string to_lower(std::string_view text);
/// The whole text as a decimal integer, or nothing.
std::optional<std::int64_t> parse_integer(std::string_view text);
/// The candidate nearest to `word` (Damerau-Levenshtein), if near enough to be a typing mistake.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);
/// True for names usable as ids everywhere: [a-z0-9][a-z0-9_.-]*, at most 63 characters.
bool is_name(std::string_view text);

}  // namespace lifeboat

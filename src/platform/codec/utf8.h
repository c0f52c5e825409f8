#pragma once
/// UTF-8, decoded by hand: what is well formed, where a byte stands on its line. Pure.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lifeboat {

/// One decoded character.
struct Utf8Char {
    char32_t code = 0;
    std::size_t size = 1;  ///< bytes; 1 for an ill-formed byte
    bool valid = false;
};

/// The character that begins at `at`. Overlong forms and surrogates are not valid.
/// Requires: at < text.size().
Utf8Char decode_utf8(std::string_view text, std::size_t at);

/// Characters in the text; an ill-formed byte counts as one.
std::size_t count_characters(std::string_view text);

/// A place in a text as people count it: from 1, columns in characters.
struct LineColumn {
    std::uint32_t line = 1;
    std::uint32_t column = 1;
};

/// Where the byte at `offset` stands (the end of the text when it lies beyond).
LineColumn locate(std::string_view text, std::size_t offset);

}  // namespace lifeboat

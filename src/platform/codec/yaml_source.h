#pragma once
/// The text of a YAML file: checked byte by byte before the parser sees it, and asked for
/// positions.
///
/// What the parser would swallow or misread (control characters, bytes that are not UTF-8, 0x04
/// which it takes for the end) is a problem here and replaced by harmless bytes of the same length,
/// so that offsets stay true and the rest can still be read. Not thread-safe (positions are
/// cached).

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "platform/codec/yaml.h"

namespace lifeboat::yaml {

constexpr std::size_t text_size_max = std::size_t{4} << 20U;

class Source {
public:
    /// Checks `text`; what is wrong with it is added to `problems`.
    Source(std::string_view text, std::uint32_t file, std::vector<Problem>& problems);

    /// False when there is no use in parsing (too large, another encoding).
    bool readable() const { return readable_; }
    /// The cleaned text, without a byte order mark, ending in a newline.
    const std::string& text() const { return text_; }
    /// The byte at `offset`, or NUL beyond the end.
    char at(std::size_t offset) const { return offset < text_.size() ? text_[offset] : '\0'; }
    /// Cheap when asked in ascending order.
    Position position(std::size_t offset);

    /// Where the value itself begins: behind anchor, tag, blanks and comments.
    std::size_t skip_properties(std::size_t offset) const;
    /// The offset of the closing quote of the quoted text that begins at `offset`, or npos.
    std::size_t closing_quote(std::size_t offset) const;
    /// True when a tab stands in the white space that begins the line of `offset`, and nothing but
    /// white space before it.
    bool is_indented_by_tab(std::size_t offset) const;
    /// The '-' of a list's item that holds nothing, given the offset of the token behind it.
    std::size_t dash_before(std::size_t offset) const;

private:
    void clean(std::vector<Problem>& problems);

    std::string text_;
    std::uint32_t file_;
    bool readable_ = true;
    std::vector<std::size_t> lines_{0};  // offset of each line's first byte
    std::size_t known_offset_ = 0;       // the last position asked for
    std::uint32_t known_column_ = 1;
    std::size_t known_line_ = 0;
};

}  // namespace lifeboat::yaml

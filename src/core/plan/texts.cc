#include "core/plan/texts.h"

#include <algorithm>

#include "platform/codec/utf8.h"

namespace lifeboat::plan {
namespace {

using yaml::Position;

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::string_view blanks = " \t\r\n";

bool is_blank(char c) { return blanks.contains(c); }

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

/// Follows a value through the text that it was read from. Blanks are folded, stripped and added by
/// the rules of each style; all other characters stand there one after the other, as themselves or
/// escaped.
class Follower {
public:
    Follower(std::string_view text, std::size_t begin) : text_(text), at_(begin) {
        style_ = char_at(at_);
        if (style_ == '|' || style_ == '>')  // what they hold begins in the next line
            at_ = std::min(text_.find('\n', at_), text_.size());
        else if (style_ == '"' || style_ == '\'')
            ++at_;
    }

    /// An alias: its value stands elsewhere. Or a secret, which was hidden altogether.
    bool is_blind() const { return style_ == '*'; }

    /// The byte of the text that became byte `offset` of the value, or npos.
    std::size_t find(std::string_view value, std::size_t offset) {
        std::size_t read = 0;
        while (true) {
            read = std::min(value.find_first_not_of(blanks, read), value.size());
            skip_blanks();
            if (read >= value.size() || at_ >= text_.size()) return std::string_view::npos;
            if (read >= offset) return at_;
            const std::size_t escaped = escape();
            if (escaped == 0 && text_[at_] != value[read] && text_[at_] != '*')
                return std::string_view::npos;  // '*': a secret that was hidden
            at_ += std::max<std::size_t>(escaped, 1);
            ++read;
            while (escaped != 0 && read < value.size() && continues(value[read])) ++read;
        }
    }

private:
    char char_at(std::size_t at) const { return at < text_.size() ? text_[at] : '\0'; }

    void skip_blanks() {
        while (at_ < text_.size()) {
            const char next = char_at(at_ + 1);
            const bool escaped = style_ == '"' && text_[at_] == '\\' &&
                                 (is_blank(next) || next == 'n' || next == 't' || next == 'r');
            if (!escaped && !is_blank(text_[at_])) return;
            at_ += escaped ? 2 : 1;
        }
    }

    /// How many bytes of the text stand for one character of the value; 0: it stands for itself.
    std::size_t escape() const {
        if (style_ == '\'') return char_at(at_) == '\'' && char_at(at_ + 1) == '\'' ? 2 : 0;
        if (style_ != '"' || char_at(at_) != '\\') return 0;
        switch (char_at(at_ + 1)) {
            case 'x':
                return 4;
            case 'u':
                return 6;
            case 'U':
                return 10;
            default:
                return 2;
        }
    }

    std::string_view text_;
    std::size_t at_;
    char style_ = '\0';
};

}  // namespace

Texts::Texts(const std::vector<SourceText>& sources) {
    for (const SourceText& source : sources) {
        File file{.text = source.text, .lines = {0}};
        if (file.text.starts_with(byte_order_mark)) file.lines.front() = byte_order_mark.size();
        for (std::size_t i = 0; i < file.text.size(); ++i)
            if (file.text[i] == '\n') file.lines.push_back(i + 1);
        files_.push_back(std::move(file));
    }
}

std::size_t Texts::byte_at(Position at) const {
    if (at.file >= files_.size() || at.line == 0) return std::string_view::npos;
    const File& file = files_[at.file];
    if (at.line > file.lines.size()) return std::string_view::npos;
    std::size_t byte = file.lines[at.line - 1];
    for (std::uint32_t column = 1; column < at.column && byte < file.text.size(); ++column)
        for (++byte; byte < file.text.size() && continues(file.text[byte]);) ++byte;
    return byte < file.text.size() ? byte : std::string_view::npos;
}

Position Texts::position(std::uint32_t file, std::size_t byte) const {
    const std::vector<std::size_t>& lines = files_[file].lines;
    const auto above = std::ranges::upper_bound(lines, byte);
    const auto line = static_cast<std::size_t>(above - lines.begin());
    const std::size_t begin = lines[line - 1];
    const std::size_t before = count_characters(files_[file].text.substr(begin, byte - begin));
    return {.file = file,
            .line = static_cast<std::uint32_t>(line),
            .column = static_cast<std::uint32_t>(before + 1)};
}

std::optional<Position> Texts::find(Position scalar, std::string_view value,
                                    std::size_t offset) const {
    const std::size_t begin = byte_at(scalar);
    if (begin == std::string_view::npos) return std::nullopt;
    Follower follower(files_[scalar.file].text, begin);
    if (follower.is_blind()) return std::nullopt;
    const std::size_t found = follower.find(value, offset);
    if (found == std::string_view::npos) return std::nullopt;
    return position(scalar.file, found);
}

}  // namespace lifeboat::plan

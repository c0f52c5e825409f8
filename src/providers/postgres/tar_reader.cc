#include "providers/postgres/tar_reader.h"

#include <fmt/core.h>

#include <algorithm>

#include "platform/base/text.h"

namespace lifeboat::postgres {
namespace {

constexpr std::size_t extension_max = 1U << 20U;

/// A text field: up to the first zero.
std::string_view field(ByteView header, std::size_t at, std::size_t size) {
    const std::string_view text = as_text(header.subspan(at, size));
    return text.substr(0, text.find('\0'));
}

/// Octal digits, or base 256 when the first bit is set.
Result<std::uint64_t> number(ByteView header, std::size_t at, std::size_t size) {
    const ByteView raw = header.subspan(at, size);
    std::uint64_t value = 0;
    if ((raw[0] & std::byte{0x80}) != std::byte{0}) {
        for (std::size_t i = 1; i < size; ++i) {
            if ((value >> 56U) != 0) return corrupt("tar: a number is too large");
            value = (value << 8U) | std::to_integer<std::uint64_t>(raw[i]);
        }
        return value;
    }
    for (const char digit : trim(field(header, at, size))) {
        if (digit < '0' || digit > '7')
            return corrupt(
                fmt::format("tar: '{}' is not an octal number", field(header, at, size)));
        value = value * 8 + static_cast<std::uint64_t>(digit - '0');
    }
    return value;
}

bool checksum_matches(ByteView header, std::uint64_t wanted) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < header.size(); ++i)
        sum += i >= 148 && i < 156 ? ' ' : std::to_integer<std::uint64_t>(header[i]);
    return sum == wanted;
}

/// Without "./" and doubled slashes; "" is the root itself.
Result<std::string> clean(std::string_view path) {
    std::string cleaned;
    if (!path.empty() && path.front() == '/')
        return corrupt(fmt::format("tar: entry '{}' has an absolute path", path));
    for (const std::string_view part : split(path, '/')) {
        if (part.empty() || part == ".") continue;
        if (part == "..") return corrupt(fmt::format("tar: entry '{}' leaves the archive", path));
        if (!cleaned.empty()) cleaned += '/';
        cleaned += part;
    }
    return cleaned;
}

}  // namespace

Result<void> TarReader::feed(ByteView bytes) {
    while (!bytes.empty()) {
        std::size_t taken = bytes.size();
        switch (state_) {
            case State::header: {
                taken = std::min(bytes.size(), block - filled_);
                std::copy_n(bytes.begin(), taken,
                            header_.begin() + static_cast<std::ptrdiff_t>(filled_));
                filled_ += taken;
                if (filled_ == block) {
                    filled_ = 0;
                    TRY(take_header());
                }
                break;
            }
            case State::data:
            case State::extension: {
                taken = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_));
                if (state_ == State::data) {
                    TRY(sink_.data(bytes.first(taken)));
                } else {
                    collected_ += as_text(bytes.first(taken));
                }
                left_ -= taken;
                if (left_ == 0) TRY(end_data());
                break;
            }
            case State::padding:
                taken = std::min(bytes.size(), padding_);
                padding_ -= taken;
                if (padding_ == 0) state_ = State::header;
                break;
            case State::done:
                break;  // what follows the end is filler
        }
        bytes = bytes.subspan(taken);
    }
    return ok();
}

Result<void> TarReader::finish() {
    if (state_ == State::done || (state_ == State::header && filled_ == 0)) return ok();
    return corrupt(fmt::format("tar: the archive ends within '{}'", entry_.path));
}

Result<void> TarReader::take_header() {
    const ByteView header(header_);
    if (std::all_of(header.begin(), header.end(), [](std::byte b) { return b == std::byte{0}; })) {
        state_ = State::done;
        return ok();
    }
    const std::uint64_t checksum = TRY(number(header, 148, 8));
    if (!checksum_matches(header, checksum))
        return corrupt(
            fmt::format("tar: the checksum of a header after '{}' does not match", entry_.path));
    const char type = static_cast<char>(header[156]);
    const std::uint64_t size = TRY(number(header, 124, 12));
    if (type == 'L' || type == 'K' || type == 'x' || type == 'g') {
        if (size > extension_max)
            return corrupt(fmt::format("tar: an extension of {} bytes", size));
        extension_ = type;
        collected_.clear();
        left_ = size;
        padding_ = (block - size % block) % block;
        state_ = State::extension;
        return size == 0 ? end_data() : ok();
    }
    return begin_entry(type, size);
}

Result<void> TarReader::begin_entry(char type, std::uint64_t size) {
    const ByteView header(header_);
    std::string path(field(header, 0, 100));
    if (as_text(header.subspan(257, 5)) == "ustar" && header[262] == std::byte{0})
        if (const auto prefix = field(header, 345, 155); !prefix.empty())
            path = fmt::format("{}/{}", prefix, path);
    if (!long_path_.empty()) path = long_path_;
    entry_ = {};
    entry_.path = TRY(clean(path));
    entry_.target = long_target_.empty() ? std::string(field(header, 157, 100)) : long_target_;
    entry_.mode = static_cast<std::uint32_t>(TRY(number(header, 100, 8)) & 07777U);
    const std::uint64_t seconds = TRY(number(header, 136, 12));
    entry_.modified = Instant(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
    switch (type) {
        case '\0':
        case '0':
        case '7':
            entry_.type = TarEntry::Type::file;
            entry_.size = long_size_.value_or(size);
            break;
        case '5':
            entry_.type = TarEntry::Type::directory;
            break;
        case '2':
            entry_.type = TarEntry::Type::symlink;
            break;
        default:
            return unsupported(fmt::format("tar: entry '{}' has type '{}'", entry_.path, type));
    }
    long_path_.clear();
    long_target_.clear();
    long_size_.reset();
    if (entry_.type == TarEntry::Type::file && entry_.path.empty())
        return corrupt("tar: a file without a name");
    TRY(sink_.entry(entry_));
    if (entry_.type != TarEntry::Type::file) return ok();
    left_ = entry_.size;
    padding_ = static_cast<std::size_t>((block - entry_.size % block) % block);
    state_ = State::data;
    return left_ == 0 ? end_data() : ok();
}

Result<void> TarReader::end_data() {
    const State ended = state_;
    state_ = padding_ == 0 ? State::header : State::padding;
    if (ended == State::data) return sink_.end();
    return take_extension();
}

Result<void> TarReader::take_extension() {
    if (extension_ == 'g') return ok();
    if (extension_ != 'x') {
        std::string& name = extension_ == 'L' ? long_path_ : long_target_;
        name = collected_.substr(0, collected_.find('\0'));
        return ok();
    }
    // "<length> <key>=<value>\n", the length counting the whole record.
    std::string_view rest = collected_;
    while (!rest.empty()) {
        const auto space = rest.find(' ');
        const auto length = parse_integer(rest.substr(0, space));
        if (space == std::string_view::npos || !length ||
            *length <= static_cast<std::int64_t>(space) + 1 ||
            static_cast<std::uint64_t>(*length) > rest.size())
            return corrupt("tar: a pax record is damaged");
        std::string_view record =
            rest.substr(space + 1, static_cast<std::size_t>(*length) - space - 1);
        rest.remove_prefix(static_cast<std::size_t>(*length));
        if (record.ends_with('\n')) record.remove_suffix(1);
        const auto equals = record.find('=');
        if (equals == std::string_view::npos) return corrupt("tar: a pax record is damaged");
        const std::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
        if (key == "path") long_path_ = value;
        if (key == "linkpath") long_target_ = value;
        if (key != "size") continue;
        const auto size = parse_integer(value);
        if (!size || *size < 0) return corrupt("tar: a pax record is damaged");
        long_size_ = static_cast<std::uint64_t>(*size);
    }
    return ok();
}

}  // namespace lifeboat::postgres

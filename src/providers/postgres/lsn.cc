#include "providers/postgres/lsn.h"

#include <fmt/core.h>

#include <bit>
#include <charconv>

namespace lifeboat::postgres {
namespace {

/// The whole text as a hexadecimal number, or nothing.
template <class T>
std::optional<T> parse_hex(std::string_view text) {
    T value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (text.empty() || text.front() == '-' || error != std::errc() ||
        end != text.data() + text.size())
        return std::nullopt;
    return value;
}

std::optional<Lsn> lsn_from(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos || slash > 8 || text.size() - slash - 1 > 8)
        return std::nullopt;
    const auto high = parse_hex<std::uint32_t>(text.substr(0, slash));
    const auto low = parse_hex<std::uint32_t>(text.substr(slash + 1));
    if (!high || !low) return std::nullopt;
    return (Lsn{*high} << 32U) | *low;
}

}  // namespace

std::string format_lsn(Lsn lsn) { return fmt::format("{:X}/{:X}", lsn >> 32U, lsn & 0xFFFFFFFFU); }

Result<Lsn> parse_lsn(std::string_view text) {
    if (const auto lsn = lsn_from(text)) return *lsn;
    return invalid(fmt::format("'{}' is not a position in the WAL", text),
                   "A position looks like 0/3000148.");
}

bool looks_like_lsn(std::string_view text) { return lsn_from(text).has_value(); }

bool is_segment_size(std::uint64_t bytes) {
    return std::has_single_bit(bytes) && bytes >= (1U << 20U) && bytes <= (1U << 30U);
}

std::string segment_name(Timeline timeline, Lsn begin, std::uint32_t segment_size) {
    const Lsn number = begin / segment_size;
    const Lsn per_id = (Lsn{1} << 32U) / segment_size;
    return fmt::format("{:08X}{:08X}{:08X}", timeline, number / per_id, number % per_id);
}

std::string history_name(Timeline timeline) { return fmt::format("{:08X}.history", timeline); }

Result<WalFile> parse_wal_file(std::string_view name, std::uint32_t segment_size) {
    const auto bad = [&] {
        return invalid(fmt::format("'{}' is not the name of a WAL file", name));
    };
    if (name.size() < 8) return bad();
    const auto timeline = parse_hex<Timeline>(name.substr(0, 8));
    if (!timeline || *timeline == 0) return bad();
    if (name.substr(8) == ".history") return WalFile{WalFile::Kind::history, *timeline, 0};
    if (name.size() < 24) return bad();
    const auto high = parse_hex<std::uint32_t>(name.substr(8, 8));
    const auto low = parse_hex<std::uint32_t>(name.substr(16, 8));
    const Lsn per_id = (Lsn{1} << 32U) / segment_size;
    if (!high || !low || *low >= per_id) return bad();
    const Lsn begin = (Lsn{*high} * per_id + *low) * segment_size;
    if (name.size() > 24) {
        if (name[24] != '.') return bad();
        return WalFile{WalFile::Kind::other, *timeline, begin};
    }
    return WalFile{WalFile::Kind::segment, *timeline, begin};
}

}  // namespace lifeboat::postgres

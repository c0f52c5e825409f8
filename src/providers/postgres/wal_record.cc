#include "providers/postgres/wal_record.h"

#include <algorithm>
#include <limits>

namespace lifeboat::postgres {
namespace {

constexpr std::uint8_t rmgr_xlog = 0;
constexpr std::uint8_t rmgr_xact = 1;
constexpr std::uint8_t xlog_switch = 0x40;
constexpr std::uint8_t xlog_restore_point = 0x70;
constexpr std::uint8_t xact_operation = 0x70;  // mask
constexpr std::uint8_t xact_commit = 0x00;
constexpr std::uint8_t xact_abort = 0x20;
constexpr std::uint8_t xact_commit_prepared = 0x30;
constexpr std::uint8_t xact_abort_prepared = 0x40;
constexpr std::int64_t epoch_2000 = 946'684'800'000'000;  // microseconds after 1970

std::uint8_t byte_at(ByteView bytes, std::size_t at) {
    return std::to_integer<std::uint8_t>(bytes[at]);
}

/// The record's own data: the last `size` bytes, whose size stands in the headers before. Nothing
/// for records with blocks: those that matter here have none.
std::optional<ByteView> main_data(ByteView record) {
    std::size_t at = record_header;
    while (at < record.size()) {
        const std::uint8_t id = byte_at(record, at);
        std::size_t size = 0;
        if (id == 255) {
            if (at + 2 > record.size()) return std::nullopt;
            size = byte_at(record, at + 1);
            at += 2;
        } else if (id == 254) {
            if (at + 5 > record.size()) return std::nullopt;
            size = load_le<std::uint32_t>(record, at + 1);
            at += 5;
        } else if (id == 253) {  // origin
            at += 3;
            continue;
        } else if (id == 252) {  // top-level transaction
            at += 5;
            continue;
        } else {
            return std::nullopt;
        }
        if (size != record.size() - at) return std::nullopt;
        return record.last(size);
    }
    return std::nullopt;
}

}  // namespace

Instant from_server_time(std::int64_t microseconds) {
    // `infinity`, and whatever else no clock shows.
    if (microseconds > std::numeric_limits<std::int64_t>::max() - epoch_2000) return Instant::max();
    return Instant(Duration(microseconds + epoch_2000));
}

std::int64_t to_server_time(Instant instant) {
    constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
    if (instant.time_since_epoch().count() < least + epoch_2000) return least;
    return instant.time_since_epoch().count() - epoch_2000;
}

bool is_switch(ByteView record) {
    return byte_at(record, 17) == rmgr_xlog && (byte_at(record, 16) & 0xF0U) == xlog_switch;
}

std::optional<vault::Mark> mark_of(ByteView record, Lsn end) {
    const std::uint8_t info = byte_at(record, 16);
    const std::uint8_t manager = byte_at(record, 17);
    const std::uint8_t operation = info & xact_operation;
    const bool ends_transaction =
        manager == rmgr_xact &&
        (operation == xact_commit || operation == xact_abort || operation == xact_commit_prepared ||
         operation == xact_abort_prepared);
    const bool named = manager == rmgr_xlog && (info & 0xF0U) == xlog_restore_point;
    if (!ends_transaction && !named) return std::nullopt;
    const auto data = main_data(record);
    if (!data || data->size() < 8) return std::nullopt;
    vault::Mark mark{from_server_time(load_le<std::int64_t>(*data, 0)), end, {}};
    if (named) {
        const std::string_view text = as_text(data->subspan(8));
        mark.label = std::string(text.substr(0, text.find('\0')));
    }
    return mark;
}

}  // namespace lifeboat::postgres

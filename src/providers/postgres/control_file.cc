#include "providers/postgres/control_file.h"

#include <fmt/core.h>

#include <array>

#include "platform/codec/crypto.h"

namespace lifeboat::postgres {
namespace {

// Offsets in ControlFileData of pg_control version 1300 on 64-bit machines (PostgreSQL 13 to 17).
constexpr std::uint32_t known_version = 1300;
constexpr std::size_t at_system_identifier = 0;
constexpr std::size_t at_version = 8;
constexpr std::size_t at_state = 16;
constexpr std::size_t at_checkpoint = 32;
constexpr std::size_t at_redo = 40;
constexpr std::size_t at_timeline = 48;
constexpr std::size_t at_checkpoint_time = 104;
constexpr std::size_t at_minimum_recovery = 136;
constexpr std::size_t at_max_connections = 180;
constexpr std::size_t at_block_size = 216;
constexpr std::size_t at_wal_block_size = 224;
constexpr std::size_t at_segment_size = 228;
constexpr std::size_t at_checksums = 252;
constexpr std::size_t at_crc = 288;

constexpr std::array<const char*, 7> states{
    "starting up",       "shut down",           "shut down in recovery", "shutting down",
    "in crash recovery", "in archive recovery", "in production"};

std::int64_t limit_at(ByteView bytes, std::size_t index) {
    return load_le<std::int32_t>(bytes, at_max_connections + index * sizeof(std::int32_t));
}

/// A damaged file may say any number: what no clock shows is the end of time.
Instant instant_of_seconds(std::int64_t seconds) {
    constexpr std::int64_t second = 1'000'000;
    const std::int64_t most = Instant::max().time_since_epoch().count() / second;
    if (seconds > most || seconds < -most) return seconds > 0 ? Instant::max() : Instant::min();
    return Instant(Duration(seconds * second));
}

}  // namespace

Limits Limits::raised_to(const Limits& other) const {
    return {std::max(max_connections, other.max_connections),
            std::max(max_worker_processes, other.max_worker_processes),
            std::max(max_wal_senders, other.max_wal_senders),
            std::max(max_prepared_transactions, other.max_prepared_transactions),
            std::max(max_locks_per_transaction, other.max_locks_per_transaction)};
}

Result<ControlFile> parse_control_file(ByteView bytes) {
    if (bytes.size() < at_crc + sizeof(std::uint32_t))
        return corrupt(fmt::format("pg_control is only {} bytes long", bytes.size()));
    if (const auto version = load_le<std::uint32_t>(bytes, at_version); version != known_version)
        return unsupported(fmt::format("pg_control has version {}", version),
                           "This build reads the control files of PostgreSQL 13 to 17.");
    if (crypto::crc32c(bytes.first(at_crc)) != load_le<std::uint32_t>(bytes, at_crc))
        return corrupt("the checksum of pg_control does not match");
    ControlFile control;
    control.system_identifier = load_le<std::uint64_t>(bytes, at_system_identifier);
    const auto state = load_le<std::uint32_t>(bytes, at_state);
    control.state = state < states.size() ? states[state] : fmt::format("state {}", state);
    control.is_shut_down = state == 1 || state == 2;
    control.checkpoint = load_le<std::uint64_t>(bytes, at_checkpoint);
    control.redo = load_le<std::uint64_t>(bytes, at_redo);
    control.timeline = load_le<std::uint32_t>(bytes, at_timeline);
    control.checkpoint_at = instant_of_seconds(load_le<std::int64_t>(bytes, at_checkpoint_time));
    control.minimum_recovery_end = load_le<std::uint64_t>(bytes, at_minimum_recovery);
    control.limits = {limit_at(bytes, 0), limit_at(bytes, 1), limit_at(bytes, 2),
                      limit_at(bytes, 3), limit_at(bytes, 4)};
    control.block_size = load_le<std::uint32_t>(bytes, at_block_size);
    control.wal_block_size = load_le<std::uint32_t>(bytes, at_wal_block_size);
    control.segment_size = load_le<std::uint32_t>(bytes, at_segment_size);
    control.checksums = load_le<std::uint32_t>(bytes, at_checksums) != 0;
    return control;
}

Result<Bytes> require_backup_label(ByteView bytes) {
    TRY(parse_control_file(bytes));
    Bytes changed = to_bytes(bytes);
    const std::uint64_t nowhere = 0xDEAD;
    std::memcpy(changed.data() + at_checkpoint, &nowhere, sizeof(nowhere));
    const std::uint32_t crc = crypto::crc32c(ByteView(changed).first(at_crc));
    std::memcpy(changed.data() + at_crc, &crc, sizeof(crc));
    return changed;
}

}  // namespace lifeboat::postgres

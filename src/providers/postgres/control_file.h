#pragma once
/// What `global/pg_control` of a data directory says: whose it is, in which state, and the limits
/// that a hot standby must at least have. Pure.

#include <cstdint>
#include <string>

#include "platform/base/bytes.h"
#include "platform/base/time.h"
#include "providers/postgres/lsn.h"

namespace lifeboat::postgres {

/// Limits that a standby needs at least as high as its primary had them.
struct Limits {
    std::int64_t max_connections = 0;
    std::int64_t max_worker_processes = 0;
    std::int64_t max_wal_senders = 0;
    std::int64_t max_prepared_transactions = 0;
    std::int64_t max_locks_per_transaction = 0;
    bool operator==(const Limits&) const = default;
    /// The larger of each.
    Limits raised_to(const Limits& other) const;
};

struct ControlFile {
    std::uint64_t system_identifier = 0;
    std::string state;  ///< "in production", "shut down", "in archive recovery", …
    bool is_shut_down = false;
    Lsn checkpoint = 0, redo = 0;
    Timeline timeline = 0;  ///< of the latest checkpoint
    Instant checkpoint_at{};
    Lsn minimum_recovery_end = 0;
    Limits limits;
    std::uint32_t block_size = 0;
    std::uint32_t wal_block_size = 0;
    std::uint32_t segment_size = 0;
    bool checksums = false;
};

/// Errors: corrupt (too short, checksum), unsupported (a layout other than that of PostgreSQL 13 to
/// 17).
Result<ControlFile> parse_control_file(ByteView bytes);

/// The same control file with a checkpoint that is nowhere (0/DEAD) and the checksum made anew: a
/// restored data directory whose backup_label somebody removes then fails to start, instead of
/// starting corrupt. Errors: those of parse_control_file.
Result<Bytes> require_backup_label(ByteView bytes);

}  // namespace lifeboat::postgres

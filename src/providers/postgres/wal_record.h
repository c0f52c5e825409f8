#pragma once
/// One whole WAL record: what it says about time. Pure.

#include <optional>

#include "platform/base/bytes.h"
#include "providers/postgres/lsn.h"
#include "vault/vault.h"

namespace lifeboat::postgres {

constexpr std::size_t record_header =
    24;                                 ///< xl_tot_len, xl_xid, xl_prev, xl_info, xl_rmid, xl_crc
constexpr std::size_t record_crc = 20;  ///< offset of xl_crc: what stands before it is covered

/// The rest of the segment after this record is unused.
bool is_switch(ByteView record);
/// The end of a transaction (commit, abort, of prepared ones too), or a named restore point. `end`
/// is where the record ends.
std::optional<vault::Mark> mark_of(ByteView record, Lsn end);

/// Microseconds since 2000-01-01, as the server writes times.
Instant from_server_time(std::int64_t microseconds);
std::int64_t to_server_time(Instant instant);

}  // namespace lifeboat::postgres

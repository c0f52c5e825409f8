#pragma once
/// The lines with which Redis answers PSYNC, read. Pure. Source: "Replication" of Redis'
/// documentation, and src/replication.c of Redis 7.

#include <cstdint>
#include <string>
#include <string_view>

#include "platform/base/result.h"

namespace lifeboat::redis {

/// "+FULLRESYNC <id> <offset>": what the snapshot that follows holds.
struct SyncStart {
    std::string replication_id;
    std::uint64_t offset = 0;
};
/// Errors: denied, unsupported (managed services), unavailable: the server refuses, with its words.
Result<SyncStart> read_sync_start(std::string_view line);

/// "$<bytes>" or "$EOF:<mark>": how the end of the snapshot is told.
struct Framing {
    std::uint64_t size = 0;  ///< 0: by the mark
    std::string mark;
};
constexpr std::size_t mark_size = 40;
/// Errors: unavailable (anything else).
Result<Framing> read_framing(std::string_view line);

}  // namespace lifeboat::redis

#pragma once
/// A snapshot over the replication protocol: Lifeboat asks as a replica does, and leaves when it
/// has the snapshot.
///
/// The server makes it without touching its disk (diskless) where it can. Not thread-safe.

#include "providers/redis/client.h"
#include "providers/redis/rdb.h"

namespace lifeboat::redis {

struct Synced {
    std::string replication_id;
    std::uint64_t offset = 0;  ///< everything up to here is in the snapshot
    Instant at{};              ///< when we heard that it was begun: its contents are of before
    RdbSummary summary;
    bool counted = true;  ///< false: a format newer than this build; stored whole, not understood
};

/// Hands the snapshot to `sink` as it comes. `now` is asked when it begins.
/// Errors: unavailable (refused, broken off), corrupt, cancelled, timeout, denied.
Result<Synced> full_sync(const Context& context, Client& client, const Clock& clock,
                         const RdbScanner::Sink& sink);

}  // namespace lifeboat::redis

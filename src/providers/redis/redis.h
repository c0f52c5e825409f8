#pragma once
/// Kind `redis`: points over the replication protocol, restored into new directories and ports.
///
/// A point needs no access to files: Lifeboat asks like a replica (PSYNC) and reads the snapshot as
/// it is made, checking it byte by byte. A restored server stands in a directory of its own with a
/// record of the step that made it; nothing is ever restored over anything. Thread-safe.

#include <memory>

#include "providers/contract/provider.h"

namespace lifeboat::providers {

std::unique_ptr<Provider> make_redis_provider(Services& services);

}  // namespace lifeboat::providers

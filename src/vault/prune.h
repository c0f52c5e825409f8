#pragma once
/// Pruning a vault (see Vault::prune).
///
/// Points go by rule, at once; what nothing refers to any more goes only when it is older than the
/// grace and no writer is at work. Every step leaves a vault in which each manifest that is there
/// restores:
///
///     record of prune → manifests → list of condemned packs → index without them → packs → list

#include "vault/history.h"
#include "vault/log.h"

namespace lifeboat::vault {

Result<PruneReport> prune_vault(Access& access, History& history, LogCatalog& logs,
                                const Context& context, const PruneRule& rule, Duration grace,
                                bool dry_run);

/// The points that the rule does not keep; pure.
std::vector<Point> expired_points(const std::vector<Point>& points, const PruneRule& rule,
                                  Instant now);

}  // namespace lifeboat::vault

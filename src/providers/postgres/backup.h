#pragma once
/// A base backup over the replication protocol into a point of the vault.
///
/// A point is committed only when the WAL that it needs is durable in the vault as well, whoever
/// streams it: a running `protect`, or the backup itself. Bad pages at the source are reported; the
/// backup is kept.

#include <atomic>
#include <memory>

#include "providers/postgres/identity.h"
#include "providers/postgres/page_check.h"
#include "providers/postgres/replication.h"
#include "providers/postgres/server.h"
#include "providers/postgres/source_config.h"
#include "providers/postgres/tar_reader.h"

namespace lifeboat::postgres {

struct BackupRequest {
    const Instance& instance;
    std::string token;  ///< a point that carries it already is the answer
    providers::ProgressSink progress;
};

struct BackupDone {
    vault::Point point;
    Identity identity;
};

/// Errors: conflict (another cluster, a slot without a bound), corrupt, those of server and vault.
Result<BackupDone> take_backup(const Context& context, const Services& services,
                               const Server& server, const BackupRequest& request);

/// The point that this token made; nothing when there is none.
Result<std::optional<vault::Point>> point_with_token(vault::Vault& vault,
                                                     const std::string& component,
                                                     const std::string& token);

/// The vault, or why there is none. Errors: unavailable.
Result<vault::Vault*> require_vault(const Services& services);

/// Refuses a cluster that is none of those whose backups and WAL the vault holds for this
/// component, when nothing is pinned that says better. Errors: conflict.
Result<void> require_known(vault::Vault& vault, const Server& server,
                           std::uint64_t system_identifier);

}  // namespace lifeboat::postgres

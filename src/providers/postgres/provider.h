#pragma once
/// Kind `postgres`: a PostgreSQL cluster of one's own.
///
/// Protects it with base backups and WAL streamed from a slot as it is written; restores it into a
/// new directory on a new port, as a standby at an exact position; promotes that only when no
/// second primary can exist. Thread-safe.

#include <memory>

#include "providers/contract/provider.h"

namespace lifeboat::providers {

std::unique_ptr<Provider> make_postgres_provider(Services& services);

}  // namespace lifeboat::providers

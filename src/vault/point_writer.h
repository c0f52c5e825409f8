#pragma once
/// Writing one point (see PointWriter in vault.h).

#include <set>

#include "vault/access.h"
#include "vault/history.h"
#include "vault/sealed.h"

namespace lifeboat::vault {

/// Errors: unsupported (read-only vault) and those of the store.
Result<std::unique_ptr<PointWriter>> begin_point(Access& access, History& history,
                                                 const std::string& component,
                                                 const std::string& method, Instant began);

/// Packs that a prune is about to remove: nothing new may point there.
Result<std::set<Digest>> read_condemned(Access& access);

}  // namespace lifeboat::vault

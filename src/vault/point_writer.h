#pragma once
/// Writing one point (see PointWriter in vault.h).

#include "vault/access.h"
#include "vault/history.h"

namespace lifeboat::vault {

/// Errors: unsupported (read-only vault) and those of the store.
Result<std::unique_ptr<PointWriter>> begin_point(Access& access, History& history,
                                                 const std::string& component,
                                                 const std::string& method, Instant began);

}  // namespace lifeboat::vault

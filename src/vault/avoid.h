#pragma once
/// Packs that nothing new may point at: those that a prune is about to remove, and those that were
/// found damaged or missing. What they hold is stored again by the next point that needs it.

#include <set>

#include "vault/access.h"

namespace lifeboat::vault {

/// Errors: those of the store.
Result<std::set<Digest>> packs_to_avoid(Access& access);

/// Marks a pack as damaged, for every writer from now on. Errors: those of Store::put.
Result<void> quarantine(Access& access, const Digest& pack);
/// The pack is whole (again), or gone for good. Success when it was never marked.
Result<void> release(Access& access, const Digest& pack);

/// The list of packs that prune publishes before it removes them; returns its name.
Result<std::string> put_condemned(Access& access, const std::set<Digest>& packs);

}  // namespace lifeboat::vault

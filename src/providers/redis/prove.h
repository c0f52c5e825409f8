#pragma once
/// Proves a point of a Redis server: starts a copy, asks it the plan's questions, compares its keys
/// by database and type, their expiries and their values with the point and, where it stood still,
/// with the source.

#include "providers/contract/provider.h"

namespace lifeboat::redis {

/// Errors: exhausted (the disk is too small: nothing was written), those of the restore.
Result<providers::Proof> prove(const Context& context, providers::Services& services,
                               const providers::ProofCall& call, const providers::ProofSink& sink);

/// Ends the copy's server and removes its folder and its port. Success when nothing is there.
/// Errors: conflict (the folder is not a verification's), those of the system.
Result<void> discard(const Context& context, providers::Services& services,
                     const providers::ProofCall& call);

}  // namespace lifeboat::redis

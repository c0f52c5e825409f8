#pragma once
/// Proves a recovery point of a cluster: restores it aside as an isolated standby, looks at it from
/// the plan's own questions down to every page, and takes it away again.

#include "providers/contract/provider.h"

namespace lifeboat::postgres {

/// Errors: exhausted (the disk is too small: nothing was written), those of choose() and restore().
Result<providers::Proof> prove(const Context& context, const providers::Services& services,
                               const providers::ProofCall& call, const providers::ProofSink& sink);

/// Ends the copy's server and removes its directory and its port. Success when nothing is there.
/// Errors: conflict (the directory is not a verification's), those of the system.
Result<void> discard(const Context& context, const providers::Services& services,
                     const providers::ProofCall& call);

}  // namespace lifeboat::postgres

#pragma once
/// From a point in the vault to a running server with exactly its keys.

#include "providers/contract/provider.h"

namespace lifeboat::redis {

/// An argument of our own making, never of a plan: the server is a verification's copy.
constexpr const char* aside_argument = "lifeboat.aside";

Result<Json> restore(const Context& context, providers::Services& services,
                     const providers::VerbCall& call, const providers::ProgressSink& progress);

/// What became of a restore whose outcome is not known.
Result<providers::Probed> probe_restore(const Context& context, providers::Services& services,
                                        const providers::VerbCall& call);

Result<std::vector<providers::Call>> preview_restore(providers::Services& services,
                                                     const providers::VerbCall& call);

}  // namespace lifeboat::redis

#pragma once
/// The verbs that make a restored server a primary and protect it again.

#include "providers/postgres/restore.h"

namespace lifeboat::postgres {

/// The old primary cannot come back, and why that is certain. Errors: conflict (nobody can say so).
Result<std::string> prove_no_other_primary(const Context& context, const Services& services,
                                           const providers::VerbCall& call);

/// Errors: conflict (not at its target; the old primary may live; another cluster), those of the
/// server.
Result<Json> promote(const Context& context, const Services& services,
                     const providers::VerbCall& call);

/// Whether the subject has been promoted: its outputs if so.
Result<std::optional<Json>> find_promotion(const Context& context, const Services& services,
                                           const providers::VerbCall& call);

}  // namespace lifeboat::postgres

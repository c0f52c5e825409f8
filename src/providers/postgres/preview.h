#pragma once
/// The exact calls that a verb would make now. Changes nothing.

#include "providers/postgres/restore.h"

namespace lifeboat::postgres {

Result<std::vector<providers::Call>> preview(const Context& context, const Services& services,
                                             const providers::VerbCall& call);

/// A restore as a call asks for it.
RestoreRequest restore_request(const providers::VerbCall& call, providers::ProgressSink progress);

}  // namespace lifeboat::postgres

#pragma once
/// `recover --preview`: every call that would be made, in order, and none of them made.

#include "engine/recovery.h"
#include "surface/cli/exit_code.h"
#include "surface/cli/session.h"

namespace lifeboat::cli {

Result<ExitCode> show_preview(Session& session, engine::Instances& instances,
                              const engine::Proposal& proposal, const RunId& run);

}  // namespace lifeboat::cli

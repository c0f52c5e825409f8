#pragma once
/// Driving a run from the command line: view, interruption, result, exit status.

#include "engine/recovery.h"
#include "surface/cli/exit_code.h"
#include "surface/cli/session.h"

namespace lifeboat::cli {

/// Begins the run and stays with it until it rests. Shows it; the exit status tells how it ended.
Result<ExitCode> drive_new(Session& session, const runbook::RunStarted& start);
/// Goes on with a run that rests.
Result<ExitCode> drive_on(Session& session, const RunId& run, const runbook::Actor& actor);

/// Asks on the terminal; true for "yes". Without a terminal: false.
bool confirm(Session& session, std::string_view question);

}  // namespace lifeboat::cli

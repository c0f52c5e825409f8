#pragma once
/// `lifeboat vault wal-fetch`: what the restore_command of a server that replays calls.

#include "surface/cli/command.h"

namespace lifeboat::app {

cli::Command wal_fetch_command();

}  // namespace lifeboat::app

#include "surface/app/app.h"

#include <utility>

#include "platform/env/environment.h"
#include "surface/app/providers.h"
#include "surface/app/signals.h"
#include "surface/app/wal_fetch_command.h"
#include "surface/cli/command.h"

namespace lifeboat::app {

int run(int argc, const char* const* argv) {
    cli::open_standard_streams();
    Signals signals;
    Environment& environment = real_environment();
    cli::Session session(environment, add_providers, signals.interrupt(), signals.abandon());
    cli::Command vault{.name = "vault"};
    vault.subcommands.push_back(wal_fetch_command());
    return cli::run_command_line(argc, argv, session, {std::move(vault)});
}

}  // namespace lifeboat::app

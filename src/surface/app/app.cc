#include "surface/app/app.h"

#include <cstdio>
#include <string>

#include "platform/env/environment.h"
#include "platform/observe/log.h"
#include "surface/app/providers.h"
#include "surface/app/signals.h"
#include "surface/cli/command.h"

namespace lifeboat::app {

int run(int argc, const char* const* argv) {
    Signals signals;
    Environment& environment = real_environment();
    cli::Session session(environment, add_providers, signals.interrupt(), signals.abandon());
    return cli::run_command_line(argc, argv, session);
}

}  // namespace lifeboat::app

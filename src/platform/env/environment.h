#pragma once
/// All contact with the outside, as interfaces: so that one seed can simulate a disaster, and a
/// test can crash the program at every write. `env/os` style implementations are real, `env/sim_*`
/// simulated.

#include "platform/base/time.h"
#include "platform/env/files.h"
#include "platform/env/network.h"
#include "platform/env/processes.h"
#include "platform/env/random.h"

namespace lifeboat {

/// The bundle that the app hands down. The references outlive everything built with them.
struct Environment {
    const Clock& clock;
    Files& files;
    Processes& processes;
    Network& network;
    Random& random;
};

/// The real world. One per process; lives until exit.
Environment& real_environment();

}  // namespace lifeboat

#pragma once
/// The real world, part by part: what real_environment() bundles. One object of each per process,
/// made at first use and never destroyed; all are thread-safe.

#include "platform/env/environment.h"

namespace lifeboat {

Clock& real_clock();
Files& real_files();
Processes& real_processes();
Network& real_network();
Random& real_random();

}  // namespace lifeboat

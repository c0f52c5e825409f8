#pragma once
/// Kind `shell` and the verb `run`: any command, bounded in time and output.
///
/// A command gets a clean environment, its secrets by environment only, and is ended with all its
/// children on timeout. What it prints as `::output name=value` becomes an output of the step.
/// Thread-safe.

#include <memory>

#include "providers/contract/provider.h"

namespace lifeboat::providers {

std::unique_ptr<Provider> make_shell_provider(Services& services);

}  // namespace lifeboat::providers

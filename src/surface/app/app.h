#pragma once
/// The whole program but for main(): real environment, signals, providers, command line.

namespace lifeboat::app {

/// Returns the exit status.
int run(int argc, const char* const* argv);

}  // namespace lifeboat::app

#pragma once
/// What runs on this machine that a plan could protect: listening servers and the processes behind
/// them.

#include <string>
#include <vector>

#include "platform/env/environment.h"

namespace lifeboat::cli {

struct Found {
    std::string kind;     ///< "postgres", "redis", "http"
    std::string name;     ///< suggested component name, unique
    std::string program;  ///< of the process
    std::int64_t pid = 0;
    std::uint16_t port = 0;
    std::string unit;  ///< systemd unit that started it, "" when none
    Path directory;    ///< working directory: PostgreSQL's and Redis's data directory
};

/// Looks at /proc only; connects to nothing but ports that may speak HTTP. Never fails: what cannot
/// be read (another user's process) is left out.
std::vector<Found> discover(const Context& context, Environment& environment);

}  // namespace lifeboat::cli

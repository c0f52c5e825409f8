#include "engine/workspace.h"

#include <fmt/core.h>

namespace lifeboat::engine {

Holder own_holder(Environment& environment, const std::string& doing) {
    Processes& processes = environment.processes;
    Holder holder;
    holder.host = processes.host_name();
    holder.pid = processes.own_pid();
    holder.boot_id = processes.boot_id();
    if (auto identity = processes.identify(holder.pid)) holder.start_ticks = identity->start_ticks;
    holder.who =
        fmt::format("{} by {} on {}, pid {}", doing, processes.own_user(), holder.host, holder.pid);
    return holder;
}

}  // namespace lifeboat::engine

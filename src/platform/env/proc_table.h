#pragma once
/// What /proc says about processes. Internal to env; thread-safe (stateless).

#include <optional>

#include "platform/env/processes.h"

namespace lifeboat {

struct ProcessStat {
    std::int64_t pid = 0;
    std::int64_t parent = 0;
    std::int64_t session = 0;
    std::uint64_t start_ticks = 0;  ///< clock ticks since boot
    char state = '?';

    /// A zombie has ended: only its parent has not looked yet.
    bool dead() const { return state == 'Z' || state == 'X' || state == 'x'; }
};

/// Parses the text of /proc/PID/stat; nothing when it is not of that form.
std::optional<ProcessStat> parse_process_stat(std::string_view text);
/// The process of this pid, dead or alive; nothing when there is none.
std::optional<ProcessStat> read_process(std::int64_t pid);
/// Every process of the machine, dead ones too.
Result<std::vector<ProcessStat>> read_processes();
/// The id of this boot of the machine; read once.
const std::string& current_boot_id();
ProcessIdentity identity_of(const ProcessStat& process);

}  // namespace lifeboat

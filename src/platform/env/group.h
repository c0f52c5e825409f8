#pragma once
/// Sessions of processes: who belongs to one, and how to end it. Internal to env; thread-safe.

#include <span>

#include "platform/env/proc_table.h"

namespace lifeboat {

/// Of `processes`, the live ones of the session that `leader` leads or led, with their descendants.
/// Pure. Whoever has the leader's pid now but another start time is a stranger, and so is his
/// session.
std::vector<ProcessIdentity> members_of(const ProcessIdentity& leader,
                                        std::span<const ProcessStat> processes);

/// See Processes::signal.
Result<void> signal_process(const ProcessIdentity& identity, int signal_number);
/// See Processes::group.
Result<std::vector<ProcessIdentity>> find_group(const ProcessIdentity& leader);
/// See Processes::stop_group.
Result<void> stop_whole_group(const Context& context, const ProcessIdentity& leader,
                              Duration grace);

}  // namespace lifeboat

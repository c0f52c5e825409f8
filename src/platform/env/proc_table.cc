#include "platform/env/proc_table.h"

#include <dirent.h>
#include <fmt/core.h>

#include <array>

#include "platform/base/text.h"
#include "platform/env/fd.h"

namespace lifeboat {

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
    // "PID (NAME) STATE PPID PGRP SESSION ...": the name may hold spaces and parentheses itself, so
    // the fields are counted from the last parenthesis.
    const std::size_t open = text.find(" (");
    const std::size_t close = text.rfind(')');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
        return std::nullopt;
    }
    const auto fields = split(trim(text.substr(close + 1)), ' ');
    constexpr std::size_t first = 3;  // proc(5) counts from 1; `fields` begins with field 3
    constexpr std::size_t start_time = 22;
    if (fields.size() <= start_time - first || fields[0].size() != 1) return std::nullopt;
    const auto pid = parse_integer(text.substr(0, open));
    const auto parent = parse_integer(fields[4 - first]);
    const auto session = parse_integer(fields[6 - first]);
    const auto start = parse_integer(fields[start_time - first]);
    if (!pid || !parent || !session || !start) return std::nullopt;
    return ProcessStat{.pid = *pid,
                       .parent = *parent,
                       .session = *session,
                       .start_ticks = static_cast<std::uint64_t>(*start),
                       .state = fields[0].front()};
}

std::optional<ProcessStat> read_process(std::int64_t pid) {
    if (pid <= 0) return std::nullopt;
    return parse_process_stat(read_small_file(fmt::format("/proc/{}/stat", pid).c_str()));
}

Result<std::vector<ProcessStat>> read_processes() {
    DIR* proc = ::opendir("/proc");
    if (proc == nullptr) return from_errno("list '/proc'", errno);
    std::vector<ProcessStat> processes;
    while (const dirent* entry = ::readdir(proc)) {
        const auto pid = parse_integer(entry->d_name);
        if (!pid) continue;
        // One that ended since it was listed is simply not there.
        if (const auto process = read_process(*pid)) processes.push_back(*process);
    }
    ::closedir(proc);
    return processes;
}

const std::string& current_boot_id() {
    static const std::string id(trim(read_small_file("/proc/sys/kernel/random/boot_id")));
    return id;
}

ProcessIdentity identity_of(const ProcessStat& process) {
    return ProcessIdentity{
        .pid = process.pid, .start_ticks = process.start_ticks, .boot_id = current_boot_id()};
}

}  // namespace lifeboat

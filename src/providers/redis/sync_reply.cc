#include "providers/redis/sync_reply.h"

#include "platform/base/text.h"

namespace lifeboat::redis {

Result<SyncStart> read_sync_start(std::string_view line) {
    const auto words = split(line, ' ');
    const std::int64_t offset = words.size() == 3 ? parse_integer(words[2]).value_or(-1) : -1;
    if (offset >= 0 && words.front() == "+FULLRESYNC")
        return SyncStart{.replication_id = std::string(words[1]),
                         .offset = static_cast<std::uint64_t>(offset)};
    const std::string said(line.starts_with('-') ? line.substr(1) : line);
    if (line.starts_with("-NOPERM") || line.starts_with("-NOAUTH"))
        return denied("Redis refuses PSYNC: " + said, "Its user needs `+psync +replconf +ping`.");
    if (line.starts_with("-ERR unknown command"))
        return unsupported("Redis refuses PSYNC: " + said,
                           "Managed services forbid it; use their own snapshots.");
    return unavailable("Redis refuses a snapshot: " + std::string(line));
}

Result<Framing> read_framing(std::string_view line) {
    constexpr std::string_view marked = "$EOF:";
    if (line.starts_with(marked) && line.size() == marked.size() + mark_size)
        return Framing{.size = 0, .mark = std::string(line.substr(marked.size()))};
    const std::int64_t size = line.starts_with('$') ? parse_integer(line.substr(1)).value_or(0) : 0;
    if (size <= 0) return unavailable("Redis sends no snapshot: " + std::string(line));
    return Framing{.size = static_cast<std::uint64_t>(size), .mark = {}};
}

}  // namespace lifeboat::redis

#include <fmt/core.h>

#include <algorithm>

#include "platform/base/text.h"
#include "providers/postgres/stream.h"

namespace lifeboat::postgres {
namespace {

/// "16MB" as the server writes it: binary units.
std::optional<std::uint64_t> server_size(std::string_view text) {
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = parse_integer(text.substr(0, digits));
    if (!number) return std::nullopt;
    const std::string_view unit = trim(text.substr(digits));
    unsigned shift = 0;
    if (unit == "kB")
        shift = 10;
    else if (unit == "MB")
        shift = 20;
    else if (unit == "GB")
        shift = 30;
    else if (!unit.empty() && unit != "B")
        return std::nullopt;
    return static_cast<std::uint64_t>(*number) << shift;
}

const vault::LogStatus* log_with_wal(const Holdings& holdings, Timeline timeline) {
    const auto log = holdings.logs.find(timeline);
    if (log == holdings.logs.end() || log->second.end <= log->second.begin) return nullptr;
    return &log->second;
}

}  // namespace

StreamStart next_start(const Holdings& holdings, const History& server, std::uint32_t segment_size,
                       Lsn fresh, Timeline given_up) {
    const std::vector<Timeline> path = server.path();
    for (auto at = path.rbegin(); at != path.rend(); ++at) {
        const vault::LogStatus* log = log_with_wal(holdings, *at);
        if (log == nullptr && *at > given_up) continue;
        const bool current = at == path.rbegin();
        const Lsn end = *server.end_of(*at);
        if (log != nullptr && *at > given_up && (current || log->end < end))
            return {*at, log->end, false};
        if (current) break;
        // This timeline is complete: its child begins in the segment in which it was left.
        return {*std::prev(at), segment_start(end, segment_size), true};
    }
    return {server.timeline, segment_start(fresh, segment_size), true};
}

Result<History> store_histories(const Context& context, Connection& connection, vault::Vault& vault,
                                const std::string& component, const SystemInfo& system) {
    History newest;
    if (system.timeline == 1) return newest;
    std::vector<Timeline> wanted{system.timeline};
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const Timeline timeline = wanted[i];
        const auto text = fetch_history(context, connection, timeline);
        if (!text.has_value()) {
            // Ancestors that the server no longer has are named in the newest history all the same.
            if (i != 0 && text.error().kind == ErrorKind::not_found) continue;
            return text.error();
        }
        const History history = TRY(parse_history(timeline, *text));
        const auto stored = vault.put_document(
            component, history_document(system.system_identifier, timeline), as_bytes(*text));
        if (!stored.has_value()) {
            Error error = stored.error();
            if (error.kind != ErrorKind::conflict) return error;
            return conflict(
                fmt::format("timeline {} of {} is not the one that the vault knows by this number",
                            timeline, connection.place()),
                "Two servers were promoted from the same timeline. Decide which one goes on, and "
                "restore "
                "the other from the vault.");
        }
        if (i != 0) continue;
        newest = history;
        for (const Ancestor& ancestor : history.ancestors)
            if (ancestor.timeline > 1) wanted.push_back(ancestor.timeline);
    }
    return newest;
}

Result<std::uint32_t> wal_segment_size(const Context& context, Connection& connection) {
    const std::string text = TRY(show(context, connection, "wal_segment_size"));
    const auto size = server_size(text);
    if (!size || !is_segment_size(*size))
        return unsupported(fmt::format("{}: wal_segment_size is '{}'", connection.place(), text));
    return static_cast<std::uint32_t>(*size);
}

Result<SlotInfo> ensure_slot(const Context& context, Connection& connection, const Server& server) {
    const auto found = TRY(read_slot(context, connection, server.slot));
    if (found) return *found;
    const std::string bound = TRY(show(context, connection, "max_slot_wal_keep_size"));
    if (bound == "-1" && !server.accept_unbounded_slot)
        return conflict(
            fmt::format("{}: a replication slot would keep WAL without a bound "
                        "(max_slot_wal_keep_size is -1)",
                        server.describe()),
            "Set max_slot_wal_keep_size on the server to what its disk can spare, or write "
            "`accept_unbounded_slot: true` for this component.");
    TRY(create_slot(context, connection, server.slot));
    const auto made = TRY(read_slot(context, connection, server.slot));
    if (!made)
        return unknown(fmt::format("{}: slot '{}' is gone again", server.describe(), server.slot));
    return *made;
}

}  // namespace lifeboat::postgres

#pragma once
/// Serves WAL out of the vault, file by file, to a server that replays it: whole segments, the last
/// one filled with zeros behind the target, so that replay cannot pass it; and histories.
///
/// What it serves is fixed when the restore begins (stretches). Anything else is absent, which a
/// standby takes as a reason to wait, never to end its recovery.

#include <map>
#include <memory>
#include <optional>

#include "platform/env/files.h"
#include "platform/env/processes.h"
#include "providers/postgres/target.h"

namespace lifeboat::postgres {

struct FetchRequest {
    std::string component;
    std::uint64_t system_identifier = 0;
    std::uint32_t segment_size = 16U << 20U;
    std::vector<Stretch> stretches;
};

/// "1@0/5000148,2@0/7000060": what `--stretches` takes.
std::string format_stretches(const std::vector<Stretch>& stretches);
/// Errors: invalid.
Result<std::vector<Stretch>> parse_stretches(std::string_view text);

class WalSource {
public:
    WalSource(vault::Vault& vault, FetchRequest request)
        : vault_(vault), request_(std::move(request)) {}

    /// The segments that replay from `from` on needs, in the order in which it asks for them.
    Result<std::vector<WalFile>> segments(Timeline timeline, Lsn from);
    /// Writes the file at `destination`, whole or not at all. False: absent, for certain.
    /// Errors: invalid (no WAL file), corrupt, those of vault and disk.
    Result<bool> fetch(Files& files, const std::string& name, const Path& destination,
                       std::optional<RunAs> owner = {});

private:
    Result<bool> fetch_history(Files& files, const std::string& name, Timeline timeline,
                               const Path& destination, std::optional<RunAs> owner);
    /// How much of the segment is served; nothing when it is absent.
    Result<std::optional<Lsn>> end_within(const WalFile& segment);
    Result<vault::LogReader*> reader(Timeline timeline);

    vault::Vault& vault_;
    FetchRequest request_;
    std::map<Timeline, std::unique_ptr<vault::LogReader>> readers_;
};

/// `lifeboat vault wal-fetch`: one file, once. False: absent (exit code 1).
Result<bool> fetch_wal(vault::Vault& vault, Files& files, const FetchRequest& request,
                       const std::string& name, const Path& destination);

}  // namespace lifeboat::postgres

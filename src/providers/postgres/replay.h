#pragma once
/// Lets a restored standby replay to its target: feeds its spool, watches it, raises its limits
/// when the primary had raised its own.

#include "providers/postgres/instance_directory.h"
#include "providers/postgres/server_process.h"
#include "providers/postgres/wal_fetch.h"

namespace lifeboat::postgres {

class Replay {
public:
    Replay(const Services& services, const Server& server, Path directory, Marker& marker,
           providers::ProgressSink progress);

    /// Writes the configuration, fills the spool, starts the server unless it lives.
    Result<void> begin(const Context& context);
    /// Returns when the server answers and stands exactly at the target.
    /// Errors: timeout (no progress), corrupt (it left recovery or passed the target: it was
    /// stopped), unavailable (it died: the end of its log).
    Result<void> reach_target(const Context& context);

private:
    struct Position {
        bool in_recovery = true;
        bool paused = false;
        Lsn replayed = 0;
    };
    Result<void> write_config();
    Result<void> start(const Context& context);
    Result<void> fill_spool();
    Result<void> enter(const Context& context);
    Result<Position> look(const Context& context);
    Result<bool> raise_limits(const Context& context);
    Result<void> refuse(const Context& context, const std::string& why);

    const Services& services_;
    const Server& server_;
    Path directory_;
    Marker& marker_;
    providers::ProgressSink progress_;
    std::optional<RunAs> owner_;
    WalSource source_;
    std::vector<WalFile> segments_;
    std::size_t next_segment_ = 0;
    std::unique_ptr<Connection> connection_;
    unsigned starts_ = 0;
};

/// postgresql.conf and pg_hba.conf of a restored server. `recovering`: with restore_command.
Result<void> write_server_config(const Services& services, const Server& server,
                                 const Path& directory, const Marker& marker, bool recovering);

/// Puts the histories that the vault knows where the server looks for them, so that a promotion
/// takes a number that nobody had.
Result<void> spool_histories(const Services& services, const Server& server, const Path& directory,
                             const Marker& marker);

}  // namespace lifeboat::postgres

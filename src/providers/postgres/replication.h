#pragma once
/// The replication protocol: who the server is, slots, timeline histories, a base backup, a stream
/// of WAL.
///
/// Commands take a Connection that was opened with `replication`. Nothing here stores or decides.

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "providers/postgres/connection.h"
#include "providers/postgres/lsn.h"

namespace lifeboat::postgres {

struct SystemInfo {
    std::uint64_t system_identifier = 0;
    Timeline timeline = 0;
    Lsn position = 0;  ///< flushed so far
};
Result<SystemInfo> identify_system(const Context& context, Connection& connection);

/// The value of a setting, over either sort of connection.
Result<std::string> show(const Context& context, Connection& connection,
                         const std::string& setting);

struct SlotInfo {
    Lsn restart = 0;  ///< 0: nothing is kept back
    Timeline timeline = 0;
};
/// Nothing when there is no such slot. Errors: conflict (a logical slot).
Result<std::optional<SlotInfo>> read_slot(const Context& context, Connection& connection,
                                          const std::string& slot);
/// Creates a physical slot that keeps WAL from the last checkpoint on, at once. Success when it is
/// there.
Result<void> create_slot(const Context& context, Connection& connection, const std::string& slot);
Result<void> drop_slot(const Context& context, Connection& connection, const std::string& slot);

/// The text of a timeline's history file. Errors: not_found.
Result<std::string> fetch_history(const Context& context, Connection& connection,
                                  Timeline timeline);

struct BackupOptions {
    std::string label;
    std::uint64_t rate = 0;  ///< bytes per second; 0 = no limit
};
struct BackupStart {
    Lsn lsn = 0;
    Timeline timeline = 0;
    std::uint64_t estimated = 0;                                   ///< bytes
    std::vector<std::pair<std::string, std::string>> tablespaces;  ///< oid, location at the source
};
/// Receives a base backup in order: start, then per archive its name and bytes, then the manifest.
struct BackupSink {
    std::function<Result<void>(const BackupStart&)> start;
    std::function<Result<void>(const std::string& archive, const std::string& tablespace_path)>
        archive;
    std::function<Result<void>(ByteView)> data;
    std::function<Result<void>()> manifest;  ///< the data that follows is the manifest
};
struct BackupStop {
    Lsn lsn = 0;
    Timeline timeline = 0;
};
/// Takes a base backup (fast checkpoint, no waiting for archived WAL, manifest, tablespace map).
/// Errors: unsupported (older than 15), those of connection and sink. Without a value the backup is
/// void.
Result<BackupStop> take_base_backup(const Context& context, Connection& connection,
                                    const BackupOptions& options, const BackupSink& sink);

struct WalData {
    Lsn begin = 0;
    Lsn server_end = 0;  ///< what the server had flushed when it sent this
    Instant sent{};
    Bytes bytes;
};
struct Keepalive {
    Lsn server_end = 0;
    Instant sent{};
    bool reply_requested = false;
};
struct TimelineEnd {
    Timeline next = 0;
    Lsn at = 0;
};
struct Nothing {};        ///< no message within the wait
struct ServerStopped {};  ///< the server ends the stream: it shuts down
using WalMessage = std::variant<Nothing, WalData, Keepalive, TimelineEnd, ServerStopped>;

/// What the server said in one message of the stream ('w' XLogData, 'k' keepalive: "Streaming
/// Replication Protocol" of PostgreSQL's documentation). Pure.
/// Errors: unsupported (another type, or one cut short).
Result<WalMessage> read_wal_message(Bytes bytes);

/// One stream of WAL from a slot. Not thread-safe.
class WalReceiver {
public:
    explicit WalReceiver(Connection& connection) : connection_(connection) {}

    /// Nothing when streaming begins; where the timeline ended when there is nothing (more) on it.
    /// Errors: not_found (WAL was removed), conflict (the slot is in use or was invalidated).
    Result<std::optional<TimelineEnd>> start(const Context& context, const std::string& slot,
                                             Timeline timeline, Lsn from);
    Result<WalMessage> receive(const Context& context, Duration wait);
    /// What arrived, and what of it is durable: only the latter may the server forget.
    Result<void> send_status(const Context& context, Lsn received, Lsn durable, bool ask = false);
    /// Ends the stream in good order.
    Result<void> stop(const Context& context);

private:
    Result<WalMessage> end_of_copy(const Context& context);

    Connection& connection_;
};

}  // namespace lifeboat::postgres

#pragma once
/// `protect`: WAL from a slot into the vault's logs as it is written, timeline after timeline.
///
/// The server is told that WAL is safe only up to the last whole record that is durable in the
/// vault. The slot is the lock: who holds it writes the log. A position that the server no longer
/// has becomes a recorded gap, and loud.

#include <functional>
#include <memory>

#include "providers/postgres/history.h"
#include "providers/postgres/holdings.h"
#include "providers/postgres/log_pump.h"
#include "providers/postgres/replication.h"
#include "providers/postgres/server.h"
#include "providers/postgres/watcher.h"

namespace lifeboat::postgres {

/// Where streaming goes on, given what the vault holds and where the server stands. Pure.
struct StreamStart {
    Timeline timeline = 0;
    Lsn from = 0;
    bool new_log = false;
    bool operator==(const StreamStart&) const = default;
};
/// `fresh` is where the slot begins: for a cluster of which the vault holds no WAL. Timelines up to
/// and with `given_up` are over.
StreamStart next_start(const Holdings& holdings, const History& server, std::uint32_t segment_size,
                       Lsn fresh, Timeline given_up);

/// Stores a server's timeline history, and those of its ancestors that it has, in the vault.
/// Errors: conflict (the vault knows another history of that number).
Result<History> store_histories(const Context& context, Connection& connection, vault::Vault& vault,
                                const std::string& component, const SystemInfo& system);

/// WAL sizes as the server shows them ("16MB").
Result<std::uint32_t> wal_segment_size(const Context& context, Connection& connection);

struct StreamPosition {
    Timeline timeline = 0;
    LogPump::Durable durable;
};

class WalStream {
public:
    struct Options {
        providers::StreamSink report;  ///< about once a second; may be empty
        /// Asked ten times a second: true ends the stream. May be empty.
        std::function<bool(const StreamPosition&)> enough;
    };
    WalStream(const Services& services, const Server& server, Options options);

    /// Streams until stopped or enough. Errors: conflict (another cluster, slot in use, slot
    /// without a bound), unavailable (the server or the connection ended), corrupt, those of the
    /// vault.
    Result<void> run(const Context& context);
    /// Why run() failed: somebody else streams from the slot.
    bool slot_in_use() const { return slot_in_use_; }

private:
    enum class End { stopped, timeline };

    Result<void> connect(const Context& context);
    Result<End> stream_next(const Context& context);
    Result<std::unique_ptr<LogPump>> open_pump(const StreamStart& start);
    Result<void> skip_lost(const Context& context, StreamStart& start);
    Result<End> receive(const Context& context, WalReceiver& receiver, LogPump& pump);
    Result<std::optional<End>> handle(WalMessage message, LogPump& pump);
    Result<void> acknowledge(const Context& context, WalReceiver& receiver, const LogPump& pump);
    void report(const LogPump& pump);
    std::string gap_warning();
    vault::LogName log_name(Timeline timeline) const;

    const Services& services_;
    const Server& server_;
    Options options_;
    Watcher watcher_;
    WalFormat format_;
    std::unique_ptr<Connection> connection_;
    SystemInfo system_;
    History history_;
    Lsn slot_begin_ = 0;
    Timeline timeline_ = 0;  ///< being streamed
    Timeline given_up_ = 0;  ///< the server has no more of these
    bool slot_in_use_ = false;
    bool lost_ = false;       ///< the server no longer has what comes next
    std::optional<Lsn> gap_;  ///< the log goes on here

    Lsn acknowledged_ = 0;
    bool reply_requested_ = false;
    Monotonic status_at_{}, report_at_{}, heard_at_{}, warned_at_{};
    Instant safe_until_{};
    std::string warning_;
};

/// Makes sure that the slot exists. Errors: conflict (it would keep WAL without a bound, and the
/// plan does not accept that).
Result<SlotInfo> ensure_slot(const Context& context, Connection& connection, const Server& server);

}  // namespace lifeboat::postgres

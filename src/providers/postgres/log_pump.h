#pragma once
/// Carries WAL from a receiver into a vault's log: checks it, appends it, makes it durable in
/// groups.
///
/// The receiver never waits for storage: it offers bytes, asks whether there is room, and reads
/// what is durable. One thread calls run(), another everything else. Nothing counts as durable
/// before the vault's sync has returned.

#include <condition_variable>
#include <deque>
#include <memory>
#include <optional>

#include "platform/task/mutex.h"
#include "providers/postgres/wal_parser.h"

namespace lifeboat::postgres {

class LogPump {
public:
    struct Durable {
        Lsn boundary = 0;                 ///< the end of the last whole record; 0 = none yet
        Lsn end = 0;                      ///< of the bytes
        std::optional<vault::Mark> mark;  ///< the last one
    };

    /// `parser` stands where the log ends.
    LogPump(std::unique_ptr<vault::LogWriter> log, WalParser parser);

    /// Takes the bytes that follow. Requires: begin is where the last ones ended.
    void offer(Bytes bytes);
    /// Where the next bytes belong.
    Lsn expected() const { return expected_; }
    /// False when storage is so far behind that the receiver should stop reading.
    bool has_room() const;
    Durable durable() const;
    /// Why run() ended early.
    std::optional<Error> failure() const;
    /// No more comes: run() makes durable what it has and returns.
    void close();
    /// Appends and syncs until closed or stopped. Errors: corrupt (the WAL), those of the vault.
    Result<void> run(const Context& context);

private:
    Result<void> pump(const Context& context);
    Result<void> write_group(const std::deque<Bytes>& group);

    std::unique_ptr<vault::LogWriter> log_;
    WalParser parser_;
    Lsn expected_;

    mutable Mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<Bytes> waiting_ GUARDED_BY(mutex_);
    std::size_t waiting_bytes_ GUARDED_BY(mutex_) = 0;
    bool closed_ GUARDED_BY(mutex_) = false;
    Durable durable_ GUARDED_BY(mutex_);
    std::optional<Error> failure_ GUARDED_BY(mutex_);
};

/// A parser that stands at the end of what a log holds, with the last record known where possible.
/// Errors: corrupt, those of the vault.
Result<WalParser> parser_at_end(vault::LogReader& log, const WalFormat& format);

}  // namespace lifeboat::postgres

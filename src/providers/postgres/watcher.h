#pragma once
/// Looks at a server once a second while WAL streams: how far it is, at what time by its own clock,
/// and how the slot does. Failures are no errors: streaming needs no second connection.
/// Thread-safe.

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "platform/task/mutex.h"
#include "providers/postgres/server.h"

namespace lifeboat::postgres {

struct SlotHealth {
    std::string wal_status;      ///< "reserved", "extended", "unreserved", "lost"; "" = unknown
    std::uint64_t retained = 0;  ///< bytes of WAL kept back
    std::optional<std::uint64_t>
        safe_size;  ///< bytes until the slot's limit; nothing when unbounded
    bool unbounded = false;
    bool is_active = false;
};

/// The slot as SQL shows it; nothing when there is none.
Result<std::optional<SlotHealth>> slot_health(const Context& context, Connection& connection,
                                              const std::string& slot);

class Watcher {
public:
    Watcher(const Services& services, const Server& server)
        : services_(services), server_(server) {}

    /// Samples until stopped; always succeeds.
    Result<void> run(const Context& context);

    /// Everything acknowledged before this moment is within `end`: the newest sample for which that
    /// holds.
    std::optional<Instant> safe_at(Lsn end);
    SlotHealth slot() const;
    std::uint64_t free_bytes() const;
    std::string warning() const;

private:
    struct Sample {
        Instant at{};
        Lsn flushed = 0;
    };
    Result<void> sample(const Context& context, std::unique_ptr<Connection>& connection);

    const Services& services_;
    const Server& server_;
    mutable Mutex mutex_;
    std::deque<Sample> samples_ GUARDED_BY(mutex_);
    std::optional<Instant> safe_ GUARDED_BY(mutex_);
    SlotHealth slot_ GUARDED_BY(mutex_);
    std::uint64_t free_ GUARDED_BY(mutex_) = 0;
    std::string warning_ GUARDED_BY(mutex_);
};

}  // namespace lifeboat::postgres

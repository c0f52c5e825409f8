#pragma once
/// What must not be forgotten: event streams, leases, small records. No queries; views are rebuilt.
///
/// Every event carries the hash of the one before it in its stream: a torn, lost or altered journal
/// is found and named. Embedded it is SQLite (WAL, synchronous FULL); an in-memory one that loses
/// what was not committed serves tests and simulation. Both pass `test/contract/state_contract.h`.
/// Thread-safe; several processes may hold the same directory open.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/base/result.h"
#include "platform/base/time.h"
#include "platform/codec/json.h"
#include "platform/task/context.h"

namespace lifeboat {

constexpr std::size_t event_size_max = std::size_t{256} << 10U;  ///< bytes of one event's payload

struct NewEvent {
    std::string type;
    Json payload;
    Instant at{};  ///< recorded time: what decide() sees as its time, live and in replay
};

struct StoredEvent {
    std::uint64_t version = 0;  ///< 1, 2, 3, … within the stream
    std::uint64_t epoch = 0;    ///< of the lease under which it was written; 0 without one
    Instant at{};
    std::string type;
    Json payload;
    std::string hash;  ///< hex SHA-256 over the previous hash and this event, canonical
};

/// Who holds a lease. Shown to the second one who asks.
struct Holder {
    std::string who;  ///< "recover database-lost by root on host db1, pid 4711"
    std::string host;
    std::int64_t pid = 0;
    std::uint64_t start_ticks =
        0;  ///< with boot_id: a dead local holder's lease may be taken at once
    std::string boot_id;
};

struct Lease {
    std::string name;
    std::uint64_t epoch = 0;  ///< grows with every holder; every write carries it
    Holder holder;
    Instant until{};
};

struct Record {
    std::uint64_t version = 0;  ///< for compare-and-swap; 0 = absent
    Json value;
};

class State {
public:
    virtual ~State() = default;

    /// Appends all events in one transaction. `expected_version` is the version of the last event
    /// the caller has seen (0 for a new stream). `lease`, when given, must still be held at its
    /// epoch. Durable: all or nothing, on disk on return. Errors: conflict (somebody appended
    /// before, or the lease was lost), exhausted (disk, size), corrupt.
    virtual Result<std::uint64_t> append(const std::string& stream, std::uint64_t expected_version,
                                         const std::vector<NewEvent>& events,
                                         const Lease* lease = nullptr) = 0;
    /// Events after `after`, at most `limit`, verified against the hash chain.
    /// Errors: corrupt, naming stream and version.
    virtual Result<std::vector<StoredEvent>> read(const std::string& stream,
                                                  std::uint64_t after = 0,
                                                  std::size_t limit = 100'000) = 0;
    /// Version of the stream's last event; 0 when it does not exist.
    virtual Result<std::uint64_t> version(const std::string& stream) = 0;
    /// Names of streams that begin with `prefix`, sorted.
    virtual Result<std::vector<std::string>> streams(const std::string& prefix) = 0;
    /// Waits until the stream is longer than `after`. Errors: cancelled, timeout.
    virtual Result<void> watch(const Context& context, const std::string& stream,
                               std::uint64_t after) = 0;

    /// Takes or re-takes a lease for `ttl`. A lease is free when released, expired, or when its
    /// holder is a dead process of this host. The same holder may take it again and gets a new
    /// epoch. Within one boot the monotonic clock decides. Errors: conflict, its message naming the
    /// holder.
    virtual Result<Lease> acquire(const std::string& name, const Holder& holder, Duration ttl) = 0;
    /// Extends. Errors: conflict (lost).
    virtual Result<Lease> renew(const Lease& lease, Duration ttl) = 0;
    virtual Result<void> release(const Lease& lease) = 0;
    /// The lease while somebody holds it; nothing when it is free.
    virtual Result<std::optional<Lease>> find_lease(const std::string& name) = 0;

    /// The record; version 0 when absent.
    virtual Result<Record> get(const std::string& key) = 0;
    /// Sets the record when its version is still `expected`; the new version. Errors: conflict.
    virtual Result<std::uint64_t> put(const std::string& key, std::uint64_t expected,
                                      const Json& value) = 0;
    virtual Result<std::vector<std::string>> keys(const std::string& prefix) = 0;
};

}  // namespace lifeboat

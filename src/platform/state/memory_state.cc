#include <fmt/core.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <utility>

#include "platform/state/journal.h"
#include "platform/state/lease_rules.h"
#include "platform/state/open.h"
#include "platform/task/mutex.h"

namespace lifeboat {
namespace {

constexpr Duration watch_interval = std::chrono::milliseconds(50);

class InMemory final : public MemoryState {
public:
    InMemory(const Clock& clock, Processes* processes) : rules_(clock, processes) {}

    Result<std::uint64_t> append(const std::string& stream, std::uint64_t expected_version,
                                 const std::vector<NewEvent>& events, const Lease* lease) override;
    Result<std::vector<StoredEvent>> read(const std::string& stream, std::uint64_t after,
                                          std::size_t limit) override;
    Result<std::uint64_t> version(const std::string& stream) override;
    Result<std::vector<std::string>> streams(const std::string& prefix) override;
    Result<void> watch(const Context& context, const std::string& stream,
                       std::uint64_t after) override;

    Result<Lease> acquire(const std::string& name, const Holder& holder, Duration ttl) override;
    Result<Lease> renew(const Lease& lease, Duration ttl) override;
    Result<void> release(const Lease& lease) override;
    Result<std::optional<Lease>> find_lease(const std::string& name) override;

    Result<Record> get(const std::string& key) override;
    Result<std::uint64_t> put(const std::string& key, std::uint64_t expected,
                              const Json& value) override;
    Result<std::vector<std::string>> keys(const std::string& prefix) override;

    void crash() override;
    void reopen() override;
    void fail_append(std::uint64_t nth) override;

private:
    struct Stream {
        std::vector<StoredEvent> events;
        // A simulation appends far more than it reads: hashes are made when somebody looks.
        std::size_t hashed = 0;
        crypto::Digest last{};
    };

    Result<void> check_up() const REQUIRES(mutex_) {
        if (crashed_) return unavailable("the state has crashed");
        return ok();
    }
    Result<void> count_append(const std::string& stream) REQUIRES(mutex_);
    Result<LeaseRow*> held_row(const Lease& lease) REQUIRES(mutex_);

    Mutex mutex_;
    std::condition_variable_any changed_;
    bool crashed_ GUARDED_BY(mutex_) = false;
    std::uint64_t fail_in_ GUARDED_BY(mutex_) = 0;
    std::map<std::string, Stream> streams_ GUARDED_BY(mutex_);
    std::map<std::string, LeaseRow> leases_ GUARDED_BY(mutex_);
    std::map<std::string, Record> records_ GUARDED_BY(mutex_);
    LeaseRules rules_ GUARDED_BY(mutex_);
};

template <class T>
std::vector<std::string> names_with(const std::map<std::string, T>& all,
                                    const std::string& prefix) {
    std::vector<std::string> found;
    for (auto it = all.lower_bound(prefix); it != all.end() && it->first.starts_with(prefix); ++it)
        found.push_back(it->first);
    return found;
}

Result<void> InMemory::count_append(const std::string& stream) {
    if (fail_in_ == 0 || --fail_in_ > 0) return ok();
    return exhausted(fmt::format("no space to append to stream '{}'", stream),
                     "Free space, then try again.");
}

Result<LeaseRow*> InMemory::held_row(const Lease& lease) {
    const auto it = leases_.find(lease.name);
    if (it == leases_.end()) return LeaseRules::lost(lease, 0);
    LeaseRow& row = it->second;
    if (!row.held || row.lease.epoch != lease.epoch)
        return LeaseRules::lost(lease, row.lease.epoch);
    return &row;
}

Result<std::uint64_t> InMemory::append(const std::string& stream, std::uint64_t expected_version,
                                       const std::vector<NewEvent>& events, const Lease* lease) {
    TRY(check_name("stream", stream));
    const MutexLock lock(mutex_);
    TRY(check_up());
    TRY(count_append(stream));
    const auto found = streams_.find(stream);
    const std::uint64_t version = found == streams_.end() ? 0 : found->second.events.size();
    if (version != expected_version) return version_conflict(stream, version, expected_version);
    if (lease != nullptr) TRY(held_row(*lease));
    std::vector<StoredEvent> prepared =
        TRY(prepare_events(stream, version, lease == nullptr ? 0 : lease->epoch, events));
    if (prepared.empty()) return version;
    std::ranges::move(prepared, std::back_inserter(streams_[stream].events));
    changed_.notify_all();
    return version + prepared.size();
}

Result<std::vector<StoredEvent>> InMemory::read(const std::string& stream, std::uint64_t after,
                                                std::size_t limit) {
    const MutexLock lock(mutex_);
    TRY(check_up());
    const auto found = streams_.find(stream);
    if (found == streams_.end() || after >= found->second.events.size())
        return std::vector<StoredEvent>();
    Stream& all = found->second;
    for (; all.hashed < all.events.size(); ++all.hashed) {
        StoredEvent& event = all.events[all.hashed];
        all.last = chain_hash(all.last, stream, event);
        event.hash = to_hex(all.last);
    }
    const auto begin = all.events.begin() + static_cast<std::ptrdiff_t>(after);
    const std::size_t count = std::min<std::size_t>(limit, all.events.size() - after);
    return std::vector<StoredEvent>(begin, begin + static_cast<std::ptrdiff_t>(count));
}

Result<std::uint64_t> InMemory::version(const std::string& stream) {
    const MutexLock lock(mutex_);
    TRY(check_up());
    const auto found = streams_.find(stream);
    return found == streams_.end() ? 0 : found->second.events.size();
}

Result<std::vector<std::string>> InMemory::streams(const std::string& prefix) {
    const MutexLock lock(mutex_);
    TRY(check_up());
    return names_with(streams_, prefix);
}

Result<void> InMemory::watch(const Context& context, const std::string& stream,
                             std::uint64_t after) {
    MutexLock lock(mutex_);
    const auto is_longer = [&]() REQUIRES(mutex_) {
        const auto found = streams_.find(stream);
        return found != streams_.end() && found->second.events.size() > after;
    };
    while (true) {
        TRY(check_up());
        if (is_longer()) return ok();
        TRY(context.check(fmt::format("watching stream '{}'", stream)));
        (void)changed_.wait_for(lock, context.stop_token(), context.remaining_or(watch_interval),
                                [&]() REQUIRES(mutex_) { return crashed_ || is_longer(); });
    }
}

Result<Lease> InMemory::acquire(const std::string& name, const Holder& holder, Duration ttl) {
    TRY(check_name("lease", name));
    const MutexLock lock(mutex_);
    TRY(check_up());
    const auto found = leases_.find(name);
    std::uint64_t epoch = 1;
    if (found != leases_.end()) {
        const LeaseRow& row = found->second;
        if (!LeaseRules::is_same(row.lease.holder, holder) && !rules_.is_free(row))
            return LeaseRules::held_by(row.lease);
        epoch = row.lease.epoch + 1;
    }
    LeaseRow granted = rules_.grant(name, epoch, holder, ttl);
    leases_[name] = granted;
    return granted.lease;
}

Result<Lease> InMemory::renew(const Lease& lease, Duration ttl) {
    const MutexLock lock(mutex_);
    TRY(check_up());
    LeaseRow* row = TRY(held_row(lease));
    *row = rules_.grant(lease.name, lease.epoch, row->lease.holder, ttl);
    return row->lease;
}

Result<void> InMemory::release(const Lease& lease) {
    const MutexLock lock(mutex_);
    TRY(check_up());
    if (Result<LeaseRow*> row = held_row(lease)) (*row)->held = false;
    return ok();
}

Result<std::optional<Lease>> InMemory::find_lease(const std::string& name) {
    const MutexLock lock(mutex_);
    TRY(check_up());
    const auto found = leases_.find(name);
    if (found == leases_.end() || rules_.is_free(found->second)) return std::optional<Lease>();
    return std::optional(found->second.lease);
}

Result<Record> InMemory::get(const std::string& key) {
    const MutexLock lock(mutex_);
    TRY(check_up());
    const auto found = records_.find(key);
    return found == records_.end() ? Record{} : found->second;
}

Result<std::uint64_t> InMemory::put(const std::string& key, std::uint64_t expected,
                                    const Json& value) {
    TRY(check_name("record", key));
    Json prepared = TRY(prepare_value(value, fmt::format("record '{}'", key)));
    const MutexLock lock(mutex_);
    TRY(check_up());
    const auto found = records_.find(key);
    const std::uint64_t version = found == records_.end() ? 0 : found->second.version;
    if (version != expected) return record_conflict(key, version, expected);
    records_[key] = {.version = expected + 1, .value = std::move(prepared)};
    return expected + 1;
}

Result<std::vector<std::string>> InMemory::keys(const std::string& prefix) {
    const MutexLock lock(mutex_);
    TRY(check_up());
    return names_with(records_, prefix);
}

void InMemory::crash() {
    // Every append is a transaction of its own, so between calls nothing is uncommitted.
    const MutexLock lock(mutex_);
    crashed_ = true;
    changed_.notify_all();
}

void InMemory::reopen() {
    const MutexLock lock(mutex_);
    crashed_ = false;
}

void InMemory::fail_append(std::uint64_t nth) {
    const MutexLock lock(mutex_);
    fail_in_ = nth;
}

}  // namespace

std::unique_ptr<MemoryState> make_memory_state(const Clock& clock, Processes* processes) {
    return std::make_unique<InMemory>(clock, processes);
}

}  // namespace lifeboat

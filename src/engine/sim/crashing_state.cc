#include "engine/sim/crashing_state.h"

namespace lifeboat::engine::sim {
namespace {

constexpr unsigned deaths_max = 12;  // a run must get somewhere

}  // namespace

CrashingState::Death CrashingState::draw() {
    ++appends_;
    if (at_ != 0) {
        if (appends_ != at_) return Death::none;
        return before_ ? Death::before : Death::after;
    }
    if (deaths_ >= deaths_max) return Death::none;
    if (chance_.percent(faults_.disk_full)) return Death::disk_full;
    if (chance_.percent(faults_.io_error)) return Death::io_error;
    if (!chance_.percent(faults_.crash)) return Death::none;
    return chance_.percent(50) ? Death::before : Death::after;
}

Result<std::uint64_t> CrashingState::append(const std::string& stream,
                                            std::uint64_t expected_version,
                                            const std::vector<NewEvent>& events,
                                            const Lease* lease) {
    const Death death = draw();
    const auto write = [&](const std::vector<NewEvent>& what) {
        return mutant_ == Mutant::missing_fsync
                   ? append_unsynced(stream, expected_version, what, lease)
                   : inner_.append(stream, expected_version, what, lease);
    };
    if (death == Death::none) return write(events);
    ++deaths_;
    crashed_ = true;
    if (death == Death::disk_full) {
        inner_.fail_append(1);
        return inner_.append(stream, expected_version, events, lease);
    }
    // After an error nobody knows what the disk holds: all of the transaction, or nothing of it.
    std::vector<NewEvent> kept;
    if (death == Death::after || (death == Death::io_error && chance_.percent(50))) kept = events;
    if (mutant_ == Mutant::torn_transaction && events.size() > 1)
        kept.assign(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(
                                                         chance_.between(1, events.size() - 1)));
    if (!kept.empty()) {
        auto appended = write(kept);
        if (!appended.has_value()) return appended;
    }
    lose_power();
    inner_.crash();
    return death == Death::io_error ? unavailable("input/output error")
                                    : unavailable("the machine died");
}

/// The newest transaction is only in memory; the one before it has reached the disk by now.
Result<std::uint64_t> CrashingState::append_unsynced(const std::string& stream,
                                                     std::uint64_t expected_version,
                                                     const std::vector<NewEvent>& events,
                                                     const Lease* lease) {
    const std::uint64_t synced = expected_version - unsynced_.size();
    if (!unsynced_.empty()) {
        auto flushed = inner_.append(stream, synced, unsynced_, lease);
        if (!flushed.has_value()) return flushed;
    }
    unsynced_ = events;
    return expected_version + events.size();
}

Result<std::vector<StoredEvent>> CrashingState::read(const std::string& stream, std::uint64_t after,
                                                     std::size_t limit) {
    auto stored = TRY(inner_.read(stream, after, limit));
    if (unsynced_.empty()) return stored;
    std::uint64_t version = TRY(inner_.version(stream));
    for (const NewEvent& event : unsynced_) {
        if (++version <= after) continue;
        stored.push_back({.version = version,
                          .epoch = 0,
                          .at = event.at,
                          .type = event.type,
                          .payload = event.payload,
                          .hash = {}});
    }
    return stored;
}

}  // namespace lifeboat::engine::sim

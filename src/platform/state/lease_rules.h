#pragma once
/// Who may take a lease, decided from what is stored. Shared by every implementation of State.
///
/// A wall clock may jump, so it decides only where there is nothing better. Within one boot of one
/// machine the monotonic clock is common to all processes and decides alone: a clock set back by an
/// hour does not keep a lease for an hour, one set forward does not take it from its holder. A
/// holder on this machine that is dead, or was before a reboot, holds nothing. For a holder
/// elsewhere the wall clock counts, or a whole ttl in which this process saw the lease unchanged.

#include <map>
#include <optional>
#include <string>

#include "platform/env/processes.h"
#include "platform/state/state.h"

namespace lifeboat {

/// A lease as stored. The row stays for ever, because the epoch only grows.
struct LeaseRow {
    Lease lease;        ///< `until` by the wall clock of the holder
    bool held = false;  ///< false once released
    Duration ttl{};
    Monotonic granted{};  ///< by the monotonic clock of the holder's boot
};

class LeaseRules {
public:
    /// `processes` may be null: then no holder is known to be dead, and all share one boot.
    LeaseRules(const Clock& clock, Processes* processes);

    /// True when somebody else may take it now. Not thread-safe: callers hold their lock.
    bool is_free(const LeaseRow& row);
    /// The same holder may take again what it holds; it gets a new epoch all the same.
    static bool is_same(const Holder& left, const Holder& right);
    /// The row of a lease granted or renewed now.
    LeaseRow grant(std::string name, std::uint64_t epoch, Holder holder, Duration ttl) const;
    /// The error for the second one: names the holder.
    static Error held_by(const Lease& lease);
    /// True for what held_by() made, whatever was put before its message on the way up.
    static bool is_held_by(const Error& error);
    static Error lost(const Lease& lease, std::uint64_t epoch_now);

private:
    /// A lease of another machine, as this process first saw it.
    struct Sighting {
        std::uint64_t epoch = 0;
        Instant until{};
        Monotonic since{};
    };

    bool is_same_boot(const Holder& holder) const;
    bool is_dead(const Holder& holder) const;
    bool unchanged_for_ttl(const LeaseRow& row);

    const Clock& clock_;
    Processes* processes_;
    std::string host_;
    std::string boot_id_;
    std::map<std::string, Sighting, std::less<>> sightings_;
};

}  // namespace lifeboat

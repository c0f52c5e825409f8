#include "platform/state/lease_rules.h"

#include <fmt/core.h>

#include <string_view>
#include <utility>

namespace lifeboat {
namespace {

constexpr std::string_view held_words = "' is held by ";
constexpr std::string_view held_hint = "Wait for it to end or stop it; its lease ends at ";

}  // namespace

LeaseRules::LeaseRules(const Clock& clock, Processes* processes)
    : clock_(clock), processes_(processes) {
    if (processes_ == nullptr) return;
    host_ = processes_->host_name();
    boot_id_ = processes_->boot_id();
}

bool LeaseRules::is_same_boot(const Holder& holder) const {
    return processes_ == nullptr || (!boot_id_.empty() && holder.boot_id == boot_id_);
}

bool LeaseRules::is_dead(const Holder& holder) const {
    // Of another machine, or of another container of this one (its pids mean nothing here).
    if (processes_ == nullptr || holder.host != host_ || holder.boot_id.empty()) return false;
    if (holder.boot_id != boot_id_) return true;
    const Result<ProcessIdentity> found = processes_->identify(holder.pid);
    if (!found) return found.error().kind == ErrorKind::not_found;
    return found->start_ticks != holder.start_ticks;
}

bool LeaseRules::unchanged_for_ttl(const LeaseRow& row) {
    const Monotonic now = clock_.monotonic();
    const Sighting seen{.epoch = row.lease.epoch, .until = row.lease.until, .since = now};
    const auto [it, first] = sightings_.try_emplace(row.lease.name, seen);
    if (it->second.epoch != seen.epoch || it->second.until != seen.until) it->second = seen;
    return now - it->second.since >= row.ttl;
}

bool LeaseRules::is_free(const LeaseRow& row) {
    if (!row.held || is_dead(row.lease.holder)) return true;
    if (is_same_boot(row.lease.holder)) return clock_.monotonic() >= row.granted + row.ttl;
    return clock_.now() >= row.lease.until || unchanged_for_ttl(row);
}

bool LeaseRules::is_same(const Holder& left, const Holder& right) {
    return left.who == right.who && left.host == right.host && left.pid == right.pid &&
           left.start_ticks == right.start_ticks && left.boot_id == right.boot_id;
}

LeaseRow LeaseRules::grant(std::string name, std::uint64_t epoch, Holder holder,
                           Duration ttl) const {
    return {.lease = {.name = std::move(name),
                      .epoch = epoch,
                      .holder = std::move(holder),
                      .until = clock_.now() + ttl},
            .held = true,
            .ttl = ttl,
            .granted = clock_.monotonic()};
}

Error LeaseRules::held_by(const Lease& lease) {
    return conflict(
        fmt::format("'{}{}{}", lease.name, held_words, lease.holder.who),
        fmt::format("{}{} unless it is renewed.", held_hint, format_instant(lease.until)));
}

bool LeaseRules::is_held_by(const Error& error) {
    // The hint stays with an error as it travels up; no other error has this one.
    return error.kind == ErrorKind::conflict && error.hint.starts_with(held_hint) &&
           error.message.contains(held_words);
}

Error LeaseRules::lost(const Lease& lease, std::uint64_t epoch_now) {
    return conflict(fmt::format("the lease '{}' of epoch {} is lost; the epoch is {} now",
                                lease.name, lease.epoch, epoch_now),
                    "Somebody else took over after it was released or had run out; do nothing "
                    "more under it.");
}

}  // namespace lifeboat

#include "providers/postgres/watcher.h"

#include <fmt/core.h>

#include "platform/base/size.h"
#include "platform/base/text.h"

namespace lifeboat::postgres {
namespace {

using namespace std::chrono_literals;
constexpr std::size_t samples_max = 600;

constexpr const char* slot_question = R"(
SELECT coalesce(wal_status, '') AS wal_status, active,
       coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                                     ELSE pg_current_wal_lsn() END,
                                restart_lsn), 0)::bigint AS retained,
       safe_wal_size,
       current_setting('max_slot_wal_keep_size') AS bound
FROM pg_replication_slots WHERE slot_name = $1)";

// Under remote_apply a synchronous receiver that applies nothing would hang every commit.
constexpr const char* sync_question = R"(
SELECT count(*) FROM pg_stat_replication
WHERE application_name = $1 AND sync_state IN ('sync', 'quorum')
  AND current_setting('synchronous_commit') = 'remote_apply')";

std::string slot_warning(const SlotHealth& health) {
    if (health.wal_status == "lost") return "the slot has lost WAL: a new base backup is needed";
    if (health.wal_status == "unreserved")
        return fmt::format(
            "the slot is beyond its limit and may lose WAL any moment ({} kept back)",
            human_size(health.retained));
    return {};
}

}  // namespace

Result<std::optional<SlotHealth>> slot_health(const Context& context, Connection& connection,
                                              const std::string& slot) {
    const Rows rows = TRY(connection.query(context, slot_question, {slot}));
    if (rows.empty()) return std::optional<SlotHealth>();
    SlotHealth health;
    health.wal_status = rows.text(0, "wal_status");
    health.is_active = rows.text(0, "active") == "t";
    const auto retained = parse_integer(rows.text(0, "retained")).value_or(0);
    health.retained = retained > 0 ? static_cast<std::uint64_t>(retained) : 0;
    if (const auto safe = parse_integer(rows.text(0, "safe_wal_size")))
        health.safe_size = *safe > 0 ? static_cast<std::uint64_t>(*safe) : 0;
    health.unbounded = rows.text(0, "bound") == "-1";
    return std::optional<SlotHealth>(health);
}

Result<void> Watcher::run(const Context& context) {
    std::unique_ptr<Connection> connection;
    while (!context.stopped()) {
        // Ignored: without a sample the report falls back to what the WAL itself says.
        if (!sample(context.within(5s), connection).has_value()) connection.reset();
        if (!context.sleep(connection ? 1s : 5s).has_value()) break;
    }
    return ok();
}

Result<void> Watcher::sample(const Context& context, std::unique_ptr<Connection>& connection) {
    if (!connection) {
        auto opened = TRY(Connection::open(context, server_.connect_options(false)));
        connection = std::move(opened);
    }
    // The clock first: whatever was acknowledged before that moment had been flushed by then.
    const Rows clock = TRY(connection->query(
        context, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"));
    const Rows flushed = TRY(connection->query(
        context,
        "SELECT CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_current_wal_flush_lsn() END"));
    const auto health = TRY(slot_health(context, *connection, server_.slot));
    const Rows sync = TRY(connection->query(context, sync_question, {server_.slot}));
    std::uint64_t free = 0;
    if (server_.data_directory)
        free = services_.environment.files.free_space(*server_.data_directory).value_or(0);

    MutexLock lock(mutex_);
    const auto at = parse_integer(clock.first());
    if (const auto lsn = parse_lsn(flushed.first()); at && lsn.has_value()) {
        samples_.push_back({Instant(Duration(*at)), *lsn});
        if (samples_.size() > samples_max) samples_.pop_front();
    }
    slot_ = health.value_or(SlotHealth{});
    free_ = free;
    warning_ = slot_warning(slot_);
    if (sync.first() != "0")
        warning_ =
            "the server waits for this receiver to apply WAL, which it never does: take it out of "
            "synchronous_standby_names or leave synchronous_commit = remote_apply";
    return ok();
}

std::optional<Instant> Watcher::safe_at(Lsn end) {
    MutexLock lock(mutex_);
    while (!samples_.empty() && samples_.front().flushed <= end) {
        safe_ = samples_.front().at;
        samples_.pop_front();
    }
    return safe_;
}

SlotHealth Watcher::slot() const {
    MutexLock lock(mutex_);
    return slot_;
}

std::uint64_t Watcher::free_bytes() const {
    MutexLock lock(mutex_);
    return free_;
}

std::string Watcher::warning() const {
    MutexLock lock(mutex_);
    return warning_;
}

}  // namespace lifeboat::postgres

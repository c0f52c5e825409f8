#include "platform/state/sqlite_tables.h"

#include <fmt/core.h>

#include <algorithm>

namespace lifeboat::tables {
namespace {

// One b-tree a table (WITHOUT ROWID): no index that could disagree with its table. `at`, `until`
// and `granted` are microseconds; hashes and digests are SHA-256.
constexpr std::string_view schema = R"(
CREATE TABLE streams (name TEXT PRIMARY KEY, version INTEGER NOT NULL, hash BLOB NOT NULL,
    digest BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE events (stream TEXT NOT NULL, version INTEGER NOT NULL, epoch INTEGER NOT NULL,
    at INTEGER NOT NULL, type TEXT NOT NULL, payload TEXT NOT NULL, hash BLOB NOT NULL,
    PRIMARY KEY (stream, version)) STRICT, WITHOUT ROWID;
CREATE TABLE leases (name TEXT PRIMARY KEY, epoch INTEGER NOT NULL, held INTEGER NOT NULL,
    who TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL, start_ticks INTEGER NOT NULL,
    boot_id TEXT NOT NULL, until INTEGER NOT NULL, ttl INTEGER NOT NULL, granted INTEGER NOT NULL,
    digest BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE records (key TEXT PRIMARY KEY, version INTEGER NOT NULL, value TEXT NOT NULL,
    digest BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE totals (name TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO totals VALUES ('streams', 0), ('leases', 0), ('records', 0);
)";
constexpr std::int64_t application_id = 0x4c494645;  // "LIFE"
constexpr Duration wal_switch_patience = std::chrono::seconds(10);

Result<std::int64_t> integer_of(Database& database, std::string_view sql) {
    Query query = TRY(database.query(sql));
    const bool row = TRY(query.next());
    return row ? query.integer(0) : 0;
}

Error damaged_row(const Database& database, std::string_view what, std::string_view name) {
    return corrupt(fmt::format("{} '{}' in '{}' is damaged", what, name, database.path().string()),
                   "Keep the state directory for inspection and start with an empty one: plan, "
                   "vault and key are enough to go on.");
}

/// SHA-256 over the fields, each with its length before it.
class RowDigest {
public:
    RowDigest& add(std::string_view text) {
        add(static_cast<std::int64_t>(text.size()));
        append(bytes_, as_bytes(text));
        return *this;
    }
    RowDigest& add(std::int64_t value) {
        append_le(bytes_, value);
        return *this;
    }
    RowDigest& add(std::uint64_t value) { return add(static_cast<std::int64_t>(value)); }
    crypto::Digest finish() const { return crypto::sha256(bytes_); }

private:
    Bytes bytes_;
};

crypto::Digest digest_of(const std::string& stream, const Head& head) {
    return RowDigest().add(stream).add(head.version).add(as_text(head.hash)).finish();
}

crypto::Digest digest_of(const LeaseRow& row) {
    const Holder& holder = row.lease.holder;
    return RowDigest()
        .add(row.lease.name)
        .add(row.lease.epoch)
        .add(std::int64_t{row.held})
        .add(holder.who)
        .add(holder.host)
        .add(holder.pid)
        .add(holder.start_ticks)
        .add(holder.boot_id)
        .add(row.lease.until.time_since_epoch().count())
        .add(row.ttl.count())
        .add(row.granted.count())
        .finish();
}

crypto::Digest digest_of(std::string_view key, std::uint64_t version, std::string_view value) {
    return RowDigest().add(key).add(version).add(value).finish();
}

bool is_equal(ByteView left, ByteView right) { return std::ranges::equal(left, right); }

std::optional<crypto::Digest> to_digest(ByteView bytes) {
    crypto::Digest digest{};
    if (bytes.size() != digest.size()) return std::nullopt;
    std::ranges::copy(bytes, digest.begin());
    return digest;
}

/// The switch to WAL wants the file for itself and does not wait for it: others may be opening it.
Result<void> switch_to_wal(Database& database, const Clock& clock) {
    const Context patience = Context(clock).within(wal_switch_patience);
    while (true) {
        Result<void> switched = [&]() -> Result<void> {
            Query query = TRY(database.query("PRAGMA journal_mode=WAL"));
            const bool row = TRY(query.next());
            if (row && query.text(0) == "wal") return ok();
            return unsupported(fmt::format("'{}' lies on a file system without shared memory",
                                           database.path().string()),
                               "Put the state directory on a local file system.");
        }();
        if (switched || switched.error().kind != ErrorKind::unavailable) return switched;
        if (!patience.sleep(std::chrono::milliseconds(5))) return switched;
    }
}

Error newer(const Database& database, std::int64_t found) {
    return unsupported(
        fmt::format("'{}' has state format {}, written by a newer Lifeboat; this one reads up to "
                    "format {}",
                    database.path().string(), found, format),
        fmt::format("Use a Lifeboat that reads state format {}, or another --state directory.",
                    found));
}

/// The format that the file says it has, 0 for a fresh file. Errors: invalid (another program's).
Result<std::int64_t> format_of(Database& database) {
    const Transaction moment =
        TRY(Transaction::begin_read(database));  // another may be creating it
    const std::int64_t found = TRY(integer_of(database, "PRAGMA user_version"));
    const std::int64_t owner = TRY(integer_of(database, "PRAGMA application_id"));
    const std::int64_t tables = TRY(integer_of(database, "SELECT count(*) FROM sqlite_schema"));
    if (owner == application_id || (owner == 0 && found == 0 && tables == 0)) return found;
    return invalid(fmt::format("'{}' is not a state file of Lifeboat", database.path().string()),
                   "Name another --state directory, or move the file away.");
}

Result<void> create(Database& database) {
    Transaction transaction = TRY(Transaction::begin_write(database));
    const std::int64_t present = TRY(integer_of(database, "PRAGMA user_version"));
    if (present != 0) return ok();  // another process was faster
    TRY(database.script(std::string(schema)));
    TRY(database.script(
        fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", application_id, format)));
    return transaction.commit();
}

Result<void> check_total(Database& database, const std::string& table, std::int64_t counted) {
    Query query =
        TRY(database.query("SELECT count FROM totals WHERE name = ?", std::string_view(table)));
    const bool row = TRY(query.next());
    if (row && query.integer(0) == counted) return ok();
    return damaged_row(database, "table", table)
        .in(fmt::format("{} rows where {} belong", counted, row ? query.integer(0) : 0));
}

Result<void> count_one(Database& database, std::string_view table) {
    return database.run("UPDATE totals SET count = count + 1 WHERE name = ?", table);
}

Result<Head> read_head(const Database& database, const Query& row, const std::string& stream) {
    const std::optional<crypto::Digest> hash = to_digest(row.blob(1));
    const Head head{.version = row.number(0), .hash = hash.value_or(crypto::Digest{})};
    if (!hash || !is_equal(row.blob(2), digest_of(stream, head)))
        return damaged_row(database, "the end of stream", stream);
    return head;
}

Result<LeaseRow> read_lease(const Database& database, const Query& row) {
    LeaseRow found{.lease = {.name = std::string(row.text(0)),
                             .epoch = row.number(1),
                             .holder = {.who = std::string(row.text(3)),
                                        .host = std::string(row.text(4)),
                                        .pid = row.integer(5),
                                        .start_ticks = row.number(6),
                                        .boot_id = std::string(row.text(7))},
                             .until = Instant(Duration(row.integer(8)))},
                   .held = row.integer(2) != 0,
                   .ttl = Duration(row.integer(9)),
                   .granted = Monotonic(row.integer(10))};
    if (!is_equal(row.blob(11), digest_of(found)))
        return damaged_row(database, "lease", found.lease.name);
    return found;
}

Result<void> verify_streams(Database& database) {
    Query query = TRY(database.query("SELECT version, hash, digest, name FROM streams"));
    for (std::int64_t count = 0;; ++count) {
        const bool row = TRY(query.next());
        if (!row) return check_total(database, "streams", count);
        TRY(read_head(database, query, std::string(query.text(3))));
    }
}

Result<void> verify_leases(Database& database) {
    Query query = TRY(database.query("SELECT * FROM leases"));
    for (std::int64_t count = 0;; ++count) {
        const bool row = TRY(query.next());
        if (!row) return check_total(database, "leases", count);
        TRY(read_lease(database, query));
    }
}

Result<void> verify_records(Database& database) {
    Query query = TRY(database.query("SELECT key, version, value, digest FROM records"));
    for (std::int64_t count = 0;; ++count) {
        const bool row = TRY(query.next());
        if (!row) return check_total(database, "records", count);
        const std::string key(query.text(0));
        if (!is_equal(query.blob(3), digest_of(key, query.number(1), query.text(2))))
            return damaged_row(database, "record", key);
    }
}

/// The hash of the event `version`; of version 0, which is none, zero.
Result<crypto::Digest> load_hash(Database& database, const std::string& stream,
                                 std::uint64_t version) {
    if (version == 0) return crypto::Digest{};
    Query query = TRY(database.query("SELECT hash FROM events WHERE stream = ? AND version = ?",
                                     std::string_view(stream), version));
    const bool row = TRY(query.next());
    if (!row) return damaged(stream, version, "the event is missing");
    const std::optional<crypto::Digest> hash = to_digest(query.blob(0));
    if (!hash) return damaged(stream, version, "its hash has another size");
    return *hash;
}

Result<std::vector<std::string>> names(Query& query, const std::string& prefix) {
    std::vector<std::string> found;
    while (true) {
        const bool row = TRY(query.next());
        if (!row || !query.text(0).starts_with(prefix)) return found;
        found.emplace_back(query.text(0));
    }
}

}  // namespace

Result<void> prepare(Database& database, const Clock& clock) {
    // Before anything is written: a newer file must stay as it is.
    const std::int64_t found = TRY(format_of(database));
    if (found > format) return newer(database, found);
    TRY(switch_to_wal(database, clock));
    TRY(
        database.script("PRAGMA synchronous=FULL; PRAGMA cell_size_check=ON; "
                        "PRAGMA trusted_schema=OFF; PRAGMA journal_size_limit=16777216"));
    if (found == 0) TRY(create(database));
    return ok();
}

Result<void> verify(Database& database) {
    const Transaction moment = TRY(Transaction::begin_read(database));
    TRY(verify_streams(database));
    TRY(verify_leases(database));
    return verify_records(database);
}

Result<Head> load_head(Database& database, const std::string& stream) {
    Query query = TRY(database.query("SELECT version, hash, digest FROM streams WHERE name = ?",
                                     std::string_view(stream)));
    const bool row = TRY(query.next());
    if (!row) return Head{};
    return read_head(database, query, stream);
}

Result<void> save_head(Database& database, const std::string& stream, const Head& head,
                       bool fresh) {
    const crypto::Digest digest = digest_of(stream, head);
    TRY(database.run(
        "INSERT INTO streams VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO UPDATE SET "
        "version = ?2, hash = ?3, digest = ?4",
        std::string_view(stream), head.version, ByteView(head.hash), ByteView(digest)));
    return fresh ? count_one(database, "streams") : ok();
}

Result<void> insert_event(Database& database, const std::string& stream, const StoredEvent& event,
                          const crypto::Digest& hash) {
    const std::string payload = dump(event.payload);
    return database.run("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", std::string_view(stream),
                        event.version, event.epoch,
                        std::int64_t{event.at.time_since_epoch().count()},
                        std::string_view(event.type), std::string_view(payload), ByteView(hash));
}

Result<std::vector<StoredEvent>> load_events(Database& database, const std::string& stream,
                                             std::uint64_t after, std::size_t limit) {
    const Transaction moment = TRY(Transaction::begin_read(database));
    const Head head = TRY(load_head(database, stream));
    std::vector<StoredEvent> events;
    if (after >= head.version || limit == 0) return events;
    crypto::Digest previous = TRY(load_hash(database, stream, after));
    const std::uint64_t last = after + std::min<std::uint64_t>(limit, head.version - after);
    Query query = TRY(database.query(
        "SELECT version, epoch, at, type, payload, hash FROM events WHERE stream = ? AND "
        "version > ? AND version <= ? ORDER BY version",
        std::string_view(stream), after, last));
    for (std::uint64_t version = after + 1; version <= last; ++version) {
        const bool row = TRY(query.next());
        if (!row || query.number(0) != version)
            return damaged(stream, version, "the event is missing");
        Result<Json> payload = parse_json(query.text(4));
        if (!payload) return damaged(stream, version, payload.error().message);
        StoredEvent event{.version = version,
                          .epoch = query.number(1),
                          .at = Instant(Duration(query.integer(2))),
                          .type = std::string(query.text(3)),
                          .payload = std::move(*payload)};
        previous = chain_hash(previous, stream, event);
        if (!is_equal(previous, query.blob(5)))
            return damaged(stream, version, "its hash is not that of its content");
        event.hash = to_hex(previous);
        events.push_back(std::move(event));
    }
    if (last == head.version && previous != head.hash)
        return damaged(stream, last, "it is not the event that was written last");
    return events;
}

Result<std::optional<LeaseRow>> load_lease(Database& database, const std::string& name) {
    Query query =
        TRY(database.query("SELECT * FROM leases WHERE name = ?", std::string_view(name)));
    const bool row = TRY(query.next());
    if (!row) return std::optional<LeaseRow>();
    LeaseRow found = TRY(read_lease(database, query));
    return std::optional(std::move(found));
}

Result<void> save_lease(Database& database, const LeaseRow& row, bool fresh) {
    const Holder& holder = row.lease.holder;
    const crypto::Digest digest = digest_of(row);
    TRY(database.run(
        "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        std::string_view(row.lease.name), row.lease.epoch, std::int64_t{row.held},
        std::string_view(holder.who), std::string_view(holder.host), holder.pid, holder.start_ticks,
        std::string_view(holder.boot_id), std::int64_t{row.lease.until.time_since_epoch().count()},
        std::int64_t{row.ttl.count()}, std::int64_t{row.granted.count()}, ByteView(digest)));
    return fresh ? count_one(database, "leases") : ok();
}

Result<Record> load_record(Database& database, const std::string& key) {
    Query query = TRY(database.query("SELECT version, value, digest FROM records WHERE key = ?",
                                     std::string_view(key)));
    const bool row = TRY(query.next());
    if (!row) return Record{};
    if (!is_equal(query.blob(2), digest_of(key, query.number(0), query.text(1))))
        return damaged_row(database, "record", key);
    Result<Json> value = parse_json(query.text(1));
    if (!value) return damaged_row(database, "record", key);
    return Record{.version = query.number(0), .value = std::move(*value)};
}

Result<void> save_record(Database& database, const std::string& key, const Record& record,
                         bool fresh) {
    const std::string value = dump(record.value);
    const crypto::Digest digest = digest_of(key, record.version, value);
    TRY(database.run("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?)", std::string_view(key),
                     record.version, std::string_view(value), ByteView(digest)));
    return fresh ? count_one(database, "records") : ok();
}

Result<std::vector<std::string>> stream_names(Database& database, const std::string& prefix) {
    Query query = TRY(database.query("SELECT name FROM streams WHERE name >= ? ORDER BY name",
                                     std::string_view(prefix)));
    return names(query, prefix);
}

Result<std::vector<std::string>> record_keys(Database& database, const std::string& prefix) {
    Query query = TRY(database.query("SELECT key FROM records WHERE key >= ? ORDER BY key",
                                     std::string_view(prefix)));
    return names(query, prefix);
}

}  // namespace lifeboat::tables

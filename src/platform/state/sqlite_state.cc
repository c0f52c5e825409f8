#include <fmt/core.h>

#include <condition_variable>
#include <utility>

#include "platform/state/open.h"
#include "platform/state/sqlite_tables.h"
#include "platform/state/wal_check.h"
#include "platform/task/mutex.h"

namespace lifeboat {
namespace {

constexpr Duration watch_interval =
    std::chrono::milliseconds(50);  // for appends of other processes

/// A connection and the lock that makes it usable from several threads.
struct Connection {
    Mutex mutex;
    std::unique_ptr<Database> database;
};

class SqliteState final : public State {
public:
    SqliteState(std::unique_ptr<Database> writer, std::unique_ptr<Database> reader,
                Environment& environment)
        : rules_(environment.clock, &environment.processes) {
        writer_.database = std::move(writer);
        reader_.database = std::move(reader);
    }

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

private:
    Result<void> insert_all(Database& database, const std::string& stream, Head head,
                            std::vector<StoredEvent> events);
    void announce();
    bool is_free(const LeaseRow& row) {
        const MutexLock lock(rules_mutex_);
        return rules_.is_free(row);
    }
    LeaseRow grant(const std::string& name, std::uint64_t epoch, const Holder& holder,
                   Duration ttl) {
        const MutexLock lock(rules_mutex_);
        return rules_.grant(name, epoch, holder, ttl);
    }

    // Two connections: a reader does not wait while a writer waits for the disk.
    Connection writer_;
    Connection reader_;
    Mutex rules_mutex_;  // taken last
    LeaseRules rules_ GUARDED_BY(rules_mutex_);
    Mutex appended_mutex_;
    std::condition_variable_any appended_;
    std::uint64_t appends_ GUARDED_BY(appended_mutex_) = 0;
};

/// The row when the lease is still held at its epoch. Errors: conflict (lost).
Result<LeaseRow> held_row(Database& database, const Lease& lease) {
    const std::optional<LeaseRow> row = TRY(tables::load_lease(database, lease.name));
    if (!row || !row->held || row->lease.epoch != lease.epoch)
        return LeaseRules::lost(lease, row ? row->lease.epoch : 0);
    return *row;
}

Result<std::uint64_t> SqliteState::append(const std::string& stream, std::uint64_t expected_version,
                                          const std::vector<NewEvent>& events, const Lease* lease) {
    TRY(check_name("stream", stream));
    std::vector<StoredEvent> prepared =
        TRY(prepare_events(stream, expected_version, lease == nullptr ? 0 : lease->epoch, events));
    {
        const MutexLock lock(writer_.mutex);
        Database& database = *writer_.database;
        Transaction transaction = TRY(Transaction::begin_write(database));
        const Head head = TRY(tables::load_head(database, stream));
        if (head.version != expected_version)
            return version_conflict(stream, head.version, expected_version);
        if (lease != nullptr) TRY(held_row(database, *lease));
        if (prepared.empty()) return expected_version;
        TRY(insert_all(database, stream, head, std::move(prepared)));
        TRY(transaction.commit());
    }
    announce();
    return expected_version + events.size();
}

Result<void> SqliteState::insert_all(Database& database, const std::string& stream, Head head,
                                     std::vector<StoredEvent> events) {
    const bool fresh = head.version == 0;
    for (const StoredEvent& event : events) {
        head = {.version = event.version, .hash = chain_hash(head.hash, stream, event)};
        TRY(tables::insert_event(database, stream, event, head.hash));
    }
    return tables::save_head(database, stream, head, fresh);
}

void SqliteState::announce() {
    const MutexLock lock(appended_mutex_);
    ++appends_;
    appended_.notify_all();
}

Result<std::vector<StoredEvent>> SqliteState::read(const std::string& stream, std::uint64_t after,
                                                   std::size_t limit) {
    const MutexLock lock(reader_.mutex);
    return tables::load_events(*reader_.database, stream, after, limit);
}

Result<std::uint64_t> SqliteState::version(const std::string& stream) {
    const MutexLock lock(reader_.mutex);
    const Head head = TRY(tables::load_head(*reader_.database, stream));
    return head.version;
}

Result<std::vector<std::string>> SqliteState::streams(const std::string& prefix) {
    const MutexLock lock(reader_.mutex);
    return tables::stream_names(*reader_.database, prefix);
}

Result<void> SqliteState::watch(const Context& context, const std::string& stream,
                                std::uint64_t after) {
    while (true) {
        std::uint64_t seen = 0;
        {
            const MutexLock lock(appended_mutex_);
            seen = appends_;
        }
        Head head;
        {
            const MutexLock lock(reader_.mutex);
            head = TRY(tables::load_head(*reader_.database, stream));
        }
        if (head.version > after) return ok();
        TRY(context.check(fmt::format("watching stream '{}'", stream)));
        MutexLock lock(appended_mutex_);
        (void)appended_.wait_for(lock, context.stop_token(), context.remaining_or(watch_interval),
                                 [&]() REQUIRES(appended_mutex_) { return appends_ != seen; });
    }
}

Result<Lease> SqliteState::acquire(const std::string& name, const Holder& holder, Duration ttl) {
    TRY(check_name("lease", name));
    const MutexLock lock(writer_.mutex);
    Database& database = *writer_.database;
    Transaction transaction = TRY(Transaction::begin_write(database));
    const std::optional<LeaseRow> row = TRY(tables::load_lease(database, name));
    if (row && !LeaseRules::is_same(row->lease.holder, holder) && !is_free(*row))
        return LeaseRules::held_by(row->lease);
    const LeaseRow granted = grant(name, row ? row->lease.epoch + 1 : 1, holder, ttl);
    TRY(tables::save_lease(database, granted, !row));
    TRY(transaction.commit());
    return granted.lease;
}

Result<Lease> SqliteState::renew(const Lease& lease, Duration ttl) {
    const MutexLock lock(writer_.mutex);
    Database& database = *writer_.database;
    Transaction transaction = TRY(Transaction::begin_write(database));
    const LeaseRow row = TRY(held_row(database, lease));
    const LeaseRow granted = grant(lease.name, row.lease.epoch, row.lease.holder, ttl);
    TRY(tables::save_lease(database, granted, false));
    TRY(transaction.commit());
    return granted.lease;
}

Result<void> SqliteState::release(const Lease& lease) {
    const MutexLock lock(writer_.mutex);
    Database& database = *writer_.database;
    Transaction transaction = TRY(Transaction::begin_write(database));
    std::optional<LeaseRow> row = TRY(tables::load_lease(database, lease.name));
    if (!row || !row->held || row->lease.epoch != lease.epoch) return ok();  // not ours any more
    row->held = false;
    TRY(tables::save_lease(database, *row, false));
    return transaction.commit();
}

Result<std::optional<Lease>> SqliteState::find_lease(const std::string& name) {
    std::optional<LeaseRow> row;
    {
        const MutexLock lock(reader_.mutex);
        row = TRY(tables::load_lease(*reader_.database, name));
    }
    if (!row || is_free(*row)) return std::optional<Lease>();
    return std::optional(row->lease);
}

Result<Record> SqliteState::get(const std::string& key) {
    const MutexLock lock(reader_.mutex);
    return tables::load_record(*reader_.database, key);
}

Result<std::uint64_t> SqliteState::put(const std::string& key, std::uint64_t expected,
                                       const Json& value) {
    TRY(check_name("record", key));
    Json prepared = TRY(prepare_value(value, fmt::format("record '{}'", key)));
    const MutexLock lock(writer_.mutex);
    Database& database = *writer_.database;
    Transaction transaction = TRY(Transaction::begin_write(database));
    const Record found = TRY(tables::load_record(database, key));
    if (found.version != expected) return record_conflict(key, found.version, expected);
    TRY(tables::save_record(database, key, {.version = expected + 1, .value = std::move(prepared)},
                            expected == 0));
    TRY(transaction.commit());
    return expected + 1;
}

Result<std::vector<std::string>> SqliteState::keys(const std::string& prefix) {
    const MutexLock lock(reader_.mutex);
    return tables::record_keys(*reader_.database, prefix);
}

/// SQLite would create the file readable by all.
Result<void> create_file(Files& files, const Path& directory, const Path& path) {
    constexpr std::uint32_t others = 0077;
    const Result<FileStatus> status = files.status(path);
    if (status) return (status->mode & others) == 0 ? ok() : files.set_permissions(path, 0600);
    if (status.error().kind != ErrorKind::not_found) return status.error();
    const auto created = files.open(path, OpenMode::create, 0600);
    if (!created && created.error().kind != ErrorKind::conflict) return created.error();
    return files.sync_directory(directory);
}

}  // namespace

Result<std::unique_ptr<State>> open_sqlite_state(const Path& directory, Environment& environment) {
    const Path path = directory / "state.db";
    TRY(environment.files.make_directories(directory, 0700));
    TRY(create_file(environment.files, directory, path));
    TRY(check_wal(environment.files, path));
    std::unique_ptr<Database> writer = TRY(Database::open(path));
    TRY(tables::prepare(*writer, environment.clock));
    std::unique_ptr<Database> reader = TRY(Database::open(path));
    TRY(reader->script("PRAGMA query_only=ON; PRAGMA cell_size_check=ON"));
    TRY(tables::verify(*reader));
    return std::unique_ptr<State>(
        std::make_unique<SqliteState>(std::move(writer), std::move(reader), environment));
}

}  // namespace lifeboat

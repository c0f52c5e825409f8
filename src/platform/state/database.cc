#include "platform/state/database.h"

#include <fmt/core.h>
#include <sqlite3.h>

#include <cerrno>
#include <utility>

namespace lifeboat {
namespace {

constexpr int busy_timeout_ms = 10'000;

constexpr std::string_view damaged_hint =
    "Keep the file for inspection and start with an empty --state directory: plan, vault and key "
    "are enough to go on.";

Error full(const Path& path) {
    return exhausted(fmt::format("no space for '{}'", path.string()),
                     fmt::format("Free space on the file system of '{}', then try again.",
                                 path.parent_path().string()));
}

Error io_error(sqlite3* connection, int code, const Path& path) {
    // A failing COMMIT leaves the cause in errno only.
    const int last = errno;
    const int kept = sqlite3_system_errno(connection);
    const int number = kept != 0 ? kept : last;
    if (number != 0 && kind_of_errno(number) == ErrorKind::exhausted) return full(path);
    const std::string text =
        number == 0 ? sqlite3_errstr(code) : from_errno("use the disk", number).message;
    const std::string message = fmt::format("disk error with '{}': {}", path.string(), text);
    const std::string hint = "Look at the kernel's log (dmesg) for the disk.";
    switch (code) {
        case SQLITE_IOERR_CORRUPTFS:
        case SQLITE_IOERR_DATA:
            return corrupt(message, hint);
        case SQLITE_IOERR_FSYNC:
        case SQLITE_IOERR_DIR_FSYNC:
            return unknown(message, hint);
        default:
            return unavailable(message, hint);
    }
}

}  // namespace

Error error_of(sqlite3* connection, int code, const Path& path) {
    const std::string file = path.string();
    switch (code & 0xff) {
        case SQLITE_FULL:
            return full(path);
        case SQLITE_IOERR:
            return io_error(connection, code, path);
        case SQLITE_NOTADB:
        case SQLITE_CORRUPT:
            return corrupt(fmt::format("'{}' is damaged: {}", file, sqlite3_errmsg(connection)),
                           std::string(damaged_hint));
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return unavailable(fmt::format("'{}' is locked by another process", file),
                               "Find out who has it open (fuser), and try again.");
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return denied(fmt::format("'{}' cannot be written", file),
                          "Run as the user who owns the state directory.");
        case SQLITE_CANTOPEN: {
            const int number = sqlite3_system_errno(connection);
            if (number != 0) return from_errno(fmt::format("open '{}'", file), number);
            return unavailable(fmt::format("unable to open '{}'", file));
        }
        case SQLITE_NOMEM:
            return exhausted(fmt::format("no memory for '{}'", file));
        case SQLITE_TOOBIG:
            return exhausted(fmt::format("a value is too large for '{}'", file));
        default:
            return corrupt(fmt::format("'{}' does not work as a state file: {}", file,
                                       sqlite3_errmsg(connection)),
                           std::string(damaged_hint));
    }
}

Query::~Query() {
    if (statement_ == nullptr) return;
    (void)sqlite3_reset(statement_);  // Ignored: repeats the error that next() has returned.
    (void)sqlite3_clear_bindings(statement_);
}

Query::Query(Query&& other) noexcept
    : connection_(other.connection_),
      statement_(std::exchange(other.statement_, nullptr)),
      path_(other.path_) {}

void Query::bind(int at, std::int64_t value) {
    CHECK(sqlite3_bind_int64(statement_, at, value) == SQLITE_OK);
}

void Query::bind(int at, std::string_view value) {
    CHECK(sqlite3_bind_text64(statement_, at, value.data() == nullptr ? "" : value.data(),
                              value.size(), SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK);
}

void Query::bind(int at, ByteView value) {
    CHECK(sqlite3_bind_blob64(statement_, at, value.data(), value.size(), SQLITE_STATIC) ==
          SQLITE_OK);
}

Result<bool> Query::next() {
    errno = 0;
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return error_of(connection_, sqlite3_extended_errcode(connection_), *path_);
}

std::int64_t Query::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Query::text(int column) const {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    if (text == nullptr) return {};
    return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

ByteView Query::blob(int column) const {
    const auto* bytes = static_cast<const std::byte*>(sqlite3_column_blob(statement_, column));
    if (bytes == nullptr) return {};
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Result<std::unique_ptr<Database>> Database::open(const Path& path) {
    sqlite3* connection = nullptr;
    const int code = sqlite3_open_v2(
        path.c_str(), &connection,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
    CHECK(connection != nullptr);
    std::unique_ptr<Database> database(new Database(connection, path));
    if (code != SQLITE_OK) return error_of(connection, code, path);
    (void)sqlite3_busy_timeout(connection, busy_timeout_ms);
    return database;
}

Database::~Database() {
    for (const auto& [sql, statement] : statements_) (void)sqlite3_finalize(statement);
    (void)sqlite3_close_v2(connection_);
}

Result<Query> Database::prepare(std::string_view sql) {
    sqlite3_stmt*& statement = statements_[sql];
    if (statement == nullptr) {
        const int code = sqlite3_prepare_v3(connection_, sql.data(), static_cast<int>(sql.size()),
                                            SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
        if (code != SQLITE_OK) return error_of(connection_, code, path_);
    }
    return Query(connection_, statement, path_);
}

Result<void> Database::script(const std::string& sql) {
    const int code = sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK)
        return error_of(connection_, sqlite3_extended_errcode(connection_), path_);
    return ok();
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(connection_) == 0; }

Result<Transaction> Transaction::begin_write(Database& database) {
    TRY(database.run("BEGIN IMMEDIATE"));
    return Transaction(database);
}

Result<Transaction> Transaction::begin_read(Database& database) {
    TRY(database.run("BEGIN"));
    return Transaction(database);
}

Transaction::~Transaction() {
    if (database_ == nullptr || !database_->in_transaction()) return;
    (void)database_->run("ROLLBACK");  // Ignored: the file is as before in any case.
}

Result<void> Transaction::commit() {
    TRY(database_->run("COMMIT"));
    database_ = nullptr;
    return ok();
}

}  // namespace lifeboat

#pragma once
/// SQLite with errors of ours: one connection, its statements prepared once.
///
/// A Query borrows a cached statement and resets it when it goes. Not thread-safe: who owns a
/// Database guards it.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "platform/base/bytes.h"
#include "platform/base/result.h"
#include "platform/env/files.h"

struct sqlite3;
struct sqlite3_stmt;

namespace lifeboat {

class Query {
public:
    Query(sqlite3* connection, sqlite3_stmt* statement, const Path& path)
        : connection_(connection), statement_(statement), path_(&path) {}
    ~Query();
    Query(Query&& other) noexcept;
    Query& operator=(Query&&) = delete;

    // Parameters, from 1. Text and bytes must outlive the query.
    void bind(int at, std::int64_t value);
    void bind(int at, std::uint64_t value) { bind(at, static_cast<std::int64_t>(value)); }
    void bind(int at, std::string_view value);
    void bind(int at, ByteView value);

    /// True when there is a row. Errors: see error_of.
    Result<bool> next();
    // Columns of the row, from 0. Valid until the next next().
    std::int64_t integer(int column) const;
    std::uint64_t number(int column) const { return static_cast<std::uint64_t>(integer(column)); }
    std::string_view text(int column) const;
    ByteView blob(int column) const;

private:
    sqlite3* connection_;
    sqlite3_stmt* statement_;
    const Path* path_;
};

class Database {
public:
    /// Opens an existing file. Errors: see error_of.
    static Result<std::unique_ptr<Database>> open(const Path& path);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// The statement with its parameters bound. `sql` must be a literal: it is the key of the
    /// cache.
    template <class... T>
    Result<Query> query(std::string_view sql, const T&... values) {
        Query query = TRY(prepare(sql));
        int at = 0;
        (query.bind(++at, values), ...);
        return query;
    }
    /// Runs a statement to its end.
    template <class... T>
    Result<void> run(std::string_view sql, const T&... values) {
        Query statement = TRY(query(sql, values...));
        while (true) {
            const bool row = TRY(statement.next());
            if (!row) return ok();
        }
    }
    /// Runs several statements that are not cached.
    Result<void> script(const std::string& sql);
    bool in_transaction() const;
    const Path& path() const { return path_; }

private:
    Database(sqlite3* connection, Path path) : connection_(connection), path_(std::move(path)) {}
    Result<Query> prepare(std::string_view sql);

    sqlite3* connection_;
    Path path_;
    std::unordered_map<std::string_view, sqlite3_stmt*> statements_;
};

/// Between begin() and commit() nobody else writes; without commit() all is rolled back.
class Transaction {
public:
    /// A transaction that writes: takes the write lock at once, waits for it for a bounded time.
    static Result<Transaction> begin_write(Database& database);
    /// A transaction that reads one moment's state; blocks nobody.
    static Result<Transaction> begin_read(Database& database);
    ~Transaction();
    Transaction(Transaction&& other) noexcept
        : database_(std::exchange(other.database_, nullptr)) {}
    Transaction& operator=(Transaction&&) = delete;

    /// Durable: everything since begin().
    Result<void> commit();

private:
    explicit Transaction(Database& database) : database_(&database) {}
    Database* database_;
};

/// What SQLite's last failure means: exhausted (full), corrupt, denied, unavailable (locked, I/O
/// error: nothing was written), unknown (sync failed: it may be on disk or not). Names the file.
Error error_of(sqlite3* connection, int code, const Path& path);

}  // namespace lifeboat

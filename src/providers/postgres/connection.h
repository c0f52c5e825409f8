#pragma once
/// A connection to a PostgreSQL server, ordinary or for replication, that never blocks beyond its
/// Context.
///
/// Over libpq without its blocking calls: every wait looks at the stop token at least ten times a
/// second. Failures are classified by SQLSTATE and by what had been sent. The password never leaves
/// the connection parameters. Not thread-safe. After an Error of kind unavailable, unknown, timeout
/// or cancelled the connection is not usable any more.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/base/bytes.h"
#include "platform/task/context.h"

struct pg_conn;
struct pg_result;

namespace lifeboat::postgres {

struct ConnectOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 5432;
    std::string database = "postgres";
    std::string user = "postgres";
    std::string password;  ///< resolved; never shown
    std::string application_name = "lifeboat";
    bool replication = false;  ///< a walsender: simple queries and replication commands only
    Duration connect_timeout = std::chrono::seconds(5);
};

struct Rows {
    std::vector<std::string> columns;
    std::vector<std::vector<std::optional<std::string>>> rows;

    bool empty() const { return rows.empty(); }
    /// Of the first row; "" when there is none or it is NULL.
    std::string first(std::size_t column = 0) const;
    /// By name, of a row; "" when NULL.
    std::string text(std::size_t row, std::string_view column) const;
};

/// The error of a server's refusal. Pure.
Error from_sqlstate(std::string_view sqlstate, std::string message);

class Connection {
public:
    /// Errors: unavailable (refused, unreachable, no answer, starting up, no slots), denied
    /// (password, pg_hba.conf), not_found (database), cancelled, timeout.
    static Result<std::unique_ptr<Connection>> open(const Context& context,
                                                    const ConnectOptions& options);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// A question. A connection that breaks is `unavailable`.
    Result<Rows> query(const Context& context, const std::string& sql,
                       const std::vector<std::string>& parameters = {});
    /// A command that changes something. A connection that breaks after it was sent is `unknown`.
    Result<Rows> execute(const Context& context, const std::string& sql,
                         const std::vector<std::string>& parameters = {});

    /// What comes back for a replication command, one at a time.
    struct Reply {
        enum class Kind { rows, copy_in, copy_out, copy_both, complete, end } kind = Kind::end;
        Rows rows;
    };
    Result<void> send(const Context& context, const std::string& command);
    Result<Reply> next(const Context& context);

    struct CopyMessage {
        enum class Kind { data, nothing, end } kind = Kind::nothing;
        Bytes bytes;
    };
    /// The next message of a running copy; `nothing` when none came within `wait`.
    Result<CopyMessage> copy_read(const Context& context, Duration wait);
    Result<void> copy_write(const Context& context, ByteView bytes);
    Result<void> copy_end(const Context& context);

    /// "127.0.0.1:5500".
    const std::string& place() const { return place_; }
    /// Of the last refusal: "55006".
    const std::string& sqlstate() const { return sqlstate_; }
    /// 150018 for 15.18.
    int server_version() const;

private:
    explicit Connection(std::string place) : place_(std::move(place)) {}
    Result<void> establish(const Context& context, const ConnectOptions& options);
    Result<void> flush(const Context& context);
    /// Waits until a result can be taken, and takes it; nullptr at the end of the command.
    Result<pg_result*> take(const Context& context);
    Result<bool> wait(const Context& context, bool for_write, Duration limit);
    /// The answer of what was sent.
    Result<Rows> collect(const Context& context);
    Error lost() const;
    Error refused(const pg_result* result);

    std::string place_;
    std::string sqlstate_;
    pg_conn* connection_ = nullptr;
};

/// Text as a literal of the replication grammar or of SQL: quotes doubled, and nothing else in it.
std::string quote_literal(std::string_view text);
std::string quote_identifier(std::string_view text);

}  // namespace lifeboat::postgres

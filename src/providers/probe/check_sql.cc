#include <fmt/core.h>
#include <libpq-fe.h>
#include <poll.h>

#include <memory>

#include "platform/base/text.h"
#include "providers/probe/check_kinds.h"

namespace lifeboat::probe {
namespace {

struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, Finish>;
using Rows = std::unique_ptr<PGresult, Clear>;

constexpr std::string_view query_canceled = "57014";  // here: by statement_timeout
constexpr std::string_view insufficient_privilege = "42501";
constexpr std::string_view invalid_authorization = "28";  // the class: user, password, pg_hba.conf
constexpr std::chrono::milliseconds glance{50};           ///< how often a stop is looked for

/// libpq's messages end in a newline and may have several lines; the first says it.
std::string message_of(const PGconn* connection) {
    const std::string_view text = trim(PQerrorMessage(connection));
    return std::string(trim(text.substr(0, text.find('\n'))));
}

/// What the server said when it let us not in. Requires: verbose errors, which carry the SQLSTATE:
/// libpq hands it out in no other way here ("FATAL:  28P01: password authentication failed …").
Error refusal(const PGconn* connection) {
    std::string text = message_of(connection);
    constexpr std::string_view before = "FATAL:  ";
    constexpr std::size_t code = 5;
    const auto at = text.find(before);
    if (PQconnectionNeedsPassword(connection) != 0) return denied(std::move(text));
    if (at == std::string::npos || text.substr(at + before.size() + code, 2) != ": ")
        return unavailable(std::move(text));
    const std::string state = text.substr(at + before.size(), code);
    text.erase(at + before.size(), code + 2);
    return state.starts_with(invalid_authorization) ? denied(std::move(text))
                                                    : unavailable(std::move(text));
}

/// Waits until the socket is ready for `events`. libpq has no waiting with a deadline of its own.
Result<void> wait_for(const Context& context, const PGconn* connection, short events) {
    while (true) {
        TRY(context.check("waiting for the database"));
        pollfd descriptor{.fd = PQsocket(connection), .events = events, .revents = 0};
        const auto wait =
            std::chrono::ceil<std::chrono::milliseconds>(context.remaining_or(Duration(glance)));
        const int ready = ::poll(&descriptor, 1, static_cast<int>(wait.count()));
        if (ready > 0) return ok();
        if (ready < 0 && errno != EINTR) return from_errno("wait for the database", errno);
    }
}

Result<Connection> connect(const Context& context, const Place& place) {
    const std::string port = std::to_string(place.port);
    const auto limit = std::chrono::ceil<std::chrono::milliseconds>(
        context.remaining().value_or(std::chrono::seconds(10)));
    const std::string options = fmt::format("-c statement_timeout={}", limit.count());
    const char* keys[] = {"host",    "port",    "dbname",           "user",       "password",
                          "options", "sslmode", "application_name", "gssencmode", nullptr};
    const std::string database = place.database.empty() ? "postgres" : place.database;
    const std::string user = place.user.empty() ? "postgres" : place.user;
    // The password goes from memory to memory: never into a file, an argument or the environment.
    const char* values[] = {
        place.host.c_str(), port.c_str(), database.c_str(), user.c_str(), place.password.c_str(),
        options.c_str(),    "prefer",     "lifeboat",       "disable",    nullptr};
    Connection connection(PQconnectStartParams(keys, values, 0));
    if (!connection) return exhausted("no memory for a database connection");
    PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
    if (PQstatus(connection.get()) == CONNECTION_BAD) return refusal(connection.get());
    auto state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED) return refusal(connection.get());
        TRY(wait_for(context, connection.get(), state == PGRES_POLLING_READING ? POLLIN : POLLOUT));
        state = PQconnectPoll(connection.get());
    }
    PQsetErrorVerbosity(connection.get(), PQERRORS_DEFAULT);
    return connection;
}

Result<Rows> query(const Context& context, PGconn* connection, const std::string& sql) {
    if (PQsendQuery(connection, sql.c_str()) == 0) return unavailable(message_of(connection));
    Rows rows;
    while (true) {
        while (PQisBusy(connection) != 0) {
            TRY(wait_for(context, connection, POLLIN));
            if (PQconsumeInput(connection) == 0) return unavailable(message_of(connection));
        }
        Rows next(PQgetResult(connection));
        if (!next) break;
        const auto status = PQresultStatus(next.get());
        if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
            const char* field = PQresultErrorField(next.get(), PG_DIAG_SQLSTATE);
            const std::string_view code = field == nullptr ? "" : field;
            if (code == query_canceled) return timeout(message_of(connection));
            if (code == insufficient_privilege) return denied(message_of(connection));
            return unavailable(message_of(connection));
        }
        rows = std::move(next);  // of several statements the last one counts
    }
    if (!rows) return unavailable("the database gave no answer");
    return rows;
}

}  // namespace

Result<Seen> look_sql(const Context& context, const plan::Check& check, const Place& place) {
    const std::string sql = argument(check);
    if (sql.empty()) return invalid("sql: no query", "Write `{sql: \"SELECT 1\"}`.");
    if (place.port == 0) return invalid("sql: no port is known here", "Add `port:` to the check.");
    const Connection connection = TRY(connect(context, place));
    // What looks must not change: the server itself refuses writes.
    TRY(query(context, connection.get(), "SET default_transaction_read_only = on"));
    const Rows rows = TRY(query(context, connection.get(), sql));
    Seen seen;
    if (PQntuples(rows.get()) == 0 || PQnfields(rows.get()) == 0) {
        seen.detail = "no rows";
        return seen;
    }
    if (PQgetisnull(rows.get(), 0, 0) == 0) seen.value = PQgetvalue(rows.get(), 0, 0);
    seen.raw = PQgetisnull(rows.get(), 0, 0) != 0 ? Json() : Json(seen.value);
    if (seen.value.empty()) seen.detail = "an empty value";
    return seen;
}

}  // namespace lifeboat::probe

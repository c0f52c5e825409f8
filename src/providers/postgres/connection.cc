#include "providers/postgres/connection.h"

#include <fmt/core.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "platform/base/text.h"
#include "platform/env/network.h"

namespace lifeboat::postgres {
namespace {

using namespace std::chrono_literals;
constexpr Duration look_every = 100ms;

struct ResultDeleter {
    void operator()(pg_result* result) const { PQclear(result); }
};
using ResultHolder = std::unique_ptr<pg_result, ResultDeleter>;

bool is_sqlstate(std::string_view text) {
    return text.size() == 5 && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
           });
}

/// libpq's text of a failed connection, in pieces: the state (when a server answered) and the
/// reason.
struct Failure {
    std::string sqlstate, reason;
};
Failure take_apart(std::string_view text) {
    Failure failure;
    if (const auto failed = text.find(" failed: "); failed != text.npos)
        text.remove_prefix(failed + 9);
    text = text.substr(0, text.find('\n'));
    // "FATAL:  28P01: password authentication failed …"
    for (auto at = text.find(":  "); at != text.npos; at = text.find(":  ", at + 1)) {
        const std::string_view rest = text.substr(at + 3);
        if (rest.size() > 7 && is_sqlstate(rest.substr(0, 5)) && rest[5] == ':') {
            failure.sqlstate = rest.substr(0, 5);
            text = rest.substr(7);
            break;
        }
    }
    failure.reason = trim(text);
    return failure;
}

Rows rows_of(const pg_result* result) {
    Rows rows;
    for (int column = 0; column < PQnfields(result); ++column)
        rows.columns.emplace_back(PQfname(result, column));
    for (int row = 0; row < PQntuples(result); ++row) {
        auto& values = rows.rows.emplace_back();
        for (int column = 0; column < PQnfields(result); ++column) {
            if (PQgetisnull(result, row, column) != 0) {
                values.emplace_back();
            } else {
                values.emplace_back(
                    std::string(PQgetvalue(result, row, column),
                                static_cast<std::size_t>(PQgetlength(result, row, column))));
            }
        }
    }
    return rows;
}

}  // namespace

std::string Rows::first(std::size_t column) const {
    if (rows.empty() || column >= rows.front().size()) return {};
    return rows.front()[column].value_or("");
}

std::string Rows::text(std::size_t row, std::string_view column) const {
    const auto found = std::find(columns.begin(), columns.end(), column);
    if (found == columns.end() || row >= rows.size()) return {};
    return rows[row][static_cast<std::size_t>(found - columns.begin())].value_or("");
}

Error from_sqlstate(std::string_view state, std::string message) {
    struct Row {
        std::string_view prefix;
        ErrorKind kind;
    };
    // The first prefix that fits decides.
    static constexpr std::array<Row, 25> table{{
        {"08", ErrorKind::unavailable},  // connection exceptions
        {"0A", ErrorKind::unsupported},
        {"28", ErrorKind::denied},        // authentication
        {"25006", ErrorKind::conflict},   // read-only transaction
        {"3D000", ErrorKind::not_found},  // database
        {"40", ErrorKind::unavailable},   // serialization, deadlock: rolled back
        {"42501", ErrorKind::denied},
        {"42704", ErrorKind::not_found},    // object, slot
        {"42P01", ErrorKind::not_found},    // table
        {"42710", ErrorKind::conflict},     // duplicate object
        {"42883", ErrorKind::unsupported},  // function
        {"42", ErrorKind::invalid},
        {"53300", ErrorKind::unavailable},  // too many connections
        {"53400", ErrorKind::exhausted},    // configuration limit: no free slots
        {"53", ErrorKind::exhausted},
        {"55P03", ErrorKind::unavailable},  // lock not available
        {"55", ErrorKind::conflict},        // object in use, not in the prerequisite state
        {"57014", ErrorKind::timeout},      // query cancelled (statement_timeout)
        {"57", ErrorKind::unavailable},     // shutting down, starting up
        {"58P01", ErrorKind::not_found},    // a file: WAL that was removed
        {"58", ErrorKind::unavailable},     // I/O
        {"XX001", ErrorKind::corrupt},
        {"XX002", ErrorKind::corrupt},
        {"22", ErrorKind::invalid},
        {"23", ErrorKind::invalid},
    }};
    const auto row = std::find_if(table.begin(), table.end(),
                                  [&](const Row& r) { return state.starts_with(r.prefix); });
    return {row == table.end() ? ErrorKind::invalid : row->kind, std::move(message), {}};
}

Connection::~Connection() {
    if (connection_ != nullptr) PQfinish(connection_);
}

Result<std::unique_ptr<Connection>> Connection::open(const Context& context,
                                                     const ConnectOptions& options) {
    std::unique_ptr<Connection> connection(
        new Connection(to_string(Endpoint{options.host, options.port})));
    TRY(connection->establish(context, options));
    return connection;
}

Result<void> Connection::establish(const Context& context, const ConnectOptions& options) {
    const std::string port = fmt::format("{}", options.port);
    const std::vector<std::pair<const char*, const char*>> pairs{
        {"host", options.host.c_str()},
        {"port", port.c_str()},
        {"dbname", options.replication ? "replication" : options.database.c_str()},
        {"user", options.user.c_str()},
        {"password", options.password.c_str()},
        {"passfile",
         "/dev/null/none"},  // only what the plan refers to; one that is there is told of
        {"application_name", options.application_name.c_str()},
        {"replication", options.replication ? "true" : nullptr},
        {"client_encoding", "UTF8"},
        {"gssencmode", "disable"},
        {"keepalives_idle", "10"},
        {"keepalives_interval", "5"},
        {"keepalives_count", "3"},
        {"tcp_user_timeout", "20000"},
    };
    std::vector<const char*> keys, values;
    for (const auto& [key, value] : pairs) {
        if (value == nullptr || *value == '\0') continue;
        keys.push_back(key);
        values.push_back(value);
    }
    keys.push_back(nullptr);
    values.push_back(nullptr);
    connection_ = PQconnectStartParams(keys.data(), values.data(), 0);
    CHECK(connection_ != nullptr);
    // With the verbose form the state can be told from the text, which is all that libpq hands out
    // here.
    PQsetErrorVerbosity(connection_, PQERRORS_VERBOSE);
    const Context bounded = context.within(options.connect_timeout);
    auto polling =
        PQstatus(connection_) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    while (polling != PGRES_POLLING_OK && polling != PGRES_POLLING_FAILED) {
        const auto ready = wait(bounded, polling == PGRES_POLLING_WRITING, options.connect_timeout);
        if (!ready.has_value()) {
            TRY(context.check(fmt::format("connecting to {}", place_)));
            return unavailable(fmt::format("{}: no answer within {}", place_,
                                           human_duration(options.connect_timeout)));
        }
        if (*ready) polling = PQconnectPoll(connection_);
    }
    if (polling == PGRES_POLLING_FAILED) {
        const Failure failure = take_apart(PQerrorMessage(connection_));
        sqlstate_ = failure.sqlstate;
        const std::string message = fmt::format("{}: {}", place_, failure.reason);
        if (failure.sqlstate.empty()) return unavailable(message);
        return from_sqlstate(failure.sqlstate, message);
    }
    PQsetErrorVerbosity(connection_, PQERRORS_DEFAULT);
    PQsetnonblocking(connection_, 1);
    PQsetNoticeProcessor(connection_, [](void*, const char*) {}, nullptr);
    return ok();
}

Result<bool> Connection::wait(const Context& context, bool for_write, Duration limit) {
    const Monotonic until = context.clock().monotonic() + limit;
    while (true) {
        TRY(context.check(fmt::format("waiting for {}", place_)));
        const Duration left =
            std::max<Duration>(until - context.clock().monotonic(), Duration::zero());
        const Duration slice = context.remaining_or(std::min<Duration>(left, look_every));
        pollfd descriptor{PQsocket(connection_),
                          static_cast<short>(for_write ? POLLIN | POLLOUT : POLLIN), 0};
        const auto milliseconds =
            std::chrono::duration_cast<std::chrono::milliseconds>(slice + 999us).count();
        const int count = ::poll(&descriptor, 1, static_cast<int>(milliseconds));
        if (count > 0) return true;
        if (count < 0 && errno != EINTR)
            return from_errno(fmt::format("wait for {}", place_), errno);
        if (left <= Duration::zero()) return false;
    }
}

Error Connection::lost() const {
    const Failure failure = take_apart(PQerrorMessage(connection_));
    return unavailable(fmt::format(
        "{}: {}", place_, failure.reason.empty() ? "the connection broke" : failure.reason));
}

Error Connection::refused(const pg_result* result) {
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char* detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    sqlstate_ = state != nullptr ? state : "";
    if (state == nullptr || primary == nullptr) return lost();
    std::string message = fmt::format("{}: {}", place_, primary);
    if (detail != nullptr) message += fmt::format(" ({})", detail);
    return from_sqlstate(sqlstate_, std::move(message));
}

Result<void> Connection::flush(const Context& context) {
    while (true) {
        const int left = PQflush(connection_);
        if (left == 0) return ok();
        if (left < 0) return lost();
        const bool ready = TRY(wait(context, true, look_every));
        if (ready && PQconsumeInput(connection_) == 0) return lost();
    }
}

Result<pg_result*> Connection::take(const Context& context) {
    TRY(flush(context));
    while (PQisBusy(connection_) != 0) {
        const bool ready = TRY(wait(context, false, look_every));
        if (ready && PQconsumeInput(connection_) == 0) return lost();
    }
    return PQgetResult(connection_);
}

Result<Rows> Connection::collect(const Context& context) {
    Rows rows;
    std::optional<Error> error;
    while (true) {
        const ResultHolder result(TRY(take(context)));
        if (result == nullptr) break;
        switch (PQresultStatus(result.get())) {
            case PGRES_TUPLES_OK:
                rows = rows_of(result.get());
                break;
            case PGRES_COMMAND_OK:
            case PGRES_EMPTY_QUERY:
                break;
            case PGRES_FATAL_ERROR:
                if (!error) error = refused(result.get());
                break;
            default:
                return invalid(fmt::format("{}: the command is no question", place_));
        }
        if (PQstatus(connection_) == CONNECTION_BAD) return error ? *error : lost();
    }
    if (error) return *error;
    return rows;
}

Result<Rows> Connection::query(const Context& context, const std::string& sql,
                               const std::vector<std::string>& parameters) {
    sqlstate_.clear();
    if (parameters.empty()) {
        if (PQsendQuery(connection_, sql.c_str()) == 0) return lost();
    } else {
        std::vector<const char*> values;
        for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
        if (PQsendQueryParams(connection_, sql.c_str(), static_cast<int>(values.size()), nullptr,
                              values.data(), nullptr, nullptr, 0) == 0)
            return lost();
    }
    return collect(context);
}

Result<Rows> Connection::execute(const Context& context, const std::string& sql,
                                 const std::vector<std::string>& parameters) {
    auto done = query(context, sql, parameters);
    if (done.has_value() || is_sqlstate(sqlstate_)) return done;
    Error error = std::move(done).error();
    if (error.kind == ErrorKind::unavailable || error.kind == ErrorKind::timeout)
        error.kind = ErrorKind::unknown;
    return error;
}

Result<void> Connection::send(const Context& context, const std::string& command) {
    sqlstate_.clear();
    if (PQsendQuery(connection_, command.c_str()) == 0) return lost();
    return flush(context);
}

Result<Connection::Reply> Connection::next(const Context& context) {
    const ResultHolder result(TRY(take(context)));
    if (result == nullptr) return Reply{};
    switch (PQresultStatus(result.get())) {
        case PGRES_TUPLES_OK:
            return Reply{Reply::Kind::rows, rows_of(result.get())};
        case PGRES_COPY_IN:
            return Reply{Reply::Kind::copy_in, {}};
        case PGRES_COPY_OUT:
            return Reply{Reply::Kind::copy_out, {}};
        case PGRES_COPY_BOTH:
            return Reply{Reply::Kind::copy_both, {}};
        case PGRES_COMMAND_OK:
            return Reply{Reply::Kind::complete, {}};
        default:
            return refused(result.get());
    }
}

Result<Connection::CopyMessage> Connection::copy_read(const Context& context, Duration limit) {
    const Monotonic until = context.clock().monotonic() + limit;
    while (true) {
        char* buffer = nullptr;
        const int size = PQgetCopyData(connection_, &buffer, 1);
        if (size > 0) {
            CopyMessage message{CopyMessage::Kind::data, {}};
            append(message.bytes, as_bytes({buffer, static_cast<std::size_t>(size)}));
            PQfreemem(buffer);
            return message;
        }
        if (size == -1) return CopyMessage{CopyMessage::Kind::end, {}};
        if (size == -2) return lost();
        const Duration left = until - context.clock().monotonic();
        if (left <= Duration::zero()) return CopyMessage{};
        const bool ready = TRY(wait(context, false, left));
        if (ready && PQconsumeInput(connection_) == 0) return lost();
    }
}

Result<void> Connection::copy_write(const Context& context, ByteView bytes) {
    while (true) {
        const int queued = PQputCopyData(connection_, reinterpret_cast<const char*>(bytes.data()),
                                         static_cast<int>(bytes.size()));
        if (queued < 0) return lost();
        if (queued > 0) return flush(context);
        TRY(wait(context, true, look_every));
    }
}

Result<void> Connection::copy_end(const Context& context) {
    while (true) {
        const int queued = PQputCopyEnd(connection_, nullptr);
        if (queued < 0) return lost();
        if (queued > 0) return flush(context);
        TRY(wait(context, true, look_every));
    }
}

int Connection::server_version() const { return PQserverVersion(connection_); }

std::string quote_literal(std::string_view text) {
    std::string quoted = "'";
    for (const char c : text) {
        if (c == '\'') quoted += '\'';
        if (c != '\0') quoted += c;
    }
    return quoted + "'";
}

std::string quote_identifier(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"') quoted += '"';
        if (c != '\0') quoted += c;
    }
    return quoted + "\"";
}

}  // namespace lifeboat::postgres

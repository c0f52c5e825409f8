#include "providers/postgres/copy.h"

#include <fmt/core.h>

#include <algorithm>

namespace lifeboat::postgres {
namespace {

using namespace std::chrono_literals;
constexpr Duration connect_time = 10s;
constexpr std::uint64_t log_bytes = 64U << 10U;
constexpr std::string_view killed = "was terminated by signal 9";

Result<std::unique_ptr<Connection>> open(const Context& context, const Server& server,
                                         const std::string& database) {
    ConnectOptions options = server.connect_options(false);
    if (!database.empty()) options.database = database;
    return Connection::open(context.within(connect_time), options);
}

}  // namespace

Result<std::unique_ptr<Connection>> Copy::connect(const Context& context,
                                                  const std::string& database) const {
    return open(context, server, database);
}

Result<std::unique_ptr<Connection>> Copy::connect_inside(const Context& context,
                                                         const std::string& database) const {
    return open(context, inside, database);
}

Server inside_of(const Context& context, const Server& server, const Path& directory) {
    const auto ordinary = open(context, server, "");
    if (!ordinary.has_value()) return server;
    // initdb gives the first role this number for ever; its name may have been changed.
    const auto owner = (*ordinary)->query(
        context, "SELECT rolname FROM pg_roles WHERE oid = 10 AND rolcanlogin AND rolsuper");
    if (!owner.has_value() || owner->empty()) return server;
    Server inside = server;
    inside.host = (directory / "run").string();
    inside.user = owner->first();
    inside.password.clear();
    return open(context, inside, "").has_value() ? inside : server;
}

Result<std::unique_ptr<Connection>> Copy::ask_source(const Context& context,
                                                     const std::string& database) const {
    ConnectOptions options = source.connect_options(false);
    if (!database.empty()) options.database = database;
    const Context bounded = context.within(connect_time);
    auto connection = TRY(Connection::open(bounded, options));
    // The server itself holds us to it.
    for (const char* setting :
         {"SET default_transaction_read_only = on", "SET statement_timeout = '10s'",
          "SET lock_timeout = '1s'", "SET idle_in_transaction_session_timeout = '10s'",
          "SET max_parallel_workers_per_gather = 0"})
        TRY(connection->execute(bounded, setting));
    return connection;
}

Result<std::vector<std::string>> databases_of(const Context& context, Connection& connection) {
    const Rows rows = TRY(connection.query(
        context,
        "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1"));
    std::vector<std::string> names;
    for (std::size_t row = 0; row < rows.rows.size(); ++row)
        names.push_back(rows.text(row, "datname"));
    return names;
}

bool Copy::was_killed() const {
    auto file = environment().files.open(directory / "server.log", OpenMode::read);
    if (!file.has_value()) return false;
    const std::uint64_t size = (*file)->size().value_or(0);
    Bytes tail(static_cast<std::size_t>(std::min(size, log_bytes)));
    const auto read = (*file)->read_at(size - tail.size(), tail);
    return read.has_value() &&
           as_text(ByteView(tail).first(*read)).find(killed) != std::string_view::npos;
}

bool is_of_the_data(const Error& error, const Copy& copy) {
    switch (error.kind) {
        case ErrorKind::denied:
        case ErrorKind::unsupported:
        case ErrorKind::exhausted:
        case ErrorKind::timeout:
        case ErrorKind::cancelled:
            return false;
        case ErrorKind::unavailable:
        case ErrorKind::unknown:
            return !copy.was_killed();
        default:
            return true;
    }
}

std::string plain_words(const Error& error, const Server& server) {
    const std::string place = server.endpoint() + ": ";
    return error.message.starts_with(place) ? error.message.substr(place.size()) : error.message;
}

std::string shown_name(std::string_view schema, std::string_view name) {
    return fmt::format("{}.{}", schema, name);
}

}  // namespace lifeboat::postgres

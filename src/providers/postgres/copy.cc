#include "providers/postgres/copy.h"

#include <fmt/core.h>

namespace lifeboat::postgres {
namespace {

using namespace std::chrono_literals;
constexpr Duration connect_time = 10s;

}  // namespace

Result<std::unique_ptr<Connection>> Copy::connect(const Context& context,
                                                  const std::string& database) const {
    ConnectOptions options = server.connect_options(false);
    if (!database.empty()) options.database = database;
    return Connection::open(context.within(connect_time), options);
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
          "SET lock_timeout = '1s'", "SET idle_in_transaction_session_timeout = '10s'"})
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

std::string shown_name(std::string_view schema, std::string_view name) {
    return fmt::format("{}.{}", schema, name);
}

}  // namespace lifeboat::postgres

#include "providers/postgres/activity.h"

#include <algorithm>

#include "platform/base/text.h"
#include "providers/postgres/copy.h"

namespace lifeboat::postgres {
namespace {

constexpr std::size_t databases_max = 20;

std::uint64_t number(const Rows& rows, std::size_t row, std::string_view column) {
    return static_cast<std::uint64_t>(parse_integer(rows.text(row, column)).value_or(0));
}

}  // namespace

Result<DatabaseActivity> database_activity(const Context& context, Connection& connection) {
    DatabaseActivity activity;
    // After a crash all counters begin anew, and the fixed ones tell when.
    const Rows since = TRY(connection.query(
        context,
        "SELECT coalesce((SELECT stats_reset::text FROM pg_stat_database WHERE datname = "
        "current_database()), '-') || ' ' || (SELECT stats_reset::text FROM pg_stat_bgwriter)"));
    activity.since = since.first();
    const Rows rows = TRY(connection.query(
        context,
        "SELECT schemaname, relname, n_tup_ins, n_tup_upd, n_tup_del, "
        "coalesce(pg_relation_filenode(relid), 0) AS file FROM pg_stat_user_tables "
        "WHERE schemaname <> 'lifeboat' ORDER BY n_live_tup DESC, relid LIMIT 200"));
    for (std::size_t row = 0; row < rows.rows.size(); ++row)
        activity.tables[shown_name(rows.text(row, "schemaname"), rows.text(row, "relname"))] = {
            number(rows, row, "n_tup_ins"), number(rows, row, "n_tup_upd"),
            number(rows, row, "n_tup_del"), number(rows, row, "file")};
    return activity;
}

Result<Activity> cluster_activity(const Context& context, const Server& server) {
    Activity activity;
    auto first = TRY(Connection::open(context, server.connect_options(false)));
    const std::vector<std::string> databases = TRY(databases_of(context, *first));
    for (const std::string& database : databases) {
        if (activity.size() == databases_max) break;
        ConnectOptions options = server.connect_options(false);
        options.database = database;
        auto connection = Connection::open(context, options);
        if (!connection.has_value()) continue;  // it may not be entered
        auto found = database_activity(context, **connection);
        if (found.has_value()) activity[database] = *std::move(found);
    }
    return activity;
}

Json to_json(const Activity& activity) {
    Json json = Json::object();
    for (const auto& [database, counted] : activity) {
        Json tables = Json::object();
        for (const auto& [name, table] : counted.tables)
            tables[name] = Json::array({table.inserted, table.updated, table.deleted, table.file});
        json[database] = Json{{"since", counted.since}, {"tables", std::move(tables)}};
    }
    return json;
}

Activity activity_from_json(const Json& value) {
    Activity activity;
    if (!value.is_object()) return activity;
    for (const auto& [database, counted] : value.items()) {
        DatabaseActivity& one = activity[database];
        one.since = string_or(counted, "since", "");
        const Json tables = counted.value("tables", Json::object());
        for (const auto& [name, numbers] : tables.items()) {
            const bool whole = numbers.is_array() && numbers.size() == 4 &&
                               std::ranges::all_of(numbers, [](const Json& one_number) {
                                   return one_number.is_number_unsigned();
                               });
            if (!whole) continue;
            one.tables[name] = {numbers[0].get<std::uint64_t>(), numbers[1].get<std::uint64_t>(),
                                numbers[2].get<std::uint64_t>(), numbers[3].get<std::uint64_t>()};
        }
    }
    return activity;
}

}  // namespace lifeboat::postgres

#pragma once
/// How much has been written to each table, by the server's own counters: what bounds the rows that
/// a copy may differ in. Read-only, bounded questions; a table that cannot be seen is left out.

#include <map>
#include <string>

#include "providers/postgres/server.h"

namespace lifeboat::postgres {

struct TableActivity {
    std::uint64_t inserted = 0, updated = 0, deleted = 0;
    std::uint64_t file = 0;  ///< its relfilenode: another one when it was rewritten or emptied
    auto operator<=>(const TableActivity&) const = default;
};

struct DatabaseActivity {
    /// When counting began; another text when counters were reset, or lost in a crash.
    std::string since;
    std::map<std::string, TableActivity> tables;  ///< "public.orders"; the largest ones
};

using Activity = std::map<std::string, DatabaseActivity>;  ///< by database

/// Of one database. Errors: those of the connection.
Result<DatabaseActivity> database_activity(const Context& context, Connection& connection);
/// Of the whole cluster, as far as it may be seen. Errors: those of the first connection.
Result<Activity> cluster_activity(const Context& context, const Server& server);

Json to_json(const Activity& activity);
Activity activity_from_json(const Json& value);

}  // namespace lifeboat::postgres

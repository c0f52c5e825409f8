#include "providers/postgres/canary.h"

#include <fmt/core.h>

#include <algorithm>

#include "platform/base/text.h"

namespace lifeboat::postgres {
namespace {

constexpr std::int64_t kept = 1000;
constexpr Duration released_every = std::chrono::minutes(1);
constexpr std::size_t told_max = 5;

/// Its columns as text, the same on every server.
constexpr const char* columns =
    "sequence, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS at, begun";

Canary row_of(const Rows& rows, std::size_t row) {
    return {parse_integer(rows.text(row, "sequence")).value_or(0), rows.text(row, "at"),
            parse_lsn(rows.text(row, "begun")).value_or(0)};
}

Result<void> make_table(const Context& context, Connection& connection) {
    const Rows there = TRY(connection.query(context, "SELECT to_regclass('lifeboat.canary')"));
    if (!there.first().empty()) return ok();
    TRY(connection.execute(context, "CREATE SCHEMA IF NOT EXISTS lifeboat"));
    TRY(connection.execute(
        context,
        "CREATE TABLE IF NOT EXISTS lifeboat.canary (sequence bigint GENERATED ALWAYS AS IDENTITY "
        "PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(), begun pg_lsn NOT NULL "
        "DEFAULT pg_current_wal_insert_lsn())"));
    return ok();
}

}  // namespace

Result<WrittenCanary> write_canary(const Context& context, const Server& server) {
    auto connection = TRY(Connection::open(context, server.connect_options(false)));
    TRY(connection->execute(context, "SET statement_timeout = '5s'"));
    TRY(connection->execute(context, "SET lock_timeout = '1s'"));
    TRY(connection->execute(context, "SET synchronous_commit = local"));
    TRY(make_table(context, *connection));
    // One writer at a time: a row's commit lies before the next one begins, and only so can a copy
    // be held to exactly the rows that it must have.
    TRY(connection->execute(context, "BEGIN"));
    TRY(connection->query(
        context, "SELECT pg_advisory_xact_lock('lifeboat.canary'::regclass::oid::bigint)"));
    const Rows made = TRY(connection->execute(
        context, fmt::format("INSERT INTO lifeboat.canary DEFAULT VALUES RETURNING {}", columns)));
    TRY(connection->execute(context, "COMMIT"));
    WrittenCanary written;
    written.row = row_of(made, 0);
    written.at = context.clock().monotonic();
    const Rows flushed = TRY(connection->query(context, "SELECT pg_current_wal_insert_lsn()"));
    written.durable = TRY(parse_lsn(flushed.first()));
    TRY(connection->execute(context, fmt::format("DELETE FROM lifeboat.canary WHERE sequence <= {}",
                                                 written.row.sequence - kept)));
    return written;
}

Result<void> release_canaries(const Context& context, const Server& server,
                              const std::function<void(const std::string&)>& trouble) {
    std::string told;
    while (!context.stopped()) {
        const auto written = write_canary(context.within(canary_write_time), server);
        const std::string why = written.has_value() ? "" : written.error().message;
        if (!why.empty() && why != told && !context.stopped()) trouble(why);
        told = why;
        if (!context.sleep(released_every).has_value()) break;
    }
    return ok();
}

Result<std::vector<Canary>> read_canaries(const Context& context, Connection& connection) {
    const Rows rows = TRY(connection.query(
        context, fmt::format("SELECT {} FROM lifeboat.canary ORDER BY sequence", columns)));
    std::vector<Canary> found;
    for (std::size_t row = 0; row < rows.rows.size(); ++row) found.push_back(row_of(rows, row));
    return found;
}

std::vector<std::string> canary_differences(const std::vector<Canary>& source,
                                            const std::vector<Canary>& copy, Lsn end,
                                            const std::optional<WrittenCanary>& written) {
    std::vector<std::string> told;
    const auto tell = [&](std::string text) {
        if (told.size() < told_max) told.push_back(std::move(text));
    };
    const auto in_copy = [&](const Canary& row) {
        return std::ranges::find(copy, row.sequence, &Canary::sequence);
    };
    for (std::size_t i = 0; i < source.size(); ++i) {
        const Canary& row = source[i];
        // Its commit lies before the next one began, or before what was seen after the last one.
        std::optional<Lsn> committed;
        if (i + 1 < source.size()) committed = source[i + 1].begun;
        if (written && written->row.sequence == row.sequence) committed = written->durable;
        const auto found = in_copy(row);
        if (found == copy.end()) {
            if (committed && *committed <= end)
                tell(fmt::format("canary {} of {} was committed before {} and is missing",
                                 row.sequence, row.at, format_lsn(end)));
            continue;
        }
        if (*found != row)
            tell(fmt::format("canary {} says {} instead of {}", row.sequence, found->at, row.at));
        if (row.begun > end)
            tell(fmt::format("canary {} of {} was begun behind {} and is there", row.sequence,
                             row.at, format_lsn(end)));
    }
    // What the source has removed since is older than all that it has.
    for (const Canary& row : copy)
        if (!source.empty() && row.sequence >= source.front().sequence &&
            std::ranges::find(source, row.sequence, &Canary::sequence) == source.end())
            tell(fmt::format("canary {} of {} is not known to the source", row.sequence, row.at));
    return told;
}

}  // namespace lifeboat::postgres

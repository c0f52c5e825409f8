// What `vault prune` may take away of a PostgreSQL component, and what it must leave.

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "test/support/postgres_world.h"

namespace lifeboat {
namespace {

using test::ask;
using test::PostgresServer;
using test::PostgresWorld;
using test::Protection;

std::uint64_t log_begin(PostgresWorld& world) {
    const auto logs = world.services().vault->logs("database");
    EXPECT_TRUE(logs.has_value() && logs->size() == 1);
    return logs->front().begin;
}

/// A stretch of WAL in a log file of its own: each opening begins a new one.
void write_wal(PostgresWorld& world, int rows) {
    Protection protection(world);
    world.server().sql(fmt::format(
        "INSERT INTO ledger (note) SELECT repeat('x', 200) FROM generate_series(1, {})", rows));
    world.server().sql("SELECT pg_switch_wal()");
    world.wait_until_durable();
}

TEST(PostgresPrune, wal_before_the_oldest_kept_point_goes_and_that_point_still_restores) {
    PostgresServer::Options options;
    options.wal_segment_mib = 1;
    PostgresWorld world(options);
    world.server().sql("CREATE TABLE ledger (id bigserial PRIMARY KEY, note text)");
    world.run("backup");
    for (int i = 0; i < 3; ++i) write_wal(world, 10'000);
    const Json kept = world.run("backup");
    write_wal(world, 1'000);
    const std::uint64_t before = log_begin(world);

    vault::PruneRule rule;
    rule.keep["database"] = Duration::zero();
    auto& vault = *world.services().vault;
    const auto dry = vault.prune(world.context(), rule, Duration::zero(), true);
    ASSERT_TRUE(dry.has_value()) << dry.error().message;
    EXPECT_EQ(log_begin(world), before) << "a dry run removes nothing";
    const auto report = vault.prune(world.context(), rule, Duration::zero(), false);
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(report->removed.size(), 1U);
    EXPECT_GT(report->bytes_freed, 0U);
    EXPECT_GT(log_begin(world), before);
    const auto start = postgres::parse_lsn(string_or(kept, "start_lsn", ""));
    EXPECT_LE(log_begin(world), *start);

    const auto found = vault.verify(world.context(), true, {});
    ASSERT_TRUE(found.has_value());
    EXPECT_TRUE(found->findings.empty());
    const Json restored = world.run("restore");
    EXPECT_EQ(string_or(restored, "point", ""), string_or(kept, "point", "x"));
    EXPECT_EQ(ask(world.candidate_port(), "SELECT count(*) FROM ledger"), "31000");
}

}  // namespace
}  // namespace lifeboat

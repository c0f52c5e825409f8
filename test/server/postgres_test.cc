// Kind `postgres` against real servers: protect, lose, restore, promote, protect again.

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <set>

#include "platform/base/text.h"
#include "test/support/postgres_world.h"

namespace lifeboat {
namespace {

using namespace std::chrono_literals;
using test::ask;
using test::PostgresServer;
using test::PostgresWorld;
using test::Protection;
using test::Writer;

/// The rows that are there.
std::set<std::int64_t> ids(std::uint16_t port) {
    const std::string list = ask(port, "SELECT string_agg(id::text, ',') FROM ledger");
    std::set<std::int64_t> all;
    for (const std::string_view id : split(list, ','))
        if (const auto number = parse_integer(id)) all.insert(*number);
    return all;
}

TEST(Postgres, every_row_that_was_durable_in_the_vault_survives_the_loss_of_server_and_data) {
    PostgresWorld world;
    Protection protection(world);
    Writer writer(world.server());
    writer.wait_for(50);
    world.run("backup");
    writer.wait_for(300);
    protection.wait_for([&](const auto& report) { return report.safe_until != Instant{}; });
    world.server().kill_9();
    const auto rows = writer.finish();
    const auto ended = protection.stop();
    EXPECT_TRUE(world.environment().files.remove_tree(world.server().data()).has_value());
    const postgres::Lsn boundary = world.durable();

    const Json restored = world.run("restore");
    EXPECT_EQ(string_or(restored, "target_lsn", ""), postgres::format_lsn(boundary));
    const std::uint16_t port = world.candidate_port();
    const std::set<std::int64_t> present = ids(port);
    std::size_t durable = 0, safe = 0;
    for (const auto& row : rows) {
        if (row.lsn > boundary && row.at >= protection.last().safe_until) continue;
        durable += row.lsn <= boundary ? 1 : 0;
        safe += row.at < protection.last().safe_until ? 1 : 0;
        EXPECT_TRUE(present.contains(row.id)) << row.id;
    }
    EXPECT_GT(durable, 200U);
    EXPECT_GT(safe, 0U);
    EXPECT_EQ(ask(port, "SELECT pg_is_in_recovery()"), "t") << "restore never makes it writable";

    const Json promoted = world.run("promote");
    EXPECT_EQ(integer_or(promoted, "timeline", 0), 2);
    EXPECT_EQ(ask(port, "INSERT INTO ledger (note) VALUES ('after') RETURNING note"), "after");
    EXPECT_EQ(ask(port, "SHOW restore_command"), "");
}

}  // namespace
}  // namespace lifeboat

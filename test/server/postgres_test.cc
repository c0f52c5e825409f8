// Kind `postgres` against real servers: protect, lose, restore, promote, protect again.

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <csignal>
#include <set>
#include <thread>

#include "platform/base/text.h"
#include "providers/postgres/identity.h"
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

TEST(Postgres, goes_back_to_a_time_a_position_and_a_named_restore_point_exactly) {
    PostgresWorld world;
    Protection protection(world);
    world.server().sql("CREATE TABLE ledger (id bigserial PRIMARY KEY, note text)");
    world.run("backup");
    const auto insert = [&](int count) {
        for (int i = 0; i < count; ++i)
            world.server().sql("INSERT INTO ledger (note) VALUES ('row')");
    };
    insert(5);
    const std::string time = world.server().sql(
        "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', "
        "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')");
    insert(5);
    const std::string lsn = world.server().sql("SELECT pg_current_wal_lsn()");
    insert(5);
    world.server().sql("SELECT pg_create_restore_point('before the upgrade')");
    insert(5);
    world.wait_until_durable();

    for (const auto& [to, rows] : {std::pair<std::string, std::string>{time, "5"},
                                   {lsn, "10"},
                                   {"before the upgrade", "15"},
                                   {"latest", "20"}}) {
        world.run("restore", Json{{"to", to}});
        const std::uint16_t port = world.candidate_port();
        EXPECT_EQ(ask(port, "SELECT count(*) FROM ledger"), rows) << to;
        EXPECT_EQ(ask(port, "SELECT pg_last_wal_replay_lsn()"),
                  string_or(world.candidate()->identity, "target_lsn", ""));
    }
    const auto points = world.provider().points(world.context(), world.target("database"));
    ASSERT_TRUE(points.has_value());
    ASSERT_EQ(points->size(), 2U);
    EXPECT_EQ((*points)[0].method, "base");
    EXPECT_EQ((*points)[0].problem, "");
    EXPECT_EQ((*points)[1].id, "latest");
    EXPECT_TRUE((*points)[1].from && *(*points)[1].from < (*points)[1].at);
    world.run("restore", Json{{"to", (*points)[0].id}});
    EXPECT_EQ(ask(world.candidate_port(), "SELECT count(*) FROM ledger"), "0");
}

TEST(Postgres, a_recovered_server_is_protected_again_and_recovered_through_its_history) {
    PostgresServer::Options options;
    options.wal_segment_mib = 1;
    PostgresWorld world(options);
    {
        Protection protection(world);
        world.run("backup");
        world.server().sql("CREATE TABLE ledger (id bigserial PRIMARY KEY, note text)");
        world.server().sql("INSERT INTO ledger (note) VALUES ('first life')");
        world.wait_until_durable();
    }
    world.server().kill_9();
    world.run("restore");
    world.run("promote");
    world.switch_over();
    const std::uint16_t second =
        static_cast<std::uint16_t>(integer_or(world.current("database").settings, "port", 0));
    // Streaming goes on before there is a new base backup: the old one carries through the history.
    Protection protection(world);
    ask(second, "INSERT INTO ledger (note) SELECT 'second life' FROM generate_series(1, 20000)");
    world.wait_until_durable(second);
    world.run("restore");
    EXPECT_EQ(ask(world.candidate_port(), "SELECT count(*) FROM ledger"), "20001");
    EXPECT_EQ(integer_or(world.candidate()->identity, "timeline", 0), 2);

    world.forget_candidate();
    const Json rebuilt = world.run("rebuild-protection");
    EXPECT_EQ(integer_or(rebuilt, "timeline", 0), 2) << "of the current one, not of the copy";
    ask(second, "INSERT INTO ledger (note) VALUES ('third')");
    world.wait_until_durable(second);
    const Json restored = world.run("restore");
    EXPECT_EQ(string_or(restored, "point", ""), string_or(rebuilt, "point", "x"));
    EXPECT_EQ(ask(world.candidate_port(), "SELECT count(*) FROM ledger"), "20002");
    // A child that is slow to notice that its postmaster died is waited for: until then it may
    // write.
    Processes& processes = world.environment().processes;
    const auto child = processes.identify(*parse_integer(
        ask(second, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")));
    ASSERT_TRUE(child.has_value() && processes.signal(*child, SIGSTOP).has_value());
    const auto postmaster =
        postgres::process_from_json(world.current("database").identity["postmaster"]);
    ASSERT_TRUE(postmaster && processes.signal(*postmaster, SIGKILL).has_value());
    while (processes.is_alive(*postmaster)) std::this_thread::yield();  // a signal is only sent
    const std::jthread notices_late([&processes, &child] {
        std::this_thread::sleep_for(std::chrono::seconds(1));
        EXPECT_TRUE(processes.signal(*child, SIGCONT).has_value());
    });
    const Json promoted = world.run("promote");
    EXPECT_EQ(integer_or(promoted, "timeline", 0), 3);
}

TEST(Postgres, a_backup_stands_for_itself_and_passes_the_servers_own_verification) {
    PostgresWorld world;
    world.server().sql("CREATE TABLE ledger (id bigserial PRIMARY KEY, note text)");
    world.server().sql(
        "INSERT INTO ledger (note) SELECT repeat('x', 100) FROM generate_series(1, 30000)");
    const auto call = world.next_call("backup");
    const Json made = *world.try_call(call);
    EXPECT_EQ(integer_or(made, "bad_pages", -1), 0);
    const Json again = *world.try_call(call);
    EXPECT_EQ(string_or(made, "point", ""), string_or(again, "point", "x"))
        << "one step, one point";
    const auto probed = world.provider().probe(world.context(), call);
    ASSERT_TRUE(probed.has_value());
    EXPECT_EQ(probed->verdict, runbook::ProbeVerdict::done);

    auto point = world.services().vault->open_point(PointId(string_or(made, "point", "")));
    ASSERT_TRUE(point.has_value());
    vault::RestoreOptions options;
    options.map = [](const vault::Entry& entry) -> std::optional<std::string> {
        if (!entry.path.starts_with("data/")) return std::nullopt;
        return entry.path.substr(5);
    };
    const Path copy = world.directory() / "copy";
    ASSERT_TRUE((*point)->restore(world.context(), copy, options, {}).has_value());
    Command verify;
    verify.arguments = {(test::postgres_programs() / "pg_verifybackup").string(), "-n",
                        copy.string()};
    const auto verified = world.environment().processes.run(world.context(), verify);
    ASSERT_TRUE(verified.has_value());
    EXPECT_EQ(verified->code, 0) << verified->error;
    const std::string text =
        dump((*point)->point().facts) + dump((*point)->point().instance) + dump(made);
    EXPECT_EQ(text.find(PostgresServer::password), std::string::npos);

    // Without `protect`: the WAL it needs came with it.
    world.run("restore");
    EXPECT_EQ(ask(world.candidate_port(), "SELECT count(*) FROM ledger"), "30000");
}

TEST(Postgres, tablespaces_and_raised_limits_come_along) {
    PostgresWorld world({.settings = {{"max_connections", "30"}, {"work_mem", "5MB"}}});
    const Path space = world.directory() / "primary" / "fast";
    ASSERT_TRUE(world.environment().files.make_directories(space, 0700).has_value());
    const auto user = world.environment().processes.user("postgres");
    if (user.has_value() && world.environment().processes.own_uid() == 0) {
        ASSERT_TRUE(world.environment().files.set_owner(space, user->uid, user->gid).has_value());
    }
    Protection protection(world);
    world.server().sql(fmt::format("CREATE TABLESPACE fast LOCATION '{}'", space.string()));
    world.server().sql(
        "CREATE TABLE ledger TABLESPACE fast AS SELECT g AS id, repeat('y', 500) AS note "
        "FROM generate_series(1, 60000) g");
    world.run("backup");
    ASSERT_TRUE(protection.stop().has_value());
    world.server().stop();
    auto config =
        world.environment().files.open(world.server().data() / "postgresql.conf", OpenMode::append);
    ASSERT_TRUE((*config)
                    ->append(as_bytes("max_connections = 77\nmax_worker_processes = 11\n"))
                    .has_value());
    world.server().start();
    Protection again(world);
    world.server().sql("INSERT INTO ledger VALUES (0, 'late')");
    world.wait_until_durable();
    world.run("restore");
    const std::uint16_t port = world.candidate_port();
    EXPECT_EQ(ask(port, "SELECT count(*) FROM ledger"), "60001");
    EXPECT_EQ(ask(port, "SHOW max_connections"), "77");
    EXPECT_EQ(ask(port, "SHOW work_mem"), "5MB");
    EXPECT_EQ(ask(port,
                  "SELECT pg_tablespace_location(oid) LIKE '%database-%' FROM pg_tablespace WHERE "
                  "spcname = 'fast'"),
              "t");
}

TEST(Postgres, its_power_verbs_prove_identity_and_a_fenced_server_stays_down) {
    PostgresWorld world;
    world.run("verify");
    const auto seen = world.provider().observe(world.context(), world.target("database"));
    ASSERT_TRUE(seen.has_value());
    EXPECT_EQ(seen->health, watch::Health::healthy) << seen->why;
    EXPECT_EQ(seen->role, "primary");
    ASSERT_TRUE(seen->identity.contains("postmaster"))
        << dump(seen->identity) << dump(seen->facts) << dump(world.current("database").settings);
    EXPECT_EQ(integer_or(seen->identity["postmaster"], "pid", 0), world.server().postmaster().pid);
    EXPECT_GT(integer_or(seen->facts, "free_disk", 0), 0);

    world.run("stop");
    EXPECT_FALSE(world.server().is_alive());
    const Json started = world.run("start");
    EXPECT_EQ(ask(world.server().port(), "SELECT 1"), "1");
    EXPECT_EQ(string_or(started["instance"], "endpoint", ""),
              fmt::format("127.0.0.1:{}", world.server().port()));
    const auto fence = world.next_call("fence");
    EXPECT_EQ(world.provider().probe(world.context(), fence)->verdict,
              runbook::ProbeVerdict::absent);
    ASSERT_TRUE(world.try_call(fence).has_value());
    EXPECT_EQ(world.provider().probe(world.context(), fence)->verdict, runbook::ProbeVerdict::done);
    const auto refused = world.try_run("start");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
    EXPECT_NE(refused.error().message.find("fenced"), std::string::npos);
    const auto down = world.provider().observe(world.context(), world.target("database"));
    EXPECT_EQ(down->health, watch::Health::unhealthy);
}

TEST(Postgres, a_role_that_may_only_replicate_and_look_is_enough) {
    PostgresWorld world({}, "    user: limited\n");
    world.server().sql(
        fmt::format("CREATE ROLE limited LOGIN REPLICATION PASSWORD '{}' IN ROLE pg_monitor",
                    PostgresServer::password));
    world.server().sql("CREATE TABLE ledger (id bigserial PRIMARY KEY, note text)");
    {
        Protection protection(world);
        world.run("backup");
        world.server().sql("INSERT INTO ledger (note) VALUES ('one')");
        world.wait_until_durable();
    }
    world.server().kill_9();
    world.run("restore");
    world.run("promote");
    EXPECT_EQ(ask(world.candidate_port(), "SELECT pg_is_in_recovery()"), "f");
    EXPECT_EQ(ask(world.candidate_port(), "SELECT count(*) FROM ledger"), "1");
    world.switch_over();
    world.run("rebuild-protection");
    world.run("verify");
}

}  // namespace
}  // namespace lifeboat

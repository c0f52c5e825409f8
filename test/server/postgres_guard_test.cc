// Kind `postgres` on bad days: what it refuses, what it survives, and what it says about it.

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "platform/base/text.h"
#include "providers/postgres/identity.h"
#include "providers/postgres/instance_directory.h"
#include "providers/postgres/wal_parser.h"
#include "test/support/postgres_world.h"

namespace lifeboat {
namespace {

using namespace std::chrono_literals;
using runbook::ProbeVerdict;
using test::ask;
using test::PostgresServer;
using test::PostgresWorld;
using test::Protection;
using test::Writer;

ErrorKind kind_of(const Result<Json>& result) {
    EXPECT_FALSE(result.has_value()) << dump(*result);
    return result.error().kind;
}

bool says(const Result<Json>& result, const std::string& word) {
    const std::string text = result.error().message + " " + result.error().hint;
    if (text.find(word) != std::string::npos) return true;
    fmt::print("said: {}\n", text);
    return false;
}

TEST(PostgresGuard, another_cluster_on_that_port_is_refused_before_anything_is_touched) {
    PostgresWorld world;
    world.run("backup");
    const auto seen = world.provider().observe(world.context(), world.target("database"));
    ASSERT_TRUE(seen.has_value());
    world.server().stop();
    PostgresServer other(world.directory() / "primary" / "other", world.server().port(), {});
    other.start();

    // Nothing is pinned, as with an empty state directory: the vault knows the cluster.
    EXPECT_EQ(kind_of(world.try_run("backup")), ErrorKind::conflict);
    providers::Instance pinned = world.current("database");
    pinned.identity = seen->identity;
    world.adopt(Json{{"instance", providers::to_json(pinned)}});
    const auto refused = world.try_run("backup");
    EXPECT_EQ(kind_of(refused), ErrorKind::conflict);
    EXPECT_TRUE(says(refused, "another cluster listens at 127.0.0.1:"));
    for (const char* verb : {"rebuild-protection", "verify"})
        EXPECT_EQ(kind_of(world.try_run(verb)), ErrorKind::conflict) << verb;
    Protection protection(world);
    for (int i = 0; i < 200 && protection.running(); ++i) (void)world.context().sleep(20ms);
    EXPECT_EQ(protection.stop().error().kind, ErrorKind::conflict);
    EXPECT_EQ(other.sql("SELECT count(*) FROM pg_replication_slots"), "0");
    const auto now = world.provider().observe(world.context(), world.target("database"));
    EXPECT_EQ(now->health, watch::Health::unhealthy);
    EXPECT_NE(now->why.find("another cluster"), std::string::npos);
}

TEST(PostgresGuard, a_wrong_password_and_an_unreachable_server_are_told_apart) {
    PostgresWorld world;
    const Path secret = world.directory() / "password";
    ASSERT_TRUE(write_file_durably(world.environment().files, secret, as_bytes("wrong-secret"))
                    .has_value());
    const auto denied = world.try_run("backup");
    EXPECT_EQ(kind_of(denied), ErrorKind::denied);
    EXPECT_TRUE(says(denied, "password authentication failed"));
    EXPECT_FALSE(denied.error().message.find("wrong-secret") != std::string::npos);
    world.server().stop();
    const auto unreachable = world.try_run("backup");
    EXPECT_EQ(kind_of(unreachable), ErrorKind::unavailable);
    EXPECT_TRUE(says(unreachable, "refused"));
    const auto seen = world.provider().observe(world.context(), world.target("database"));
    ASSERT_TRUE(seen.has_value()) << "an unreachable component is an observation";
    EXPECT_EQ(seen->health, watch::Health::unhealthy);
    EXPECT_EQ(kind_of(world.try_run("restore")), ErrorKind::not_found);
}

TEST(PostgresGuard, a_slot_without_a_bound_is_refused_unless_the_plan_accepts_it) {
    PostgresServer::Options options;
    options.settings = {{"max_slot_wal_keep_size", "-1"}};
    {
        PostgresWorld world(options);
        const auto refused = world.try_run("backup");
        EXPECT_EQ(kind_of(refused), ErrorKind::conflict);
        EXPECT_TRUE(says(refused, "accept_unbounded_slot: true"));
        Protection protection(world);
        for (int i = 0; i < 200 && protection.running(); ++i) (void)world.context().sleep(20ms);
        EXPECT_FALSE(protection.stop().has_value());
        EXPECT_EQ(world.server().sql("SELECT count(*) FROM pg_replication_slots"), "0");
    }
    PostgresWorld world(options, "    accept_unbounded_slot: true\n    rate: 8MiB/s\n");
    const Monotonic before = world.environment().clock.monotonic();
    world.run("backup");
    EXPECT_GT(world.environment().clock.monotonic() - before, Duration(1500ms))
        << "the rate is honoured";
    EXPECT_EQ(world.server().sql("SELECT slot_name FROM pg_replication_slots"),
              "lifeboat_database");
}

/// WAL that nobody receives, beyond what the slot may keep.
void outrun_slot(PostgresWorld& world) {
    for (int i = 0; i < 6; ++i) {
        world.server().sql(
            "INSERT INTO ledger (note) SELECT repeat('z', 400) FROM generate_series(1, 8000)");
        world.server().sql("SELECT pg_switch_wal()");
        world.server().sql("CHECKPOINT");
    }
    EXPECT_EQ(world.server().sql("SELECT wal_status FROM pg_replication_slots"), "lost");
}

TEST(PostgresGuard, a_slot_at_its_limit_makes_a_loud_gap_that_no_restore_crosses) {
    PostgresServer::Options options;
    options.wal_segment_mib = 1;
    options.settings = {
        {"max_slot_wal_keep_size", "2MB"}, {"min_wal_size", "2MB"}, {"max_wal_size", "4MB"}};
    PostgresWorld world(options);
    world.server().sql("CREATE TABLE ledger (id bigserial PRIMARY KEY, note text)");
    postgres::Lsn before_gap = 0;
    {
        Protection protection(world);
        world.run("backup");
        world.server().sql("INSERT INTO ledger (note) VALUES ('before the gap')");
        world.wait_until_durable();
        before_gap = world.durable();
    }
    outrun_slot(world);
    Protection protection(world);
    protection.wait_for(
        [](const auto& report) { return report.warning.find("is lost") != std::string::npos; });
    world.server().sql("INSERT INTO ledger (note) VALUES ('after the gap')");
    world.wait_until_durable();

    const auto refused = world.try_run("restore");
    EXPECT_EQ(kind_of(refused), ErrorKind::conflict);
    EXPECT_TRUE(says(refused, "is lost"));
    EXPECT_TRUE(says(refused, "--to 0/"));
    world.run("restore", Json{{"to", postgres::format_lsn(before_gap)}});
    EXPECT_EQ(ask(world.candidate_port(), "SELECT count(*) FROM ledger"), "1");
    const auto points = world.provider().points(world.context(), world.target("database"));
    ASSERT_TRUE(points.has_value());
    for (const auto& point : *points) EXPECT_NE(point.id, "latest");

    world.forget_candidate();
    world.run("backup");
    world.run("restore");
    EXPECT_EQ(ask(world.candidate_port(), "SELECT note FROM ledger ORDER BY id DESC LIMIT 1"),
              "after the gap");
}

TEST(PostgresGuard, without_vault_or_key_in_mid_replay_it_stays_a_standby_and_goes_on_later) {
    PostgresServer::Options options;
    options.wal_segment_mib = 1;
    PostgresWorld world(options);
    Protection protection(world);
    world.server().sql("CREATE TABLE ledger (id bigserial PRIMARY KEY, note text)");
    world.run("backup");
    for (int i = 0; i < 4; ++i)
        world.server().sql(
            "INSERT INTO ledger (note) SELECT repeat('z', 400) FROM generate_series(1, 20000)");
    world.wait_until_durable();
    ASSERT_TRUE(protection.stop().has_value());

    // The vault vanishes, and with it the process that restores, once the server replays.
    const auto call = world.next_call("restore");
    const auto site = providers::local_site(world.plan(), call.site, world.directory());
    const Path directory = postgres::instance_directory(*site, "database", call.token);
    const Path logs = world.directory() / "vault", hidden = world.directory() / "hidden";
    std::stop_source stop;
    Result<Json> outcome = Json();
    std::thread restoring([&] {
        const Context context(world.environment().clock, stop.get_token());
        const auto started = world.provider().start(context, call, test::ignore_progress);
        outcome =
            started.has_value() ? Result<Json>(started->outputs) : Result<Json>(started.error());
    });
    for (int i = 0; i < 6000; ++i) {
        const auto marker = postgres::load_marker(world.environment().files, directory);
        if (marker.has_value() && marker->state == postgres::Marker::State::replaying) break;
        (void)world.context().sleep(1ms);
    }
    ASSERT_TRUE(world.environment().files.rename(logs, hidden).has_value());
    stop.request_stop();
    restoring.join();
    ASSERT_FALSE(outcome.has_value());
    EXPECT_EQ(world.provider().probe(world.context(), call)->verdict, ProbeVerdict::absent);

    const auto marker = postgres::load_marker(world.environment().files, directory);
    ASSERT_TRUE(marker.has_value());
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(ask(marker->port, "SELECT pg_is_in_recovery()"), "t");
        (void)world.context().sleep(500ms);
    }
    EXPECT_NE(ask(marker->port, "SELECT pg_last_wal_replay_lsn()"),
              postgres::format_lsn(marker->target));
    ASSERT_TRUE(world.environment().files.rename(hidden, logs).has_value());
    const auto restored = world.try_call(call);
    ASSERT_TRUE(restored.has_value()) << restored.error().message;
    EXPECT_EQ(integer_or(*restored, "port", 0), marker->port);
    EXPECT_EQ(ask(marker->port, "SELECT count(*) FROM ledger"), "80000");
}

TEST(PostgresGuard, a_restore_is_taken_up_again_but_never_over_what_is_not_its_own) {
    PostgresWorld world;
    world.run("backup");
    auto call = world.next_call("restore");
    EXPECT_EQ(world.provider().probe(world.context(), call)->verdict, ProbeVerdict::absent);
    const Json first = *world.try_call(call);
    const auto probed = world.provider().probe(world.context(), call);
    EXPECT_EQ(probed->verdict, ProbeVerdict::done);
    EXPECT_EQ(probed->outputs, first);
    const Json second = *world.try_call(call);
    EXPECT_EQ(first, second) << "the same server, not another one";

    // Its server is gone: the step makes it anew, in the same place.
    const auto candidate = *world.candidate();
    const auto postmaster = postgres::process_from_json(candidate.identity["postmaster"]);
    ASSERT_TRUE(
        world.environment().processes.stop_group(world.context(), *postmaster, 0s).has_value());
    EXPECT_EQ(world.provider().probe(world.context(), call)->verdict, ProbeVerdict::absent);
    const auto again = world.try_call(call);
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_EQ(ask(world.candidate_port(), "SELECT 1"), "1");

    const auto other = world.next_call("restore");
    const auto site = providers::local_site(world.plan(), other.site, world.directory());
    const Path foreign = postgres::instance_directory(*site, "database", other.token);
    ASSERT_TRUE(world.environment().files.make_directories(foreign / "data").has_value());
    EXPECT_EQ(kind_of(world.try_call(other)), ErrorKind::conflict);
    EXPECT_TRUE(world.environment().files.status(foreign / "data").has_value());
}

TEST(PostgresGuard, promotion_needs_the_target_and_a_primary_that_cannot_come_back) {
    PostgresWorld world;
    world.run("backup");
    world.run("restore");
    const auto alive = world.try_run("promote");
    EXPECT_EQ(kind_of(alive), ErrorKind::conflict);
    EXPECT_TRUE(says(alive, "may still be alive"));
    EXPECT_EQ(ask(world.candidate_port(), "SELECT pg_is_in_recovery()"), "t");

    world.server().kill_9();
    const Path directory =
        Path(string_or(world.candidate()->settings, "data_directory", "")).parent_path();
    auto marker = postgres::load_marker(world.environment().files, directory);
    ASSERT_TRUE(marker.has_value());
    const postgres::Lsn target = marker->target;
    marker->target += 8;
    ASSERT_TRUE(postgres::save_marker(world.environment().files, directory, *marker).has_value());
    const auto short_of_target = world.try_run("promote");
    EXPECT_EQ(kind_of(short_of_target), ErrorKind::conflict);
    EXPECT_TRUE(says(short_of_target, "stands at"));

    marker->target = target;
    ASSERT_TRUE(postgres::save_marker(world.environment().files, directory, *marker).has_value());
    const auto call = world.next_call("promote");
    EXPECT_EQ(world.provider().probe(world.context(), call)->verdict, ProbeVerdict::absent);
    const auto promoted = world.try_call(call);
    ASSERT_TRUE(promoted.has_value()) << promoted.error().message;
    EXPECT_EQ(world.provider().probe(world.context(), call)->verdict, ProbeVerdict::done);
    EXPECT_TRUE(world.try_call(call).has_value()) << "once more is the same";
    EXPECT_EQ(ask(world.candidate_port(),
                  "SELECT count(*) FROM pg_ls_waldir() WHERE name LIKE '%.history'"),
              "1");
}

TEST(PostgresGuard, a_drills_promotion_leaves_the_old_primary_and_the_vault_alone) {
    PostgresWorld world;
    world.run("backup");
    auto restore = world.next_call("restore");
    restore.mode = runbook::RunMode::drill;
    ASSERT_TRUE(world.try_call(restore).has_value());
    auto promote = world.next_call("promote");
    promote.mode = runbook::RunMode::drill;
    const auto promoted = world.try_call(promote);
    ASSERT_TRUE(promoted.has_value()) << promoted.error().message;
    EXPECT_EQ(ask(world.candidate_port(), "SELECT pg_is_in_recovery()"), "f");
    EXPECT_TRUE(world.server().is_alive());
    EXPECT_TRUE(world.services().vault->documents("database")->empty());
}

TEST(PostgresGuard, the_primary_keeps_writing_when_protection_stops_under_load) {
    PostgresWorld world;
    Writer writer(world.server());
    {
        Protection protection(world);
        writer.wait_for(100);
        protection.wait_for([](const auto& report) { return report.position.size() > 3; });
        ASSERT_TRUE(protection.stop().has_value());
    }
    const auto stopped = world.durable();
    writer.wait_for(400);
    const auto seen = world.provider().observe(world.context(), world.target("database"));
    EXPECT_EQ(seen->health, watch::Health::healthy);
    EXPECT_GT(integer_or(seen->facts, "retained_wal", 0), 0) << dump(seen->facts) << seen->why;
    EXPECT_FALSE(bool_or(seen->facts, "slot_active", true));
    EXPECT_EQ(string_or(seen->facts, "wal_status", ""), "reserved");
    // It goes on exactly where it was.
    Protection again(world);
    (void)writer.finish();
    world.wait_until_durable();
    EXPECT_GT(world.durable(), stopped);
    const auto logs = world.services().vault->logs("database");
    ASSERT_EQ(logs->size(), 1U);
    EXPECT_TRUE(logs->front().gaps.empty());
}

TEST(PostgresGuard, two_streams_of_one_database_do_not_meet) {
    PostgresWorld world;
    Protection first(world);
    first.wait_for(
        [](const auto& report) { return !report.position.empty() && report.position != "0/0"; });
    Protection second(world);
    for (int i = 0; i < 1000 && second.running(); ++i) (void)world.context().sleep(20ms);
    const auto refused = second.stop();
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
    EXPECT_NE(refused.error().message.find("in use"), std::string::npos);
    EXPECT_TRUE(first.running());
    world.run("backup");  // beside the stream, whose WAL it takes
}

TEST(PostgresGuard, a_damaged_page_at_the_source_is_reported_and_the_backup_kept) {
    PostgresWorld world;
    world.server().sql(
        "CREATE TABLE ledger AS SELECT g AS id, repeat('q', 300) AS note FROM generate_series(1, "
        "5000) g");
    const std::string file = world.server().sql("SELECT pg_relation_filepath('ledger')");
    world.server().stop();
    auto opened = world.environment().files.open(world.server().data() / file, OpenMode::update);
    ASSERT_TRUE(opened.has_value());
    ASSERT_TRUE((*opened)->write_at(3 * 8192 + 5000, as_bytes("damage")).has_value());
    world.server().start();
    const Json made = world.run("backup");
    EXPECT_EQ(integer_or(made, "bad_pages", 0), 1);
    EXPECT_EQ(dump(made["bad_pages_at"]), fmt::format("[\"{} block 3\"]", file));
}

TEST(PostgresGuard, the_parser_reads_real_wal_as_pg_waldump_does) {
    PostgresServer::Options options;
    options.wal_segment_mib = 1;
    options.settings = {{"wal_keep_size", "64MB"}, {"max_prepared_transactions", "5"}};
    PostgresWorld world(options);
    PostgresServer& server = world.server();
    server.sql("CREATE TABLE ledger (id bigserial PRIMARY KEY, note text)");
    server.sql("INSERT INTO ledger (note) SELECT repeat('z', 900) FROM generate_series(1, 4000)");
    for (int i = 0; i < 20; ++i) server.sql("INSERT INTO ledger (note) VALUES ('x')");
    server.sql("SELECT pg_switch_wal()");
    server.sql("BEGIN; DELETE FROM ledger; ROLLBACK");
    server.sql("SELECT pg_create_restore_point('here')");
    server.sql("INSERT INTO ledger (note) VALUES ('flushed')");
    const auto end = postgres::parse_lsn(server.sql("SELECT pg_current_wal_flush_lsn()"));
    const std::string first =
        server.sql("SELECT min(name) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'");
    const auto begin = postgres::parse_wal_file(first, 1U << 20U);
    ASSERT_TRUE(begin.has_value());

    postgres::WalParser parser = postgres::WalParser::at_page({0, 1U << 20U, 8192}, begin->begin);
    std::vector<vault::Mark> marks;
    while (parser.position() < *end) {
        const Path file =
            server.data() / "pg_wal" / postgres::segment_name(1, parser.position(), 1U << 20U);
        const auto bytes = read_file(world.environment().files, file);
        ASSERT_TRUE(bytes.has_value());
        const auto size = std::min<std::uint64_t>(bytes->size(), *end - parser.position());
        const auto fed = parser.feed(ByteView(*bytes).first(size), marks);
        ASSERT_TRUE(fed.has_value()) << fed.error().message;
    }
    EXPECT_EQ(parser.boundary(), *end);
    Command waldump;
    waldump.arguments = {(test::postgres_programs() / "pg_waldump").string(),
                         "-p",
                         (server.data() / "pg_wal").string(),
                         "-s",
                         postgres::format_lsn(begin->begin),
                         "-e",
                         postgres::format_lsn(*end)};
    waldump.output_limit = 64U << 20U;
    const auto listed = world.environment().processes.run(world.context(), waldump);
    ASSERT_TRUE(listed.has_value());
    std::size_t ends = 0;
    for (const std::string_view line : split(listed->output, '\n'))
        ends += line.find("desc: COMMIT") != line.npos || line.find("desc: ABORT") != line.npos ||
                line.find("desc: RESTORE_POINT") != line.npos;
    EXPECT_EQ(marks.size(), ends);
    ASSERT_GE(marks.size(), 2U);
    EXPECT_EQ(marks[marks.size() - 2].label, "here");
}

}  // namespace
}  // namespace lifeboat

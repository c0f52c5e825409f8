#include "core/readiness/forecast.h"

#include <gtest/gtest.h>

#include "core/readiness/test_judge.h"

namespace lifeboat::readiness {
namespace {

using namespace std::chrono_literals;

const std::string database_of_regions =
    "components:\n"
    "  db:\n"
    "    kind: aws.rds\n"
    "    site: a\n"
    "    objectives: {rto: 1h, rpo: 15m}\n"
    "    alerts: [odd]\n"
    "    protect:\n"
    "      - {method: snapshot, every: 6h, copy_to: b}\n"
    "      - {method: continuous}\n"
    "      - {method: replica, copy_to: b}\n";

TEST(forecast, of_a_lost_component_uses_the_best_of_its_points) {
    const Judged judged(plan::parse_text(two_regions(
        database_of_regions + "scenarios:\n  s: {lost: [db], steps: [{restore: db}]}\n")));
    const Forecast& one = judged.at("db", "s");
    EXPECT_TRUE(one.hit);
    EXPECT_EQ(one.loss.by, "continuous");
    EXPECT_EQ(one.loss.worst, Duration(5min));
    EXPECT_EQ(one.rpo_kept, true);
}

TEST(forecast, of_a_step_that_names_its_points_uses_those) {
    const Judged judged(plan::parse_text(
        two_regions(database_of_regions +
                    "scenarios:\n  s: {lost: [db], steps: [{restore: db, from: snapshot}]}\n")));
    const Forecast& one = judged.at("db", "s");
    EXPECT_EQ(one.loss.by, "snapshot");
    EXPECT_EQ(one.loss.worst, Duration(6h + 10min));
    EXPECT_EQ(one.rpo_kept, false);
}

TEST(forecast, of_a_lost_site_has_only_what_was_copied_elsewhere) {
    const Judged restored(plan::parse_text(
        two_regions(database_of_regions +
                    "scenarios:\n  s: {lost_sites: [a], steps: [{restore: db, site: b}]}\n")));
    EXPECT_EQ(restored.at("db", "s").loss.by, "snapshot @b");
    EXPECT_EQ(restored.at("db", "s").loss.worst, Duration(6h + 20min));
    const Judged promoted(plan::parse_text(
        two_regions(database_of_regions +
                    "scenarios:\n  s: {lost_sites: [a], steps: [{promote: db, site: b}]}\n")));
    EXPECT_EQ(promoted.at("db", "s").loss.by, "replica @b");
    EXPECT_EQ(promoted.at("db", "s").rpo_kept, true);
}

TEST(forecast, of_a_corruption_counts_the_time_until_it_is_noticed_and_trusts_no_replica) {
    const Judged judged(plan::parse_text(two_regions(
        database_of_regions +
        "scenarios:\n  s: {corrupted: [db], detect: [{alert: odd, for: 7m}], steps: [{restore: "
        "db}]}\n")));
    EXPECT_EQ(judged.at("db", "s").loss.by, "continuous");
    EXPECT_EQ(judged.at("db", "s").loss.worst, Duration(12min));
    const Judged promoted(plan::parse_text(two_regions(
        database_of_regions + "scenarios:\n  s: {corrupted: [db], steps: [{promote: db}]}\n")));
    EXPECT_FALSE(promoted.at("db", "s").loss.worst.has_value());
    EXPECT_TRUE(promoted.at("db", "s").loss.why.contains("replicates the corruption"));
}

TEST(forecast, of_an_attack_trusts_only_what_survives_the_account) {
    const std::string attack =
        "scenarios:\n  s: {corrupted: [db], detect: [{alert: odd, for: 1m}], steps: [{preserve: "
        "db}, {restore: db}]}\n";
    const Judged open(plan::parse_text(two_regions(database_of_regions + attack)));
    EXPECT_FALSE(open.at("db", "s").loss.worst.has_value());
    EXPECT_TRUE(open.at("db", "s").loss.why.contains("who holds the account"));
    const Judged locked(
        plan::parse_text(two_regions("components:\n  db: {kind: aws.rds, objectives: {rpo: 15m}, "
                                     "alerts: [odd], protect: [{method: "
                                     "continuous, immutable: true}]}\n" +
                                     attack)));
    EXPECT_EQ(locked.at("db", "s").loss.worst, Duration(6min));
}

TEST(forecast, of_the_own_vault_survives_the_site_and_the_attack) {
    const Judged judged(plan::parse_text(
        "lifeboat: 1\nplan: p\nvault: {directory: v, key: k}\nsites: {here: {local: {directory: "
        "h}}}\ncomponents:\n  db: {kind: postgres, objectives: {rpo: 5s}, protect: [{method: "
        "continuous}]}\nscenarios:\n  s: {lost_sites: [here], steps: [{restore: db}]}\n"));
    EXPECT_EQ(judged.at("db", "s").loss.by, "continuous @vault");
    EXPECT_EQ(judged.at("db", "s").rpo_kept, true);
}

TEST(forecast, adds_detection_approvals_and_the_longest_path) {
    const Judged judged(plan::parse_text(two_regions(
        "roles: {ic: {}}\ncomponents:\n"
        "  db: {kind: aws.rds, health: [{tcp: 1}], objectives: {rto: 1h}}\n"
        "  cache: {kind: aws.elasticache, objectives: {rto: 1h}}\n"
        "  web: {kind: kubernetes.deployment, needs: [db, cache], objectives: {rto: 1h}}\n"
        "scenarios:\n  s:\n    lost: [db, cache]\n    detect: [{unhealthy: db, for: 2m}]\n    "
        "steps:\n"
        "      - {restore: db, needs: [], approve: {by: [ic], within: 10m}, estimate: 20m}\n"
        "      - {restore: cache, needs: [], estimate: 25m}\n"
        "      - {repoint: web, needs: [restore-db, restore-cache], estimate: 3m}\n")));
    const Forecast& web = judged.at("web", "s");
    EXPECT_TRUE(web.touched && !web.hit);
    EXPECT_EQ(web.time.total.p95, Duration(35min));
    ASSERT_EQ(web.time.path.size(), 4U);
    EXPECT_EQ(web.time.path[0].what, "detection");
    EXPECT_EQ(web.time.path[1].what, "approval of restore-db");
    EXPECT_EQ(web.time.path[2].what, "restore-db");
    EXPECT_EQ(web.time.path[3].what, "repoint-web");
    EXPECT_EQ(web.time.total.basis, Basis::estimate);
    EXPECT_EQ(judged.at("cache", "s").time.total.p95, Duration(27min));
    EXPECT_EQ(web.rto_kept, true);
}

TEST(forecast, of_what_needs_something_that_is_not_back_is_never) {
    const Judged judged(plan::parse_text(two_regions(
        "components:\n"
        "  db: {kind: aws.rds, objectives: {rto: 1h}}\n"
        "  web: {kind: kubernetes.deployment, needs: [db], objectives: {rto: 1h}}\n"
        "  shop: {kind: http, url: 'https://x.example.com', needs: [web], objectives: {rto: 1h}}\n"
        "scenarios:\n  s: {lost: [db], steps: [{repoint: web}, {verify: db}]}\n")));
    EXPECT_TRUE(judged.at("db", "s").time.forgotten);
    EXPECT_FALSE(judged.at("web", "s").time.recovers);
    EXPECT_EQ(judged.at("shop", "s").time.why, "it needs web, which is not back");
    EXPECT_EQ(judged.at("shop", "s").rto_kept, false);
}

TEST(forecast, prefers_what_was_measured_and_says_so) {
    History history;
    for (int i = 1; i <= 20; ++i) history.add({"restore", "db", ""}, std::chrono::seconds(10 * i));
    for (int i = 0; i < 5; ++i) history.add_detection("s", 30s);
    const Judged judged(
        plan::parse_text(two_regions(
            "components:\n  db: {kind: aws.rds, objectives: {rto: 1h}}\n"
            "scenarios:\n  s: {lost: [db], stated_time: 40m, steps: [{restore: db, estimate: "
            "30m}]}\n")),
        history);
    const RecoveryTime& time = judged.at("db", "s").time;
    EXPECT_EQ(time.measured, 1U);
    EXPECT_EQ(time.total.basis, Basis::measured);
    EXPECT_EQ(time.path.back().spread.p50, Duration(100s));
    EXPECT_EQ(time.path.back().spread.p95, Duration(190s));
    EXPECT_FALSE(time.by_account) << "a measured step needs no stated time";
}

TEST(forecast, says_when_history_is_too_thin_to_predict_from) {
    History history;
    for (int i = 0; i < 2; ++i) history.add({"restore", "db", ""}, 10min);
    const Judged judged(
        plan::parse_text(two_regions("components:\n  db: {kind: aws.rds, objectives: {rto: 1h}}\n"
                                     "scenarios:\n  s: {lost: [db], steps: [{restore: db}]}\n")),
        history);
    const RecoveryTime& time = judged.at("db", "s").time;
    EXPECT_TRUE(explained_path(time).contains("(measured only 2 times)")) << explained_path(time);
    EXPECT_GT(time.path.back().spread.p95, Duration(10min)) << "what so few cannot rule out";
}

TEST(forecast, of_a_step_elsewhere_takes_what_was_measured_there) {
    History history;
    history.add({"restore", "db", ""}, 1min);
    history.add({"restore", "db", "b"}, 9min);
    const Judged judged(
        plan::parse_text(
            two_regions("components:\n  db: {kind: aws.rds, objectives: {rto: 1h}}\n"
                        "scenarios:\n  s: {lost_sites: [a], steps: [{restore: db, site: b}]}\n")),
        history);
    EXPECT_EQ(judged.at("db", "s").time.path.back().spread.p50, Duration(9min));
}

TEST(forecast, is_not_shorter_than_the_plan_says_itself) {
    const Judged judged(plan::parse_text(
        two_regions("components:\n  db: {kind: aws.rds, alerts: [x], objectives: {rto: 1h}}\n"
                    "scenarios:\n  s: {lost: [db], stated_time: 50m, detect: "
                    "[{alert: x, for: 1m}], steps: [{restore: db}]}\n")));
    EXPECT_EQ(judged.at("db", "s").time.total.p95, Duration(50min));
    EXPECT_TRUE(judged.at("db", "s").time.by_account);
}

TEST(forecast, counts_cold_storage_and_the_ttl_of_names) {
    const Judged judged(plan::parse_text(two_regions(
        "components:\n"
        "  m: {kind: aws.s3, health: [{http: /}], objectives: {rto: 4h}, protect: [{method: copy, "
        "every: 6h, "
        "storage_class: GLACIER}]}\n"
        "  name: {kind: dns, record: x.example.com, ttl: 30m, needs: [m], objectives: {rto: 4h}}\n"
        "scenarios:\n  s: {lost: [m], detect: [{unhealthy: m, for: 1m}], steps: [{restore: m, "
        "estimate: 10m}, {redirect: name, estimate: 1m}]}\n")));
    EXPECT_EQ(judged.at("m", "s").time.total.p95, Duration(5h + 11min));
    EXPECT_EQ(judged.at("m", "s").rto_kept, false);
    EXPECT_EQ(judged.at("name", "s").time.path.back().spread.p95, Duration(31min));
}

TEST(forecast, of_a_scenario_that_only_says_how_it_is_seen_takes_what_is_seen) {
    const Judged judged(plan::parse_text(two_regions(
        "components:\n  db: {kind: aws.rds, objectives: {rto: 1h}}\n"
        "scenarios:\n  s: {detect: [{unhealthy: db, for: 1m}], steps: [{restore: db}]}\n")));
    EXPECT_TRUE(judged.at("db", "s").hit);
    EXPECT_EQ(judged.at("db", "s").rto_kept, true);
}

TEST(forecast, of_a_crash_that_a_start_mends_loses_nothing) {
    const std::string crashed =
        "lifeboat: 1\nplan: p\nsites: {here: {local: {directory: h}}}\ncomponents:\n  db: {kind: "
        "postgres, health: [{tcp: 1}], objectives: {rto: 1m, rpo: 5s}}\nscenarios:\n  s: {detect: "
        "[{unhealthy: db, "
        "for: "
        "1s}], steps: [{start: db}]";
    const Judged judged(plan::parse_text(crashed + "}\n"));
    EXPECT_EQ(judged.at("db", "s").rpo_kept, true);
    EXPECT_EQ(judged.at("db", "s").rto_kept, true);
    const Judged gone(plan::parse_text(crashed + ", lost: [db]}\n"));
    EXPECT_FALSE(gone.at("db", "s").time.recovers) << "a start brings back no data";
    EXPECT_FALSE(gone.at("db", "s").loss.worst.has_value());
}

TEST(forecast, of_a_scenario_that_takes_nothing_is_empty) {
    const Judged judged(
        plan::parse_text(two_regions("components:\n  db: {kind: aws.rds, objectives: {rto: 1h}}\n"
                                     "scenarios:\n  s: {steps: [{verify: db}]}\n")));
    EXPECT_TRUE(judged.forecasts.empty());
}

TEST(forecast_alone, speaks_for_components_that_no_scenario_names) {
    const Judged judged(plan::parse_text(two_regions(
        "components:\n  c: {kind: aws.elasticache, objectives: {rpo: 1h}, protect: [{method: "
        "snapshot, every: 24h}]}\n")));
    ASSERT_EQ(judged.alone.size(), 1U);
    EXPECT_EQ(judged.alone.front().loss.worst, Duration(24h + 6min));
    EXPECT_EQ(judged.alone.front().rpo_kept, false);
}

TEST(outlook, shows_the_worst_of_all_scenarios) {
    const Judged judged(plan::parse_text(
        two_regions(database_of_regions +
                    "scenarios:\n"
                    "  one: {lost: [db], steps: [{restore: db, estimate: 20m}]}\n"
                    "  two: {lost_sites: [a], steps: [{restore: db, site: b, estimate: 40m}]}\n")));
    const auto rows = outlook(judged.parsed.plan, judged.forecasts, judged.alone);
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].objective, Objective::rpo);
    EXPECT_EQ(rows[0].scenario, "two");
    EXPECT_EQ(rows[0].by, "snapshot @b");
    EXPECT_FALSE(rows[0].kept || rows[0].doubtful);
    EXPECT_EQ(rows[1].scenario, "two");
    EXPECT_EQ(rows[1].by, "restore");
    EXPECT_TRUE(rows[1].doubtful) << "only the assumed half hour until somebody tells breaks it";
}

TEST(outlook, of_an_objective_that_no_scenario_serves_is_never) {
    const Judged judged(plan::parse_text(
        two_regions("components:\n  db: {kind: aws.rds, objectives: {rto: 1h}}\n")));
    const auto rows = outlook(judged.parsed.plan, judged.forecasts, judged.alone);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_FALSE(rows[0].kept || rows[0].at_best.has_value());
    EXPECT_EQ(rows[0].by, "no scenario recovers it");
}

TEST(detection, of_any_signal_is_the_first_and_of_all_the_last) {
    plan::Scenario scenario;
    const plan::Plan plan;
    EXPECT_EQ(detection_of(plan, scenario, {}).basis, Basis::assumed);
    scenario.name = "s";
    scenario.detect = plan::Detection{};
    scenario.detect->signals = {{.lasting = 1min}, {.lasting = 5min}};
    EXPECT_EQ(detection_of(plan, scenario, {}).p95, Duration(1min));
    scenario.detect->all = true;
    EXPECT_EQ(detection_of(plan, scenario, {}).p95, Duration(5min));
    EXPECT_EQ(detection_of(plan, scenario, {}).basis, Basis::estimate);
    History history;
    for (int i = 0; i < 5; ++i) history.add_detection("other", 90s);
    EXPECT_EQ(detection_of(plan, scenario, history).basis, Basis::estimate)
        << "what notices one disaster says nothing of another";
    for (int i = 0; i < 5; ++i) history.add_detection("s", 90s);
    EXPECT_EQ(detection_of(plan, scenario, history).basis, Basis::measured);
    EXPECT_EQ(detection_of(plan, scenario, history).p95, Duration(90s));
}

}  // namespace
}  // namespace lifeboat::readiness

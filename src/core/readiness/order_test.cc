// The order of a recovery's steps: what makes the new one, then what switches to it, then what
// proves it; and what was cut off must run again.

#include <gtest/gtest.h>

#include <algorithm>

#include "core/readiness/test_judge.h"

namespace lifeboat::readiness {
namespace {

using namespace std::chrono_literals;

/// A database with points and a replica in the other region, and what needs it.
plan::Parsed shop(const std::string& scenario, const std::string& protect =
                                                   "{method: continuous, keep: 30d, copy_to: b}, "
                                                   "{method: replica, copy_to: b}") {
    return plan::parse_text(two_regions(
        "components:\n"
        "  db:\n    kind: aws.rds\n    site: a\n    objectives: {rto: 2h, rpo: 30m}\n"
        "    alerts: [odd]\n    health: [{tcp: 5432}]\n    protect: [" +
        protect +
        "]\n"
        "  web: {kind: kubernetes.deployment, site: a, needs: [db], objectives: {rto: 2h}}\n"
        "scenarios:\n  s: {" +
        scenario + "}\n"));
}

std::string why(const Judged& judged, std::string_view component) {
    const Forecast& one = judged.at(component, "s");
    return one.time.recovers ? std::string() : one.time.why;
}

/// Of findings with this rule: "message | note".
std::string told_by(const Judged& judged, std::string_view rule) {
    for (const Judgement& one : judged.judgements)
        if (one.diagnostic.id == rule) return one.diagnostic.message + " | " + one.diagnostic.note;
    return {};
}

const std::string lost = "lost: [db], detect: [{unhealthy: db, for: 1m}], steps: ";
const std::string wrong = "corrupted: [db], detect: [{alert: odd, for: 5m}], steps: ";

TEST(order, a_promotion_elsewhere_is_a_new_address_that_has_to_be_told) {
    const std::string gone = "lost_sites: [a], steps: ";
    const Judged untold(shop(gone + "[{promote: db, site: b, estimate: 4m}, {scale: web, site: b, "
                                    "replicas: 3, estimate: 2m}]"));
    EXPECT_EQ(why(untold, "web"), "nothing tells it where the new db is");
    EXPECT_TRUE(untold.finds("left-behind")) << untold.text();
    const Judged told(shop(gone + "[{promote: db, site: b, estimate: 4m}, {repoint: web, site: b}, "
                                  "{scale: web, site: b, replicas: 3, estimate: 2m}]"));
    EXPECT_EQ(why(told, "web"), "");
    EXPECT_FALSE(told.finds("left-behind")) << told.text();
    // Where it stands, it keeps its address.
    const Judged here(shop(lost + "[{promote: db}]"));
    EXPECT_FALSE(here.finds("left-behind")) << here.text();
}

TEST(order, who_is_told_before_there_is_something_is_not_back) {
    const Judged early(shop(lost + "[{repoint: web}, {restore: db}, {verify: db}]"));
    EXPECT_EQ(why(early, "web"), "repoint-web comes before the new db is there");
    EXPECT_EQ(early.at("web", "s").rto_kept, false);
    EXPECT_EQ(told_by(early, "left-behind"),
              "s tells web where db is before the new one is there | repoint-web does not wait for "
              "restore-db");
    const Judged beside(shop(lost + "[{restore: db}, {repoint: web, needs: []}]"));
    EXPECT_EQ(why(beside, "web"), "repoint-web comes before the new db is there")
        << "what does not wait may come first";
    // The order is that of the graph, not that of the text.
    const Judged written(shop(
        lost + "[{repoint: web, needs: [restore-db]}, {restore: db, needs: []}, {verify: db}]"));
    EXPECT_EQ(why(written, "web"), "") << written.text();
    EXPECT_FALSE(written.finds("left-behind")) << written.text();
    // Told twice: the second time counts.
    const Judged twice(
        shop(lost + "[{repoint: web}, {restore: db}, {repoint: web, id: again}, {verify: db}]"));
    EXPECT_EQ(why(twice, "web"), "");
}

TEST(order, what_is_isolated_and_never_released_is_not_back) {
    const Judged held(shop(wrong + "[{isolate: web}, {restore: db}, {repoint: web}]"));
    EXPECT_EQ(why(held, "web"), "isolate-web cuts it off, and nothing takes that back");
    EXPECT_TRUE(held.finds("never-released")) << held.text();
    const Judged free(shop(
        wrong + "[{isolate: web}, {restore: db}, {repoint: web}, {release: web, estimate: 1m}]"));
    EXPECT_EQ(why(free, "web"), "");
    EXPECT_EQ(free.at("web", "s").time.path.back().what, "release-web") << "only then it is back";
    EXPECT_FALSE(free.finds("never-released") || free.finds("not-isolated")) << free.text();
    const Judged first(
        shop(wrong + "[{release: web}, {isolate: web}, {restore: db}, {repoint: web}]"));
    EXPECT_EQ(why(first, "web"), "isolate-web cuts it off, and release-web does not wait for that");
    // Stopped is enough, and a start takes it back.
    const Judged stopped(plan::parse_text(
        "lifeboat: 1\nplan: p\nsites: {here: {local: {directory: h}}}\ncomponents:\n"
        "  db: {kind: postgres}\n"
        "  one: {kind: process, command: [x], needs: [db], objectives: {rto: 2h}}\n"
        "  two: {kind: process, command: [x], needs: [db], objectives: {rto: 2h}}\n"
        "scenarios:\n  s: {lost: [db], steps: [{stop: [one, two]}, {restore: db}, {start: one}, "
        "{repoint: two}]}\n"));
    EXPECT_EQ(why(stopped, "one"), "");
    EXPECT_EQ(why(stopped, "two"), "") << "a repoint starts what was stopped";
}

TEST(order, isolation_begins_before_the_new_one_is_made_and_ends_after_the_switch) {
    const Judged late(
        shop(wrong + "[{restore: db}, {isolate: web}, {repoint: web}, {release: web}]"));
    EXPECT_TRUE(told_by(late, "not-isolated").starts_with("s isolates web only when"))
        << late.text();
    const Judged early(
        shop(wrong + "[{isolate: web}, {release: web}, {restore: db}, {repoint: web}]"));
    EXPECT_EQ(told_by(early, "not-isolated"),
              "s lets web run again while db is still wrong | release-web does not wait for "
              "repoint-web");
    const Judged between(
        shop(wrong + "[{isolate: web}, {restore: db}, {release: web}, {repoint: web}]"));
    EXPECT_TRUE(between.finds("not-isolated")) << "it runs again on the old one";
    // A restore makes a new instance: it may begin while what writes is being cut off.
    const Judged beside(shop(wrong +
                             "[{isolate: web, needs: []}, {restore: db, needs: []}, "
                             "{repoint: web, needs: [isolate-web, restore-db]}, {release: web}]"));
    EXPECT_FALSE(beside.finds("not-isolated")) << beside.text();
    EXPECT_EQ(why(beside, "web"), "");
}

TEST(order, a_proof_before_what_it_is_to_prove_proves_nothing) {
    const Judged early(shop(lost + "[{verify: db}, {restore: db}, {repoint: web}]"));
    EXPECT_EQ(why(early, "db"), "verify-db looks whether it is back before restore-db");
    EXPECT_EQ(early.at("db", "s").rto_kept, false);
    EXPECT_TRUE(early.finds("proven-early")) << early.text();
    const Judged right(shop(lost + "[{restore: db}, {verify: db}, {repoint: web}]"));
    EXPECT_EQ(why(right, "db"), "");
    EXPECT_FALSE(right.finds("proven-early")) << right.text();
    // It fails, and the run stops there: the second look is never reached.
    const Judged both(
        shop(lost + "[{verify: db}, {restore: db}, {verify: db, id: again}, {repoint: web}]"));
    EXPECT_TRUE(both.finds("proven-early")) << both.text();
    const Judged goes_on(shop(lost +
                              "[{verify: db, on_failure: carry_on}, {restore: db}, {verify: db, "
                              "id: again}, {repoint: web}]"));
    EXPECT_FALSE(goes_on.finds("proven-early")) << goes_on.text();
    // A look at wrong data may well pass; another one has to follow.
    const Judged looked(
        shop(wrong + "[{verify: db}, {isolate: web}, {restore: db}, {verify: db, id: again}, "
                     "{repoint: web}, {release: web}]"));
    EXPECT_FALSE(looked.finds("proven-early")) << looked.text();
}

TEST(order, points_have_to_lie_where_they_are_restored) {
    const std::string away = lost + "[{restore: db, site: b}, {repoint: web}]";
    const Judged copied(shop(away, "{method: snapshot, every: 10m, keep: 30d, copy_to: b}"));
    EXPECT_EQ(copied.at("db", "s").loss.by, "snapshot @b");
    EXPECT_EQ(copied.at("db", "s").loss.worst, Duration(30min)) << "interval, making, copying";
    EXPECT_FALSE(copied.finds("points-elsewhere")) << copied.text();
    const Judged missing(shop(away, "{method: snapshot, every: 10m, keep: 30d}"));
    EXPECT_FALSE(missing.at("db", "s").loss.worst.has_value());
    EXPECT_EQ(why(missing, "db"), "its points lie at a, and nothing copies them to b");
    EXPECT_TRUE(missing.finds("points-elsewhere") && missing.finds("rpo-unreachable"))
        << missing.text();
    const Judged home(shop(lost + "[{restore: db}, {repoint: web}]",
                           "{method: snapshot, every: 10m, keep: 30d, copy_to: b}"));
    EXPECT_EQ(home.at("db", "s").loss.worst, Duration(20min)) << "no copy is waited for";
    const Judged replica(shop(lost + "[{promote: db, site: b}, {repoint: web}]",
                              "{method: replica}, {method: continuous, copy_to: b}"));
    EXPECT_TRUE(replica.finds("points-elsewhere")) << "the replica stands at home";
}

TEST(order, a_step_without_enough_time_is_never_done) {
    const Judged stopped(
        shop(lost + "[{restore: db, estimate: 8m, timeout: 2m}, {verify: db}, {repoint: web}]"));
    EXPECT_EQ(why(stopped, "db"), "restore-db is stopped before it is done");
    EXPECT_FALSE(stopped.at("web", "s").time.recovers) << "what comes after it never begins";
    EXPECT_EQ(told_by(stopped, "timeout-too-short"),
              "s gives restore-db 2m, and it takes 8m | by the plan's own account");
    const Judged fine(
        shop(lost + "[{restore: db, estimate: 8m, timeout: 9m}, {verify: db}, {repoint: web}]"));
    EXPECT_EQ(why(fine, "db"), "");
    EXPECT_FALSE(fine.finds("timeout-too-short")) << fine.text();
    const Judged waits(shop(lost +
                            "[{restore: db}, {wait: {until: {healthy: db}, for: 1m}, estimate: "
                            "3m}, {repoint: web}]"));
    EXPECT_TRUE(waits.finds("timeout-too-short")) << "`for:` is the most that it waits";
    EXPECT_FALSE(waits.at("db", "s").time.recovers);
    // Here it was done in time, whatever the plan believes.
    History history;
    for (int i = 0; i < 5; ++i) history.add({"restore", "db", ""}, 1min);
    const Judged measured(shop(lost + "[{restore: db, estimate: 8m, timeout: 2m}, {repoint: web}]"),
                          history);
    EXPECT_EQ(why(measured, "db"), "");
}

TEST(order, a_watch_takes_as_long_as_it_says) {
    const Judged watched(
        shop(lost +
             "[{restore: db, estimate: 5m}, {monitor: db, for: 20m}, {repoint: web, estimate: "
             "1m}]"));
    EXPECT_EQ(watched.at("web", "s").time.total.p95, Duration(1min + 5min + 20min + 1min))
        << explained_path(watched.at("web", "s").time);
}

TEST(retention, shorter_than_it_takes_to_notice_leaves_nothing_good) {
    const std::string steps = "[{isolate: web}, {restore: db}, {repoint: web}, {release: web}]";
    const Judged gone(shop(wrong + steps, "{method: continuous, keep: 2m, immutable: true}"));
    EXPECT_FALSE(gone.at("db", "s").loss.worst.has_value());
    EXPECT_TRUE(gone.at("db", "s").loss.why.contains("are kept for 2m")) << gone.text();
    EXPECT_TRUE(gone.finds("rpo-unreachable")) << gone.text();
    const Judged left(shop(wrong + steps, "{method: continuous, keep: 1h, immutable: true}"));
    EXPECT_EQ(left.at("db", "s").loss.worst, Duration(10min));
    // Nothing is wrong with a point that is minutes old when the database is just gone.
    const Judged lost_only(shop(lost + "[{restore: db}, {repoint: web}]",
                                "{method: continuous, keep: 6m, immutable: true}"));
    EXPECT_EQ(lost_only.at("db", "s").loss.worst, Duration(5min));
    const Judged behind(shop(lost + "[{restore: db}, {repoint: web}]",
                             "{method: continuous, keep: 2m, immutable: true}"));
    EXPECT_TRUE(behind.at("db", "s").loss.assumed) << "its stream may be five minutes behind";
    const Judged guessed(shop("corrupted: [db], steps: " + steps,
                              "{method: continuous, keep: 20m, immutable: true}"));
    EXPECT_TRUE(guessed.at("db", "s").loss.assumed) << "half an hour until somebody tells";
    for (const Judgement& one : guessed.judgements)
        if (one.diagnostic.id == "rpo-unreachable" && one.scenario == "s") {
            EXPECT_EQ(one.diagnostic.level, plan::DiagnosticLevel::warning);
        }
}

TEST(retention, shorter_than_the_interval_leaves_nothing_at_all) {
    const std::string steps = "[{restore: db}, {repoint: web}]";
    const Judged gap(shop(lost + steps, "{method: snapshot, every: 15m, keep: 10m}"));
    EXPECT_FALSE(gap.at("db", "s").loss.worst.has_value());
    EXPECT_TRUE(gap.finds("retention-gap")) << gap.text();
    const Judged nothing(shop(lost + steps, "{method: snapshot, every: 15m, keep: 0s}"));
    EXPECT_TRUE(nothing.finds("retention-gap")) << nothing.text();
}

TEST(detection, leaves_out_signals_that_nothing_gives) {
    const auto detected = [](const std::string& detect) {
        const Judged judged(shop("lost: [db], detect: " + detect + ", steps: [{restore: db}]"));
        return judged.at("db", "s").time.path.front().spread;
    };
    EXPECT_EQ(detected("[{alert: NobodyEmits, for: 1s}, {unhealthy: db, for: 9m}]").p95,
              Duration(9min));
    EXPECT_EQ(detected("[{alert: odd, for: 1s}, {unhealthy: db, for: 9m}]").p95, Duration(1s));
    const Spread people = detected("[{alert: NobodyEmits, for: 1s}, {unhealthy: web, for: 1s}]");
    EXPECT_EQ(people.p95, Duration(30min));
    EXPECT_EQ(people.basis, Basis::assumed);
    EXPECT_EQ(detected("{all: [{alert: NobodyEmits, for: 1s}, {unhealthy: db, for: 9m}]}").p95,
              Duration(30min))
        << "both must come, and one never does";
    EXPECT_EQ(detected("[{alert: NobodyEmits, for: 1s}, {report: a call}]").p95, Duration(30min));
}

TEST(history_of_people, is_that_of_the_scenario_and_of_who_was_asked) {
    History history;
    history.add_detection("other", 6s);
    history.add_detection("s", 6s);
    history.add_approval({"ops"}, 5s);
    const Judged judged(
        plan::parse_text(two_regions(
            "roles: {ic: {}, ops: {}}\ncomponents:\n  db: {kind: aws.rds, objectives: {rto: 1h}}\n"
            "scenarios:\n  s: {corrupted: [db], steps: [{restore: db, estimate: 1m, approve: {by: "
            "[ic], within: 10m}}]}\n")),
        history);
    const RecoveryTime& time = judged.at("db", "s").time;
    EXPECT_EQ(time.total.p95, Duration(41min));
    EXPECT_TRUE(explained_path(time).contains("detection 30m (assumed, and measured once)"))
        << explained_path(time);
    EXPECT_TRUE(explained_path(time).contains("approval of restore-db 10m (estimate)"))
        << explained_path(time);
}

}  // namespace
}  // namespace lifeboat::readiness

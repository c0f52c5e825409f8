#include "engine/sim/trial.h"

#include <gtest/gtest.h>

#include <map>

#include "core/plan/parse.h"
#include "engine/sim/campaign.h"
#include "engine/sim/explain.h"
#include "platform/base/text.h"
#include "platform/env/sim_clock.h"

namespace lifeboat::engine::sim {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

/// A database with a streamed log, a cache saved once a day, a shop that needs both.
constexpr const char* shop_plan = R"(
lifeboat: 1
plan: shop
sites:
  primary:
    aws: {region: us-east-1, account: "1"}
    kubernetes: {cluster: prod, namespace: shop}
roles:
  commander: {title: Commander}
  other: {title: Other}
people:
  ada: {name: Ada, roles: [commander]}
components:
  database:
    kind: aws.rds
    site: primary
    objectives: {rto: 4h, rpo: 15m}
    protect: [{method: continuous, every: 1m, keep: 30d}]
    health: [{tcp: 5432}]
  cache:
    kind: aws.elasticache
    site: primary
    objectives: {rto: 4h, rpo: 1h}
    protect: [{method: snapshot, every: 24h, keep: 7d}]
    health: [{tcp: 6379}]
  shop:
    kind: kubernetes.deployment
    site: primary
    objectives: {rto: 4h}
    needs: [database, cache]
scenarios:
  database-lost:
    lost: [database]
    detect: {any: [{unhealthy: database, for: 30s}]}
    steps:
      - restore: database
      - repoint: shop
      - verify: database
  database-wrong:
    corrupted: [database]
    detect: {any: [{report: wrong data}]}
    steps:
      - restore: database
        approve: {by: [commander], within: 30m}
  cache-lost:
    lost: [cache]
    detect: {any: [{unhealthy: cache}]}
    steps: [{restore: cache}]
)";

struct Tried {
    plan::Catalog catalog;
    plan::Parsed parsed;
    std::unique_ptr<Stage> stage;
};

Tried tried(const std::string& text, const Stage::Options& options = {}) {
    Tried made;
    made.parsed =
        plan::parse("plan.yaml", text, made.catalog,
                    [](const std::string& path) -> Result<std::string> { return not_found(path); });
    for (const plan::Diagnostic& one : made.parsed.diagnostics)
        EXPECT_NE(one.level, plan::DiagnosticLevel::error) << one.message;
    auto stage = Stage::make(made.parsed.plan, made.catalog, options);
    EXPECT_TRUE(stage.has_value()) << stage.error().message;
    made.stage = std::make_unique<Stage>(std::move(*stage));
    return made;
}

Tally many(const Stage& stage, std::uint64_t runs, unsigned jobs = 1) {
    const SimClock clock;
    return run_campaign(stage, {.runs = runs, .seed = 1, .jobs = jobs, .progress = {}},
                        Context(clock));
}

std::string with(std::string text, const std::string& what, const std::string& instead) {
    const std::size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), instead);
}

TEST(Trial, ends_the_same_over_the_real_driver_and_over_the_lean_journal) {
    const Tried plan = tried(shop_plan);
    unsigned crashes = 0;
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        const TrialResult lean = run_trial(*plan.stage, {.seed = seed, .faithful = false});
        const TrialResult real = run_trial(*plan.stage, {.seed = seed, .faithful = true});
        EXPECT_EQ(lean.broken, "") << "seed " << seed;
        EXPECT_EQ(real.broken, "") << "seed " << seed;
        EXPECT_EQ(lean.events, real.events) << "seed " << seed;
        EXPECT_EQ(lean.took, real.took) << "seed " << seed;
        ASSERT_EQ(lean.measures.size(), real.measures.size());
        for (std::size_t i = 0; i < lean.measures.size(); ++i)
            EXPECT_EQ(lean.measures[i].value, real.measures[i].value) << "seed " << seed;
        crashes += real.crashes;
    }
    EXPECT_GT(crashes, 0U) << "some engines must die for this to mean anything";
}

TEST(Trial, ends_every_run_that_people_can_end) {
    const Tried plan = tried(shop_plan);
    for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
        const TrialResult trial = run_trial(*plan.stage, {.seed = seed});
        EXPECT_EQ(trial.broken, "") << "seed " << seed;
        if (trial.began) {
            EXPECT_EQ(trial.status, runbook::RunStatus::finished) << "seed " << seed;
        }
    }
}

TEST(Trial, waits_for_good_when_nobody_can_approve) {
    const Tried plan = tried(with(shop_plan, "roles: [commander]", "roles: [other]"),
                             {.scenario = "database-wrong", .history = {}});
    const TrialResult trial = run_trial(*plan.stage, {.seed = 5});
    EXPECT_TRUE(trial.began);
    EXPECT_EQ(trial.status, runbook::RunStatus::waiting);
    EXPECT_TRUE(trial.measures[0].never);
}

TEST(Trial, loses_what_the_protection_cannot_keep) {
    const Tried plan = tried(shop_plan);
    const Tally tally = many(*plan.stage, 3000);
    const Stage& stage = *plan.stage;
    for (std::size_t a = 0; a < stage.acts().size(); ++a) {
        const std::string& name = stage.acts()[a].name;
        const GoalTally& database = tally.acts()[a].goals[1];
        const GoalTally& cache = tally.acts()[a].goals[3];
        if (name == "database-lost") {
            EXPECT_GT(database.share_inside(), 0.99);
        }
        if (name == "database-wrong") {
            // What went wrong unseen for hours is lost with it.
            EXPECT_LT(database.share_inside(), 0.2);
        }
        if (name == "cache-lost") {
            // Once a day: an hour is kept one time in twenty-four, less what the snapshot takes.
            EXPECT_LT(cache.share_inside(), 0.06);
            EXPECT_GT(cache.share_inside(), 0.02);
            const auto median = cache.percentile(50);
            ASSERT_TRUE(median.has_value());
            EXPECT_GT(*median, hours(11));
            EXPECT_LT(*median, hours(14));
        }
    }
}

TEST(Trial, restores_from_points_and_promotes_a_replica) {
    const std::string protect = "protect: [{method: snapshot, every: 24h, keep: 7d}]";
    const std::string followed =
        with(shop_plan, protect,
             "protect: [{method: snapshot, every: 24h, keep: 7d}, {method: replica}]");
    const auto kept = [](const std::string& text) {
        const Tried plan = tried(text, {.scenario = "cache-lost", .history = {}});
        return many(*plan.stage, 1000).of_all(3).share_inside();
    };
    EXPECT_LT(kept(followed), 0.06) << "a replica does not make the point younger";
    const std::string promoted = with(followed, "restore: cache", "promote: cache");
    EXPECT_GT(kept(promoted), 0.99);
    const Tried plan =
        tried(with(promoted, ", {method: replica}", ""), {.scenario = "cache-lost", .history = {}});
    const GoalTally alone = many(*plan.stage, 100).of_all(3);
    EXPECT_EQ(alone.by_plan, alone.trials) << "there is nothing to promote";
}

TEST(Trial, brings_a_component_back_no_earlier_than_what_it_needs) {
    const Tried plan = tried(shop_plan);
    for (std::uint64_t seed = 1; seed <= 500; ++seed) {
        const TrialResult trial = run_trial(*plan.stage, {.seed = seed});
        const Measure& database = trial.measures[0];
        const Measure& site = trial.measures[4];
        if (!database.applies) continue;
        ASSERT_TRUE(site.applies) << "seed " << seed;
        if (!site.never) {
            EXPECT_GE(site.value, database.value) << "seed " << seed;
        }
    }
}

TEST(Trial, says_when_nothing_in_the_plan_brings_it_back) {
    const std::string text =
        with(shop_plan, "steps: [{restore: cache}]", "steps: [{verify: cache}]");
    const Tried plan = tried(text, {.scenario = "cache-lost", .history = {}});
    const TrialResult trial = run_trial(*plan.stage, {.seed = 1});
    EXPECT_TRUE(trial.measures[2].never);
    EXPECT_TRUE(trial.measures[2].by_plan);
    EXPECT_TRUE(trial.measures[3].by_plan) << "and so its data";
    EXPECT_TRUE(trial.measures[4].by_plan) << "the shop waits for it";
}

TEST(Trial, takes_as_long_as_was_measured_here) {
    readiness::History history;
    for (int i = 0; i < 10; ++i) history.add({"restore", "cache", ""}, hours(3) + minutes(i));
    const Tried plan = tried(shop_plan, {.scenario = "cache-lost", .history = std::move(history)});
    const Tally tally = many(*plan.stage, 400);
    const auto median = tally.of_all(2).percentile(50);
    ASSERT_TRUE(median.has_value());
    EXPECT_GT(*median, hours(2) + minutes(30));
    EXPECT_EQ(plan.stage->acts()[0].paces[0].basis(), readiness::Basis::measured);
}

TEST(Campaign, comes_to_the_same_on_any_number_of_threads) {
    const Tried plan = tried(shop_plan);
    const Tally one = many(*plan.stage, 1000, 1);
    const Tally four = many(*plan.stage, 1000, 4);
    EXPECT_EQ(one.trials(), 1000U);
    EXPECT_EQ(one.events(), four.events());
    for (std::size_t i = 0; i < plan.stage->goals().size(); ++i) {
        EXPECT_EQ(one.of_all(i).inside, four.of_all(i).inside);
        EXPECT_EQ(one.of_all(i).percentile(50), four.of_all(i).percentile(50));
    }
    ASSERT_EQ(one.worst().size(), four.worst().size());
    for (std::size_t i = 0; i < one.worst().size(); ++i)
        EXPECT_EQ(one.worst()[i].seed, four.worst()[i].seed);
}

TEST(Campaign, stops_when_asked_and_keeps_what_it_has) {
    const Tried plan = tried(shop_plan);
    const SimClock clock;
    std::stop_source stop;
    const Tally tally = run_campaign(*plan.stage,
                                     {.runs = 1'000'000,
                                      .seed = 1,
                                      .jobs = 1,
                                      .progress = [&](std::uint64_t) { stop.request_stop(); }},
                                     Context(clock, stop.get_token()));
    EXPECT_GT(tally.trials(), 0U);
    EXPECT_LT(tally.trials(), 1'000'000U);
}

TEST(Explain, tells_one_disaster_from_its_beginning_to_its_results) {
    const Tried plan = tried(shop_plan, {.scenario = "database-lost", .history = {}});
    const Explanation told = explain(*plan.stage, 3);
    ASSERT_FALSE(told.incident.timeline.empty());
    EXPECT_EQ(told.incident.timeline.front().what, "the disaster");
    EXPECT_TRUE(told.disaster.starts_with("database-lost: lost: database")) << told.disaster;
    EXPECT_EQ(told.results.size(), 3U) << "two of the database, and the shop waits for it";
    const TrialResult alone = run_trial(*plan.stage, {.seed = 3});
    EXPECT_EQ(told.trial.took, alone.took) << "the story is that of the counted trial";
}

/// Reads a story as people do: whatever moves a step must have been said.
class Reader {
public:
    /// What is wrong with this line after those before it; "" when nothing is.
    std::string read(const std::string& line) {
        const auto says = [&](std::string_view words) { return line.find(words) != line.npos; };
        std::string& last = last_[step_of(line)];
        std::string wrong;
        const bool moved = last == "asked" || last == "open";
        if (says("another engine goes on"))
            for (auto& [step, said] : last_)
                if (said != "held") said = "open";  // what it was at began with the engine
        if (says(" needs a person: ")) last = "held";
        if (says(" waits for approval")) last = "held";
        if (says(" lets ") || says(" approves ") || says(" has every approval")) last = "asked";
        if (says(" will be tried again in ") || says(": nothing happened")) last = "open";
        if (says(" begins again, attempt ")) {
            if (!moved) wrong = "it begins again, and nothing says why";
            last.clear();
        }
        if (says(" is done after ") && last == "held") wrong = "nobody did it, and it is done";
        if (says("on call begins to do ") && last != "held") wrong = "nobody was asked for";
        return wrong;
    }

private:
    static std::string step_of(const std::string& line) {
        for (const char* step : {"restore-database", "repoint-shop", "verify-database",
                                 "restore-cache", "verify-cache"})
            if (line.find(step) != line.npos) return step;
        return {};
    }
    std::map<std::string, std::string> last_;
};

TEST(Explain, leaves_no_hole_in_any_story) {
    std::string plan = shop_plan;
    plan.replace(plan.find("[{restore: cache}]"), 18, "[{restore: cache}, {verify: cache}]");
    const Tried made = tried(plan);
    std::map<std::string, unsigned> seen;
    for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
        const Explanation told = explain(*made.stage, seed);
        Reader reader;
        for (const incident::Entry& entry : told.incident.timeline) {
            const std::string wrong = reader.read(entry.what);
            EXPECT_EQ(wrong, "") << "seed " << seed << ": " << entry.what << "\n"
                                 << join(incident::timeline_text(told.incident), "\n");
            if (!wrong.empty()) return;
            for (const char* words :
                 {" needs a person: ", "the answer comes late", " will be tried again in ",
                  "on call is called", " is called to approve ", " approves ", " lets ",
                  " was done by hand", "on call is there for ", "finds no engine to ask"})
                seen[words] += entry.what.find(words) != std::string::npos;
        }
    }
    EXPECT_EQ(seen.size(), 10U);
    for (const auto& [words, times] : seen)
        EXPECT_GT(times, 0U) << "'" << words << "' never happened: the test reads too little";
}

TEST(Histogram, keeps_quantiles_within_two_percent) {
    Histogram histogram;
    for (int i = 1; i <= 10'000; ++i) histogram.add(seconds(i));
    for (const std::uint64_t rank : {100U, 2500U, 5000U, 9500U, 9999U}) {
        const auto found = static_cast<double>(histogram.at_rank(rank).count());
        EXPECT_NEAR(found / 1e6, static_cast<double>(rank), 0.02 * static_cast<double>(rank));
    }
    EXPECT_EQ(histogram.most(), seconds(10'000));
    EXPECT_EQ(histogram.at_rank(10'000), seconds(10'000));
}

}  // namespace
}  // namespace lifeboat::engine::sim

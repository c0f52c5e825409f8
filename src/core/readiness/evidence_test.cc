#include "core/readiness/evidence.h"

#include <gtest/gtest.h>

#include "core/plan/test_plans.h"

namespace lifeboat::readiness {

// NOLINTNEXTLINE(readability-identifier-naming): the name is GoogleTest's
inline void PrintTo(Standing standing, std::ostream* out) { *out << to_string(standing); }

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Instant now = *parse_instant("2026-11-23T12:00:00Z");

plan::Plan plan_of(const std::string& evidence = "evidence: {valid: 10d}",
                   const std::string& more = "") {
    const plan::Parsed parsed = plan::parse_text(R"(lifeboat: 1
plan: test
)" + evidence + R"(
sites:
  primary: {local: {directory: primary, ports: 15500-15549}}
  dr: {local: {directory: dr, ports: 15550-15599}}
components:
  database:
    kind: postgres
    site: primary
    objectives: {rto: 1h, rpo: 15m}
    port: 15500
    protect: [{method: continuous}]
  other: {kind: redis, site: primary, port: 15502, protect: [{method: snapshot, every: 1h}]}
  app:
    kind: process
    site: primary
    objectives: {rto: 2h}
    command: [run]
    needs: [database]
    ports: [15501]
scenarios:
  lost:
    lost: [database]
    steps:
      - restore: database
      - verify: database
)" + more);
    EXPECT_EQ(plan::all(parsed), "");
    return parsed.plan;
}

Fact fact(const plan::Plan& plan, Duration ago, const std::string& subject = "run-1") {
    Fact fact;
    fact.at = now - ago;
    fact.subject = subject;
    fact.component = "database";
    fact.scenario = "lost";
    fact.value = minutes(4);
    fact.met = true;
    fact.environment = "real";
    fact.plan_digest = plan.digest;
    fact.part_digest = part_digest(plan, "database", "lost");
    fact.versions = Json{{"lifeboat", "1"}, {"database", "15.4"}};
    return fact;
}

Proof weigh_one(const plan::Plan& plan, const std::vector<Fact>& facts,
                const Json& versions = Json::object()) {
    return weigh(plan, facts, "database", Objective::rto, "lost", versions, now);
}

TEST(evidence, nothing_measured_proves_nothing) {
    const plan::Plan plan = plan_of();
    const Proof proof = weigh_one(plan, {});
    EXPECT_EQ(proof.standing, Standing::none);
    EXPECT_FALSE(proof.fact);
}

TEST(evidence, a_fresh_real_fact_proves_and_tells_its_age) {
    const plan::Plan plan = plan_of();
    const Proof proof = weigh_one(plan, {fact(plan, hours(50))});
    EXPECT_EQ(proof.standing, Standing::proven);
    EXPECT_EQ(proof.age, hours(50));
    EXPECT_EQ(proof.fact->value, minutes(4));
}

TEST(evidence, a_missed_objective_is_missed_also_when_an_older_one_was_met) {
    const plan::Plan plan = plan_of();
    Fact missed = fact(plan, hours(1), "run-2");
    missed.met = false;
    const Proof proof = weigh_one(plan, {fact(plan, hours(2)), missed});
    EXPECT_EQ(proof.standing, Standing::missed);
    EXPECT_EQ(proof.fact->subject, "run-2");
}

TEST(evidence, an_easy_disaster_does_not_hide_that_the_hard_one_was_missed) {
    const plan::Plan plan = plan_of();
    Fact missed = fact(plan, hours(2), "run-1"), easy = fact(plan, hours(1), "run-2");
    missed.met = false;
    easy.scenario = "";
    easy.part_digest = part_digest(plan, "database", "");
    const std::vector<Fact> facts{missed, easy};
    const auto over_all = [&](const std::vector<Fact>& known) {
        return weigh(plan, known, "database", Objective::rto, "", Json::object(), now);
    };
    EXPECT_EQ(over_all(facts).standing, Standing::missed);
    EXPECT_EQ(over_all(facts).fact->subject, "run-1");
    EXPECT_EQ(over_all({missed, easy, fact(plan, minutes(5))}).standing, Standing::proven)
        << "until that disaster is met in time, too";
}

TEST(evidence, a_point_found_bad_is_not_good_because_an_earlier_one_is) {
    const plan::Plan plan = plan_of();
    const auto looked = [&](Duration ago, bool good, Duration as_of) {
        Fact found = fact(plan, ago);
        found.objective = Objective::restorable;
        found.scenario = "";
        found.part_digest = part_digest(plan, "database", "");
        found.met = good;
        found.conditions["as_of"] = format_instant(now - as_of);
        return found;
    };
    const auto standing = [&](const std::vector<Fact>& facts) {
        return weigh(plan, facts, "database", Objective::restorable, "", Json::object(), now)
            .standing;
    };
    const Fact bad = looked(hours(3), false, hours(4));
    const Fact earlier = looked(hours(2), true, hours(9)), later = looked(hours(1), true, hours(4));
    EXPECT_EQ(standing({bad, earlier}), Standing::missed);
    EXPECT_EQ(standing({bad, later}), Standing::proven);
    EXPECT_EQ(standing({bad, later, looked(minutes(1), true, hours(9))}), Standing::proven)
        << "what was taken back stays so";
}

TEST(evidence, a_clock_that_once_ran_ahead_puts_what_is_older_in_doubt_and_says_so) {
    const plan::Plan plan = plan_of();
    Fact ahead = fact(plan, -hours(24 * 365), "run-2");
    ahead.component = "other";
    const Proof old = weigh_one(plan, {fact(plan, hours(1)), ahead});
    EXPECT_EQ(old.standing, Standing::clock_in_doubt);
    EXPECT_EQ(old.age, hours(1));
    EXPECT_EQ(weigh_one(plan, {ahead, fact(plan, hours(1), "run-3")}).standing, Standing::proven)
        << "what was measured since is not touched by it";
}

TEST(evidence, expires_by_the_plans_age) {
    const plan::Plan plan = plan_of();
    EXPECT_EQ(weigh_one(plan, {fact(plan, hours(240))}).standing, Standing::proven);
    const Proof proof = weigh_one(plan, {fact(plan, hours(240) + seconds(1))});
    EXPECT_EQ(proof.standing, Standing::expired);
    EXPECT_TRUE(proof.fact) << "what is worth nothing any more is still shown";
}

TEST(evidence, expires_after_thirty_days_where_the_plan_does_not_say) {
    const plan::Plan plan = plan_of("");
    EXPECT_EQ(weigh_one(plan, {fact(plan, hours(24 * 30))}).standing, Standing::proven);
    EXPECT_EQ(weigh_one(plan, {fact(plan, hours(24 * 31))}).standing, Standing::expired);
}

TEST(evidence, expires_at_once_when_its_part_of_the_plan_reads_differently) {
    const plan::Plan then = plan_of();
    const std::vector<Fact> facts{fact(then, hours(1))};
    plan::Plan plan = plan_of();
    plan.components[0].protect[0].method = "base";
    EXPECT_EQ(weigh_one(plan, facts).standing, Standing::plan_changed);
    plan = plan_of();
    plan.components[0].objectives.rto = minutes(30);
    EXPECT_EQ(weigh_one(plan, facts).standing, Standing::plan_changed);
    plan = plan_of();
    plan.scenarios[0].steps.pop_back();
    EXPECT_EQ(weigh_one(plan, facts).standing, Standing::plan_changed);
    plan = plan_of();
    plan.sites[0].platforms["local"]["directory"] = "elsewhere";
    EXPECT_EQ(weigh_one(plan, facts).standing, Standing::plan_changed);
}

TEST(evidence, stands_when_the_plan_changes_elsewhere) {
    const plan::Plan then = plan_of();
    const std::vector<Fact> facts{fact(then, hours(1))};
    plan::Plan plan = plan_of("evidence: {valid: 10d}", R"(
  more:
    steps: [{restore: other}]
severities: {SEV-1: {title: Bad}}
)");
    plan.components[0].title = "Another title";
    plan.components[0].at.line = 900;
    plan.components[1].settings["port"] = 15520;
    plan.components[2].objectives.rto = minutes(1);
    plan.scenarios[0].steps[0].note = "be careful";
    plan.sites[1].platforms["local"]["directory"] = "elsewhere";
    plan.digest = "other";
    EXPECT_EQ(weigh_one(plan, facts).standing, Standing::proven);
}

TEST(evidence, of_an_application_rests_on_what_it_needs) {
    const plan::Plan then = plan_of();
    plan::Plan plan = plan_of();
    plan.components[0].settings["port"] = 15540;
    EXPECT_NE(part_digest(then, "app", ""), part_digest(plan, "app", ""));
    EXPECT_EQ(part_digest(then, "other", ""), part_digest(plan, "other", ""));
    EXPECT_NE(part_digest(then, "app", ""), part_digest(then, "app", "lost"));
}

/// What is stored today must be recognised by tomorrow's build: a change here makes all evidence of
/// all users lapse.
TEST(evidence, digests_of_parts_are_stable) {
    EXPECT_EQ(part_digest(plan_of(), "database", "lost"),
              part_digest(plan_of("evidence: {valid: 1d}"), "database", "lost"));
    EXPECT_EQ(part_digest(plan_of(), "database", "lost").substr(0, 16), "eb6e8a2b9aa88e84");
}

TEST(evidence, lapses_when_versions_changed_and_compares_only_what_both_name) {
    const plan::Plan plan = plan_of();
    const std::vector<Fact> facts{fact(plan, hours(1))};
    EXPECT_EQ(weigh_one(plan, facts, Json{{"database", "15.4"}, {"app", "7"}}).standing,
              Standing::proven);
    EXPECT_EQ(weigh_one(plan, facts, Json{{"database", "16.0"}}).standing,
              Standing::versions_changed);
}

TEST(evidence, of_an_emulated_environment_is_shown_and_never_proves) {
    const plan::Plan plan = plan_of();
    Fact emulated = fact(plan, hours(1), "run-2");
    emulated.environment = "emulated";
    EXPECT_EQ(weigh_one(plan, {emulated}).standing, Standing::emulated);
    const Proof proof = weigh_one(plan, {fact(plan, hours(2)), emulated});
    EXPECT_EQ(proof.standing, Standing::proven) << "the real one still counts";
    EXPECT_EQ(proof.fact->subject, "run-1");
}

TEST(evidence, from_the_future_is_not_fresh) {
    const plan::Plan plan = plan_of();
    EXPECT_EQ(weigh_one(plan, {fact(plan, -hours(1))}).standing, Standing::from_future);
}

TEST(evidence, does_not_grow_younger_when_the_clock_goes_back) {
    const plan::Plan plan = plan_of();
    // Recorded nine days before the clock was set back by two: eleven days have really passed.
    const std::vector<Fact> facts{fact(plan, hours(24 * 9)), fact(plan, -hours(48), "run-2")};
    const Proof proof = weigh_one(plan, facts);
    EXPECT_NE(proof.standing, Standing::proven);
    // A clock that once ran ahead and was set right: what is proven since counts.
    const std::vector<Fact> mended{fact(plan, -hours(9000)), fact(plan, hours(1), "run-2")};
    EXPECT_EQ(weigh_one(plan, mended).standing, Standing::proven);
}

TEST(evidence, of_another_scenario_counts_only_when_any_is_asked_for) {
    const plan::Plan plan = plan_of();
    const std::vector<Fact> facts{fact(plan, hours(1))};
    EXPECT_EQ(weigh(plan, facts, "database", Objective::rto, "fire", {}, now).standing,
              Standing::none);
    EXPECT_EQ(weigh(plan, facts, "database", Objective::rto, "", {}, now).standing,
              Standing::proven);
    EXPECT_EQ(weigh(plan, facts, "database", Objective::rpo, "", {}, now).standing, Standing::none);
    EXPECT_EQ(weigh(plan, facts, "app", Objective::rto, "", {}, now).standing, Standing::none);
}

TEST(evidence, a_backup_alone_proves_nothing) {
    const plan::Plan plan = plan_of();
    Fact backup = fact(plan, hours(1));
    backup.source = Source::backup;
    EXPECT_EQ(weigh_one(plan, {backup}).standing, Standing::none);
}

TEST(evidence, is_read_back_as_it_was_written) {
    Fact written = fact(plan_of(), hours(1));
    written.conditions = Json{{"size", 12}, {"site", "primary"}};
    const auto read = fact_from_json(to_json(written));
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(to_json(*read), to_json(written));
    written.value.reset();
    EXPECT_FALSE(fact_from_json(to_json(written))->value);
}

TEST(evidence, that_cannot_be_read_names_the_member) {
    Json json = to_json(fact(plan_of(), hours(1)));
    json["objective"] = "fun";
    const auto read = fact_from_json(json);
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().kind, ErrorKind::invalid);
    EXPECT_NE(read.error().message.find("objective"), std::string::npos) << read.error().message;
    EXPECT_FALSE(fact_from_json(Json("text")).has_value());
    json.erase("met");
    EXPECT_FALSE(fact_from_json(json).has_value());
}

}  // namespace
}  // namespace lifeboat::readiness

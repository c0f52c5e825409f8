#include "engine/evidence.h"

#include "engine/evidence_export.h"
#include "engine/protection.h"
#include "engine/run_loop.h"
#include "engine/testing.h"

namespace lifeboat::engine {
namespace {

using namespace testing;
using readiness::Fact;
using readiness::Objective;
using readiness::Standing;
using std::chrono::seconds;

constexpr const char* promised = R"(
components:
  db:
    kind: fake
    port: 15900
    objectives: {rto: 1m, rpo: 1m}
    protect: [{method: snapshot, every: 1m}]
  web: {kind: fake, port: 15901, needs: [db], objectives: {rto: 2m}}
scenarios:
  lost:
    lost: [db]
    steps:
      - restore: db
      - repoint: web
      - verify: db
)";

Fact fact_at(World& world, Duration ago, const std::string& subject) {
    Fact fact = new_fact(world.workspace().plan, "db", "lost", Objective::rto, Json::object());
    fact.at = world.workspace().now() - ago;
    fact.subject = subject;
    fact.value = seconds(3);
    fact.met = true;
    return fact;
}

TEST(evidence_stream, keeps_each_measurement_once) {
    World world(promised);
    const Fact fact = fact_at(world, seconds(1), "run-1");
    ASSERT_TRUE(record_fact(world.workspace(), fact).has_value());
    ASSERT_TRUE(record_fact(world.workspace(), fact).has_value());
    ASSERT_TRUE(
        record_facts(world.state(), {fact, fact_at(world, seconds(1), "run-2")}).has_value());
    const auto facts = load_facts(world.state());
    ASSERT_TRUE(facts.has_value());
    ASSERT_EQ(facts->size(), 2U);
    EXPECT_EQ(readiness::to_json(facts->front()), readiness::to_json(fact));
    EXPECT_EQ(facts->back().subject, "run-2");
}

TEST(evidence_stream, keeps_a_point_that_was_verified_again) {
    World world(promised);
    ASSERT_TRUE(record_fact(world.workspace(), fact_at(world, seconds(9), "point")).has_value());
    ASSERT_TRUE(record_fact(world.workspace(), fact_at(world, seconds(1), "point")).has_value());
    EXPECT_EQ(load_facts(world.state())->size(), 2U);
}

TEST(evidence_of_runs, a_finished_run_leaves_what_it_measured_and_how_long_its_steps_took) {
    World world(promised);
    auto start = world.start();
    start.scenario = "lost";
    start.plan_digest = world.workspace().plan.digest;
    start.disaster_at = world.workspace().now() - seconds(5);
    const auto run = begin_run(world.context(), world.workspace(), start, {});
    ASSERT_TRUE(run.has_value()) << run.error().message;
    const auto facts = load_facts(world.state());
    ASSERT_TRUE(facts.has_value());
    ASSERT_EQ(facts->size(), 2U);
    const Fact& db = facts->front();
    EXPECT_EQ(db.component, "db");
    EXPECT_EQ(db.subject, start.run.value);
    EXPECT_GE(*db.value, seconds(5)) << "from the disaster on, not from the run's beginning";
    EXPECT_TRUE(db.met);
    EXPECT_EQ(db.environment, "real");
    const auto proof = readiness::weigh(world.workspace().plan, *facts, "web", Objective::rto,
                                        "lost", versions_in_use({}), world.workspace().now());
    EXPECT_EQ(proof.standing, Standing::proven);

    const auto history = load_history(world.state(), world.workspace().plan);
    ASSERT_TRUE(history.has_value());
    const auto* samples = history->find({"restore", "db", ""});
    ASSERT_NE(samples, nullptr);
    EXPECT_EQ(samples->size(), 1U);
    ASSERT_NE(history->detections("lost"), nullptr);
    EXPECT_GE(history->detections("lost")->front(), seconds(5));

    // Nothing is lost when the run's end was all that reached the journal.
    ASSERT_TRUE(record_missing_runs(world.workspace()).has_value());
    EXPECT_EQ(load_facts(world.state())->size(), 2U);
}

TEST(evidence_of_runs, a_component_that_did_not_come_back_has_missed) {
    World world(promised);
    runbook::RunState run;
    run.start = world.start();
    run.start.scenario = "lost";
    run.start.plan_digest = world.workspace().plan.digest;
    run.began = run.ended = world.workspace().now();
    run.status = runbook::RunStatus::finished;
    run.outcome = runbook::Outcome::failed;
    run.steps[StepId("restore-db")].status = runbook::StepStatus::failed;
    const auto facts = facts_of_run(world.workspace().plan, run, versions_in_use({}));
    ASSERT_EQ(facts.size(), 1U) << "web was not touched";
    EXPECT_EQ(facts[0].component, "db");
    EXPECT_FALSE(facts[0].met);
    EXPECT_FALSE(facts[0].value);
    EXPECT_EQ(readiness::weigh(world.workspace().plan, facts, "db", Objective::rto, "", {},
                               world.workspace().now())
                  .standing,
              Standing::missed);
}

TEST(evidence_of_runs, what_runs_without_a_disaster_proves_nothing) {
    plan::Plan plan;
    plan.scenarios.emplace_back();
    plan.scenarios.back().name = "open";
    runbook::RunState run;
    run.start.scenario = "open";
    run.status = runbook::RunStatus::finished;
    run.outcome = runbook::Outcome::done;
    EXPECT_TRUE(facts_of_run(plan, run, Json::object()).empty());
}

TEST(evidence_of_runs, a_run_of_another_plan_proves_nothing_about_this_one) {
    World world(promised);
    auto start = world.start();
    start.scenario = "lost";
    start.plan_digest = "another";
    ASSERT_TRUE(begin_run(world.context(), world.workspace(), start, {}).has_value());
    const auto facts = load_facts(world.state());
    ASSERT_FALSE(facts->empty());
    EXPECT_EQ(readiness::weigh(world.workspace().plan, *facts, "db", Objective::rto, "", {},
                               world.workspace().now())
                  .standing,
              Standing::plan_changed);
}

TEST(evidence_of_backups, tells_the_age_that_the_newest_point_had_reached_and_repeats_rarely) {
    World world(promised);
    Instances instances(world.workspace());
    for (int i = 0; i < 3; ++i)
        ASSERT_TRUE(
            backup(world.context(), world.workspace(), instances, "db", {}, {}).has_value());
    const auto facts = load_facts(world.state());
    ASSERT_TRUE(facts.has_value());
    ASSERT_EQ(facts->size(), 1U) << "repeated points leave one fact an hour";
    EXPECT_EQ(facts->front().source, readiness::Source::backup);
    EXPECT_TRUE(facts->front().conditions.contains("took"));
    const auto history = load_history(world.state(), world.workspace().plan);
    EXPECT_EQ(history->find({"backup", "db", ""})->size(), 3U);
}

TEST(evidence_environment, is_emulated_when_any_endpoint_is_overridden) {
    plan::Plan plan;
    plan.sites.push_back(
        {.name = "primary", .platforms = Json{{"aws", {{"region", "x"}}}}, .at = {}});
    plan.components.emplace_back();
    EXPECT_EQ(environment_of(plan), "real");
    plan.components[0].at_site["dr"] = Json{{"endpoint", "http://127.0.0.1:1"}};
    EXPECT_EQ(environment_of(plan), "emulated");
    plan.components.clear();
    EXPECT_EQ(environment_of(plan), "real");
    plan.sites[0].platforms["aws"]["endpoint"] = "http://127.0.0.1:1";
    EXPECT_EQ(environment_of(plan), "emulated");
}

TEST(evidence_versions, are_those_of_the_component_and_of_what_it_needs) {
    World world(promised);
    providers::Observation seen;
    seen.facts["version"] = "15.4 (Debian 15.4-1)";
    const Json all = versions_in_use({{"db", seen}, {"web", {}}});
    EXPECT_EQ(versions_for(world.workspace().plan, "web", all)["db"], "15.4");
    EXPECT_TRUE(versions_for(world.workspace().plan, "web", all).contains("lifeboat"));
    EXPECT_FALSE(versions_for(world.workspace().plan, "other", all).contains("db"));
}

TEST(evidence_stream, is_found_again_in_the_vault_when_the_state_is_lost) {
    World world(promised);
    world.open_vault();
    const Fact first = fact_at(world, seconds(9), "run-1");
    const Fact second = fact_at(world, seconds(1), "run-2");
    ASSERT_TRUE(record_facts(world.workspace(), {first, second}).has_value());
    world.lose_state();
    EXPECT_TRUE(load_facts(world.state())->empty());
    ASSERT_TRUE(record_fact(world.workspace(), fact_at(world, seconds(0), "run-3")).has_value());
    const auto facts = load_facts(world.state());
    ASSERT_EQ(facts->size(), 3U);
    EXPECT_EQ(readiness::to_json(facts->front()), readiness::to_json(first));
    EXPECT_EQ(facts->back().subject, "run-3");
    recall_evidence(world.workspace());
    EXPECT_EQ(load_facts(world.state())->size(), 3U);
}

std::string to_upper(std::string text) {
    for (char& c : text)
        if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
    return text;
}

class EvidenceExport : public ::testing::Test {
protected:
    void SetUp() override {
        for (int i = 1; i <= 3; ++i) {
            ASSERT_TRUE(record_fact(world.workspace(),
                                    fact_at(world, seconds(10 - i), "run-" + std::to_string(i)))
                            .has_value());
        }
        document = made();
    }
    Json made() {
        auto made =
            export_evidence(world.state(), world.workspace().plan, key, world.workspace().now());
        EXPECT_TRUE(made.has_value());
        return made.has_value() ? *made : Json();
    }
    std::string refusal(const Json& changed) {
        const auto checked = verify_export(changed);
        return checked.has_value() ? std::string() : checked.error().message;
    }

    World world{promised};
    const crypto::Key key = evidence_key(crypto::Key(crypto::sha256(as_bytes("root"))));
    Json document;
};

TEST_F(EvidenceExport, holds_together) {
    const auto checked = verify_export(document);
    ASSERT_TRUE(checked.has_value()) << checked.error().message;
    EXPECT_EQ(checked->entries, 3U);
    EXPECT_EQ(checked->plan, "test");
    EXPECT_TRUE(verify_export(document, checked->public_key).has_value());
    EXPECT_FALSE(verify_export(document, std::string(64, '0')).has_value());
}

TEST_F(EvidenceExport, that_was_altered_truncated_or_reordered_is_refused) {
    Json altered = document;
    altered["entries"][1]["fact"]["met"] = false;
    EXPECT_NE(refusal(altered).find("entry 2 shows another fact"), std::string::npos);
    altered = document;
    std::string text = altered["entries"][1]["text"];
    text.replace(text.find("run-2"), 5, "run-9");
    altered["entries"][1]["text"] = text;
    EXPECT_NE(refusal(altered).find("breaks at entry 2"), std::string::npos);
    Json truncated = document;
    truncated["entries"].erase(2);
    EXPECT_NE(refusal(truncated).find("3 entries were signed, 2 are here"), std::string::npos);
    Json reordered = document;
    std::swap(reordered["entries"][0], reordered["entries"][1]);
    EXPECT_NE(refusal(reordered).find("breaks at entry 1"), std::string::npos);
    Json forged = document;
    forged["signed"] = "{}";
    EXPECT_NE(refusal(forged).find("signature"), std::string::npos);
    EXPECT_NE(refusal(Json::array()), "");
    EXPECT_NE(refusal(Json{{"format", "lifeboat-evidence-1"}}), "");
}

TEST_F(EvidenceExport, with_anything_that_nobody_signed_is_refused) {
    const auto nobody_signed = [&](const auto& change) {
        Json changed = document;
        change(changed);
        return refusal(changed);
    };
    EXPECT_NE(nobody_signed([](Json& d) {
                  d["summary"] = "all met";
              }).find("nobody signed the 'summary'"),
              std::string::npos);
    EXPECT_NE(nobody_signed([](Json& d) {
                  d["entries"][1]["note"] = "x";
              }).find("nobody signed the 'note' of entry 2"),
              std::string::npos);
    EXPECT_NE(nobody_signed([](Json& d) {
                  d["entries"][0]["fact"]["met"] = 1;
              }).find("entry 1 shows another fact"),
              std::string::npos);
    EXPECT_NE(nobody_signed([](Json& d) { d["entries"][0]["fact"]["remark"] = "x"; }), "");
    EXPECT_NE(nobody_signed([](Json& d) {
                  d["public_key"] = to_upper(d["public_key"]);
              }).find("written in another way"),
              std::string::npos);
    EXPECT_EQ(nobody_signed([](Json& d) { d = parse_json(dump_canonical(d)).value(); }), "")
        << "order and blanks are nobody's business";
}

TEST_F(EvidenceExport, signed_by_a_key_with_which_anybody_signs_anything_is_refused) {
    // Points of order 1, 8 and 8, and one written beyond the prime; whatever the sign bit says.
    for (const std::string& key_text :
         {"01" + std::string(62, '0'), "01" + std::string(60, '0') + "80",
          std::string("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"),
          std::string("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
          "ee" + std::string(60, 'f') + "7f"}) {
        Json forged = document;
        forged["public_key"] = key_text;
        forged["signature"] = "01" + std::string(126, '0');
        EXPECT_NE(refusal(forged).find("signature"), std::string::npos) << key_text;
    }
}

TEST_F(EvidenceExport, whose_chain_was_made_anew_says_so) {
    const Json first = document;
    world.lose_state();
    for (int i = 0; i < 3; ++i)
        ASSERT_TRUE(record_fact(world.workspace(), fact_at(world, seconds(i), "new")).has_value());
    Json mixed = made();
    mixed["signed"] = first["signed"];
    mixed["signature"] = first["signature"];
    EXPECT_NE(refusal(mixed).find("the chain was made anew"), std::string::npos) << refusal(mixed);
}

TEST_F(EvidenceExport, must_continue_an_earlier_one) {
    ASSERT_TRUE(record_fact(world.workspace(), fact_at(world, seconds(1), "run-4")).has_value());
    const Json later = made();
    EXPECT_TRUE(verify_export(later, {}, &document).has_value());
    EXPECT_FALSE(verify_export(document, {}, &later).has_value());
    world.lose_state();
    for (int i = 0; i < 4; ++i)
        ASSERT_TRUE(record_fact(world.workspace(), fact_at(world, seconds(i), "new")).has_value());
    const Json anew = made();
    EXPECT_TRUE(verify_export(anew).has_value());
    const auto checked = verify_export(anew, {}, &document);
    ASSERT_FALSE(checked.has_value());
    EXPECT_NE(checked.error().message.find("written anew"), std::string::npos);
}

}  // namespace
}  // namespace lifeboat::engine

// What an engine finds when it opens the journal of one that is gone; the ledger.

#include "core/runbook/test_machine.h"

namespace lifeboat::runbook {
namespace {

using namespace testing;

TEST(Restart, probes_an_intent_without_an_outcome) {
    TestRun run({node("a")});
    run.begin().send(EngineStarted{"again"});
    EXPECT_EQ(run.status("a"), StepStatus::probing);
    EXPECT_TRUE(run.asked<StartVerb>().empty());
    run.probed("a", ProbeVerdict::absent);
    ASSERT_EQ(run.asked<StartVerb>().size(), 1U) << "nothing failed: no backoff";
    EXPECT_EQ(run.asked<StartVerb>()[0].attempt, 2U);
    EXPECT_EQ(run.step("a").failures, 0U);
}

TEST(Restart, starts_an_idempotent_verb_again) {
    Node a = node("a");
    a.safety = plan::Safety::idempotent;
    TestRun run({a});
    run.begin().send(EngineStarted{"again"});
    EXPECT_EQ(run.asked<StartVerb>()[0].attempt, 2U);
}

TEST(Restart, asks_a_person_about_a_once_verb) {
    Node a = node("a");
    a.safety = plan::Safety::once;
    TestRun run({a});
    run.begin().send(EngineStarted{"again"});
    EXPECT_EQ(run.status("a"), StepStatus::needs_person);
    EXPECT_TRUE(run.step("a").unsure);
}

TEST(Restart, polls_an_operation_whose_id_is_journaled) {
    TestRun run({node("a")});
    run.begin().send(StepOperating{StepId("a"), 1, "op-9"});
    run.now += minutes(4);
    run.send(EngineStarted{"again"});
    ASSERT_EQ(run.asked<PollVerb>().size(), 1U);
    EXPECT_EQ(run.asked<PollVerb>()[0].operation, "op-9");
    ASSERT_EQ(run.asked<SetTimer>().size(), 1U);
    EXPECT_EQ(run.asked<SetTimer>()[0].after, minutes(6)) << "what is left of the attempt";
}

TEST(Restart, goes_on_with_probes_cancels_and_backoffs) {
    TestRun run({node("probing"), node("cancelling"), node("waiting")});
    run.begin().fail("probing", unknown("x"));
    run.fire_deadline("cancelling");
    run.fail("waiting", unavailable("x"));
    run.send(EngineStarted{"again"});
    EXPECT_EQ(run.asked<ProbeVerb>().size(), 2U);
    EXPECT_EQ(run.status("cancelling"), StepStatus::probing);
    EXPECT_EQ(run.status("waiting"), StepStatus::backing_off);
    run.fire("waiting");
    EXPECT_EQ(run.status("waiting"), StepStatus::starting);
}

TEST(Restart, never_waits_longer_because_the_clock_jumped_back) {
    TestRun run({node("a")});
    run.begin().fail("a", unavailable("x"));
    run.now -= std::chrono::hours(5);
    run.send(EngineStarted{"again"});
    ASSERT_EQ(run.asked<SetTimer>().size(), 1U);
    EXPECT_LE(run.asked<SetTimer>()[0].after, run.state.start.graph.nodes[0].backoff_max);
}

TEST(Restart, repeats_what_only_notes_what_would_be_done) {
    Node a = node("a");
    a.conduct = Conduct::record;
    TestRun run({a}, RunMode::preview);
    run.begin().send(EngineStarted{"again"});
    EXPECT_EQ(run.asked<RecordCalls>().size(), 1U);
}

TEST(Restart, can_happen_any_number_of_times) {
    TestRun run({node("a")});
    run.begin();
    for (int i = 0; i < 50; ++i) run.send(EngineStarted{"again"});
    run.probed("a", ProbeVerdict::done);
    EXPECT_EQ(run.state.outcome, Outcome::done);
    EXPECT_EQ(run.count<StepIntended>(), 1U);
}

TEST(Ledger, knows_what_may_have_been_made_before_it_is_made) {
    Node a = node("a");
    a.makes_instance = true;
    TestRun run({a, node("b", {"a"})}, RunMode::drill);
    run.begin();
    ASSERT_EQ(run.state.ledger.size(), 1U);
    EXPECT_EQ(run.state.ledger[0]["token"], "lb-1-a");
    EXPECT_EQ(run.state.ledger[0]["state"], "intended");
    run.succeed("a", Json{{"port", 1}, {"ledger", {{{"bucket", "x"}}}}});
    EXPECT_EQ(run.state.ledger[0]["state"], "made");
    EXPECT_EQ(run.state.ledger[0]["outputs"]["port"], 1);
    EXPECT_EQ(run.state.ledger[1]["item"]["bucket"], "x");
    ASSERT_EQ(run.state.ledger.size(), 3U) << "b changes something, too";
}

TEST(Ledger, notes_what_a_probe_did_not_find) {
    Node a = node("a");
    a.makes_instance = true;
    TestRun run({a});
    run.begin().fail("a", unknown("x"));
    run.probed("a", ProbeVerdict::absent);
    EXPECT_EQ(run.state.ledger[0]["state"], "absent");
    run.fire("a");
    EXPECT_EQ(run.state.ledger.size(), 1U);
    EXPECT_EQ(run.state.ledger[0]["state"], "intended");
}

}  // namespace
}  // namespace lifeboat::runbook

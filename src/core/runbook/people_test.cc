// Approvals, pause, retry, skip, bypass, abort and the way back: what people do to a run.

#include "core/runbook/policy.h"
#include "core/runbook/test_machine.h"

namespace lifeboat::runbook {
namespace {

using namespace testing;

Node guarded(const std::string& id, std::vector<std::string> by) {
    Node n = node(id);
    n.approve = plan::Approval{.by = std::move(by), .within = std::nullopt, .statement = "go"};
    n.approvers = {{"security", {"alice", "carol"}}, {"commander", {"alice", "bob"}}};
    return n;
}

Approved approval(const std::string& step, Actor actor) { return {StepId(step), std::move(actor)}; }

TEST(Approval, waits_for_one_of_each_name) {
    TestRun run({guarded("a", {"security", "commander"})});
    run.begin();
    EXPECT_EQ(run.status("a"), StepStatus::awaiting_approval);
    EXPECT_EQ(run.state.status, RunStatus::waiting);
    EXPECT_TRUE(run.commands.empty());
    run.send(approval("a", alice()));
    EXPECT_EQ(run.status("a"), StepStatus::awaiting_approval) << "alice stands for one of the two";
    run.send(approval("a", bob()));
    EXPECT_EQ(run.status("a"), StepStatus::starting);
    EXPECT_EQ(run.step("a").approvals.size(), 2U);
}

TEST(Approval, counts_nothing_without_proof) {
    TestRun run({guarded("a", {"security"})});
    Actor unproven = alice();
    unproven.proof.clear();
    run.begin().send(approval("a", unproven));
    EXPECT_EQ(run.status("a"), StepStatus::awaiting_approval);
    EXPECT_EQ(run.step("a").approvals.size(), 1U) << "on record all the same";
    run.send(approval("a", alice()));
    EXPECT_EQ(run.status("a"), StepStatus::starting);
}

TEST(Approval, counts_nobody_who_has_not_the_role) {
    TestRun run({guarded("a", {"security"})});
    run.begin().send(approval("a", bob()));
    EXPECT_EQ(run.status("a"), StepStatus::awaiting_approval);
}

TEST(Approval, changes_nothing_when_it_comes_twice) {
    TestRun run({guarded("a", {"security", "commander"})});
    run.begin().send(approval("a", alice()));
    EXPECT_TRUE(run.send(approval("a", alice())).events.empty());
}

TEST(Approval, lets_one_person_stand_for_two_when_the_plan_has_nobody_else) {
    Node a = guarded("a", {"security", "commander"});
    a.approvers = {{"security", {"alice"}}, {"commander", {"alice"}}};
    TestRun run({a});
    run.begin().send(approval("a", alice()));
    EXPECT_EQ(run.status("a"), StepStatus::starting);
}

TEST(Approval, finds_an_assignment_whatever_the_order) {
    // bob can only be the commander, so alice must be security, though she could be both.
    Node a = guarded("a", {"commander", "security"});
    EXPECT_TRUE(is_approved(a, {approval("a", alice()), approval("a", bob())}));
    EXPECT_TRUE(is_approved(a, {approval("a", bob()), approval("a", alice())}));
    EXPECT_FALSE(is_approved(a, {approval("a", bob())}));
}

TEST(Approval, may_come_before_it_is_asked_for) {
    Node b = guarded("b", {"security"});
    b.needs = {StepId("a")};
    TestRun run({node("a"), b});
    run.begin().send(approval("b", alice()));
    run.succeed("a");
    EXPECT_EQ(run.status("b"), StepStatus::starting);
    EXPECT_EQ(run.count<ApprovalAsked>(), 0U);
    EXPECT_EQ(run.count<ApprovalMet>(), 1U);
}

TEST(Approval, is_replaced_by_breaking_the_glass_with_a_reason) {
    TestRun run({guarded("a", {"security", "commander"})});
    run.begin();
    Approved glass = approval("a", Actor{.person = "root", .proof = {}, .host = "h", .reason = {}});
    glass.break_glass = true;
    EXPECT_FALSE(run.send(glass).refused.empty()) << "no reason given";
    glass.actor.reason = "nobody answers the phone";
    run.send(glass);
    EXPECT_EQ(run.status("a"), StepStatus::starting);
    EXPECT_TRUE(run.step("a").approvals[0].break_glass);
}

TEST(Approval, runs_out_and_can_be_asked_for_again) {
    Node a = guarded("a", {"security"});
    a.approve->within = minutes(30);
    TestRun run({a});
    run.begin();
    run.fire("a");
    EXPECT_EQ(run.status("a"), StepStatus::needs_person);
    EXPECT_FALSE(run.send(approval("a", alice())).refused.empty()) << "too late";
    run.send(RetryRequested{StepId("a"), bob()});
    EXPECT_EQ(run.status("a"), StepStatus::awaiting_approval);
    run.send(approval("a", alice()));
    EXPECT_EQ(run.status("a"), StepStatus::starting);
}

TEST(Approval, can_be_denied) {
    TestRun run({guarded("a", {"security", "commander"})});
    run.begin().send(approval("a", alice()));
    run.send(Denied{StepId("a"), bob()});
    EXPECT_EQ(run.status("a"), StepStatus::needs_person);
    EXPECT_EQ(run.step("a").error->kind, ErrorKind::denied);
    run.send(RetryRequested{StepId("a"), alice()});
    EXPECT_TRUE(run.step("a").approvals.empty()) << "asked anew";
}

TEST(Approval, is_asked_for_again_after_a_crash_with_the_time_that_is_left) {
    Node a = guarded("a", {"security"});
    a.approve->within = minutes(30);
    TestRun run({a});
    run.begin();
    run.now += minutes(20);
    run.send(EngineStarted{"again"});
    ASSERT_EQ(run.asked<SetTimer>().size(), 1U);
    EXPECT_EQ(run.asked<SetTimer>()[0].after, minutes(10));
}

TEST(Approval, does_not_hold_up_other_branches) {
    TestRun run({guarded("a", {"security"}), node("b"), node("c", {"b"})});
    run.begin().succeed("b");
    EXPECT_EQ(run.status("c"), StepStatus::starting);
    EXPECT_EQ(run.state.status, RunStatus::running);
}

TEST(Approval, is_the_whole_of_an_approve_step) {
    Node a = guarded("a", {"security"});
    a.component.clear();
    a.verb = "approve";
    TestRun run({a});
    run.begin().send(approval("a", alice()));
    EXPECT_EQ(run.status("a"), StepStatus::done);
    EXPECT_TRUE(run.asked<StartVerb>().empty());
}

TEST(Approval, waives_a_fence_that_cannot_be_had) {
    Node a = node("promote");
    a.needs_fenced = true;
    TestRun run({a});
    run.begin().fail("promote", conflict("the old primary still answers"));
    EXPECT_EQ(run.status("promote"), StepStatus::needs_person);
    EXPECT_FALSE(is_fenced(run.state, run.state.start.graph.nodes[0]));
    run.send(approval("promote", alice()));
    EXPECT_EQ(run.status("promote"), StepStatus::starting);
    EXPECT_TRUE(is_fenced(run.state, run.state.start.graph.nodes[0]));
}

TEST(Pause, lets_what_runs_finish_and_begins_nothing) {
    TestRun run({node("a"), node("b", {"a"})});
    run.begin().send(PauseRequested{alice()});
    EXPECT_EQ(run.state.status, RunStatus::pausing);
    run.succeed("a");
    EXPECT_EQ(run.state.status, RunStatus::paused);
    EXPECT_EQ(run.status("b"), StepStatus::pending);
    EXPECT_FALSE(run.send(PauseRequested{bob()}).refused.empty());
    run.send(ResumeRequested{alice()});
    EXPECT_EQ(run.status("b"), StepStatus::starting);
    EXPECT_FALSE(run.send(ResumeRequested{alice()}).refused.empty());
}

TEST(Pause, holds_retries_back) {
    TestRun run({node("a")});
    run.begin().send(PauseRequested{alice()});
    run.fail("a", unavailable("x"));
    run.fire("a");
    EXPECT_EQ(run.status("a"), StepStatus::pending);
    EXPECT_EQ(run.state.status, RunStatus::paused);
    run.send(ResumeRequested{alice()});
    EXPECT_EQ(run.asked<StartVerb>()[0].attempt, 2U);
}

TEST(Pause, finds_out_what_happened_nevertheless) {
    TestRun run({node("a")});
    run.begin().send(PauseRequested{alice()});
    run.fail("a", unknown("lost"));
    EXPECT_EQ(run.asked<ProbeVerb>().size(), 1U);
    run.probed("a", ProbeVerdict::absent);
    EXPECT_EQ(run.state.status, RunStatus::paused);
    EXPECT_EQ(run.count<StepIntended>(), 1U);
}

TEST(Pause, lasts_through_a_crash) {
    Node a = node("a");
    a.safety = plan::Safety::idempotent;
    TestRun run({a});
    run.begin().send(PauseRequested{alice()});
    run.send(EngineStarted{"again"});
    EXPECT_EQ(run.state.status, RunStatus::paused);
    EXPECT_EQ(run.count<StepIntended>(), 1U);
    run.send(ResumeRequested{alice()});
    EXPECT_EQ(run.asked<StartVerb>()[0].attempt, 2U);
}

TEST(Retry, gives_all_attempts_anew) {
    TestRun run({node("a")});
    run.begin().fail("a", invalid("x"));
    run.send(RetryRequested{StepId("a"), alice()});
    EXPECT_EQ(run.asked<StartVerb>()[0].attempt, 2U);
    EXPECT_EQ(run.step("a").failures, 0U);
}

TEST(Retry, looks_first_when_the_outcome_is_unknown) {
    TestRun run({node("a")});
    run.begin().fail("a", unknown("lost"));
    run.probed("a", ProbeVerdict::undecided);
    run.send(RetryRequested{StepId("a"), alice()});
    EXPECT_EQ(run.asked<ProbeVerb>().size(), 1U);
    EXPECT_TRUE(run.asked<StartVerb>().empty());
    run.probed("a", ProbeVerdict::undecided);
    run.send(RetryRequested{StepId("a"), alice(), true});
    EXPECT_EQ(run.asked<StartVerb>().size(), 1U) << "the person has made sure";
}

TEST(Retry, does_not_wait_for_the_backoff) {
    TestRun run({node("a")});
    run.begin().fail("a", unavailable("x"));
    run.send(RetryRequested{StepId("a"), alice()});
    EXPECT_EQ(run.asked<StartVerb>().size(), 1U);
    EXPECT_TRUE(run.fire("a").events.empty());
}

TEST(Retry, is_refused_while_the_step_runs) {
    TestRun run({node("a")});
    run.begin();
    EXPECT_FALSE(run.send(RetryRequested{StepId("a"), alice()}).refused.empty());
    EXPECT_FALSE(run.send(StepSkipped{StepId("a"), alice()}).refused.empty());
    EXPECT_FALSE(run.send(StepBypassed{StepId("a"), alice(), Json::object()}).refused.empty());
    EXPECT_FALSE(run.send(RetryRequested{StepId("nobody"), alice()}).refused.empty());
}

TEST(Bypass, carries_outputs_for_later_steps) {
    Node a = node("a");
    a.makes_instance = true;
    TestRun run({a, node("b", {"a"})});
    run.begin().fail("a", invalid("x"));
    run.send(StepBypassed{StepId("a"), alice(), Json{{"port", 5502}}});
    EXPECT_EQ(run.status("a"), StepStatus::bypassed);
    EXPECT_EQ(candidates(run.state).at("thing")["port"], 5502);
    run.succeed("b");
    EXPECT_EQ(run.state.outcome, Outcome::done);
}

TEST(Abort, cancels_what_runs_and_what_has_not_begun) {
    TestRun run({node("a"), node("b", {"a"})});
    run.begin().send(AbortRequested{.actor = alice()});
    EXPECT_EQ(run.state.status, RunStatus::aborting);
    EXPECT_EQ(run.status("b"), StepStatus::cancelled);
    ASSERT_EQ(run.asked<CancelVerb>().size(), 1U);
    run.send(StepCancelled{StepId("a"), 1, std::nullopt});
    EXPECT_EQ(run.status("a"), StepStatus::probing) << "what did it leave?";
    run.probed("a", ProbeVerdict::absent);
    EXPECT_EQ(run.status("a"), StepStatus::cancelled);
    EXPECT_EQ(run.state.outcome, Outcome::aborted);
}

TEST(Abort, keeps_what_turned_out_to_be_done) {
    TestRun run({node("a")});
    run.begin().send(AbortRequested{.actor = alice()});
    run.send(StepCancelled{StepId("a"), 1, std::nullopt});
    run.probed("a", ProbeVerdict::done);
    EXPECT_EQ(run.status("a"), StepStatus::done);
    EXPECT_EQ(run.state.outcome, Outcome::aborted);
}

TEST(Abort, gives_up_on_what_cannot_be_cancelled) {
    TestRun run({node("a")});
    run.begin().send(StepOperating{StepId("a"), 1, "op"});
    run.send(AbortRequested{.actor = alice()});
    for (int i = 0; i < 3; ++i) {
        run.send(StepCancelled{StepId("a"), 1, conflict("too late")});
        run.probed("a", ProbeVerdict::running, "op");
    }
    EXPECT_EQ(run.status("a"), StepStatus::failed);
    EXPECT_EQ(run.state.outcome, Outcome::aborted);
}

/// a and b have a way back, c has none.
TestRun undoable() {
    Node a = node("a");
    a.undo = "release";
    Node b = node("b", {"a"});
    b.undo = "start";
    TestRun run({a, b, node("c", {"b"})});
    for (const char* id : {"a", "b"}) {
        Node undo = node(std::string("undo-") + id);
        undo.undoes = StepId(id);
        run.start().graph.undo.push_back(undo);
    }
    return run;
}

TEST(Rollback, takes_back_what_was_done_in_reverse) {
    TestRun run = undoable();
    run.begin().succeed("a", Json{{"undo", {{"replicas", 3}}}});
    run.now += seconds(1);
    run.succeed("b");
    run.send(AbortRequested{.actor = alice(), .roll_back = true});
    run.send(StepCancelled{StepId("c"), 1, std::nullopt});
    run.probed("c", ProbeVerdict::absent);
    ASSERT_EQ(run.asked<StartVerb>().size(), 1U);
    EXPECT_EQ(run.asked<StartVerb>()[0].step.value, "undo-b");
    run.succeed("undo-b");
    EXPECT_EQ(run.asked<StartVerb>()[0].step.value, "undo-a");
    EXPECT_EQ(run.state.start.graph.find(StepId("undo-a"))->arguments["replicas"], 3);
    EXPECT_EQ(run.state.status, RunStatus::aborting);
    run.succeed("undo-a");
    EXPECT_EQ(run.state.outcome, Outcome::aborted);
}

TEST(Rollback, begins_by_itself_where_the_plan_says_so) {
    TestRun run = undoable();
    run.start().graph.nodes[2].on_failure = plan::OnFailure::roll_back;
    run.begin().succeed("a");
    run.succeed("b");
    run.fail("c", invalid("wrong"));
    EXPECT_TRUE(run.state.rolling_back);
    run.succeed("undo-b");
    run.succeed("undo-a");
    EXPECT_EQ(run.state.outcome, Outcome::failed);
    EXPECT_NE(run.state.reason.find("step 'c' failed"), std::string::npos);
}

TEST(Rollback, waits_for_a_person_when_the_way_back_fails) {
    TestRun run = undoable();
    run.begin().succeed("a");
    run.send(AbortRequested{.actor = alice(), .roll_back = true});
    run.send(StepCancelled{StepId("b"), 1, std::nullopt});
    run.probed("b", ProbeVerdict::absent);
    run.fail("undo-a", denied("no rights"));
    EXPECT_EQ(run.state.status, RunStatus::waiting);
    run.send(EngineStarted{"again"});
    run.send(StepBypassed{StepId("undo-a"), alice(), Json::object()});
    EXPECT_EQ(run.state.outcome, Outcome::aborted);
}

TEST(Rollback, takes_the_candidate_back) {
    TestRun run = undoable();
    run.start().graph.nodes[0].makes_instance = true;
    run.begin().succeed("a", Json{{"port", 1}});
    EXPECT_EQ(candidates(run.state).size(), 1U);
    run.send(AbortRequested{.actor = alice(), .roll_back = true});
    run.send(StepCancelled{StepId("b"), 1, std::nullopt});
    run.probed("b", ProbeVerdict::absent);
    run.succeed("undo-a");
    EXPECT_TRUE(candidates(run.state).empty());
    EXPECT_EQ(run.state.ledger[0]["state"], "undone");
}

}  // namespace
}  // namespace lifeboat::runbook

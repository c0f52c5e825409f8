// Order, retries, timeouts, probes: what the machine does by itself.

#include "core/runbook/test_machine.h"

namespace lifeboat::runbook {
namespace {

using namespace testing;

TEST(Machine, runs_steps_in_order_and_finishes) {
    TestRun run({node("a"), node("b", {"a"}), node("c", {"b"})});
    run.begin();
    ASSERT_EQ(run.asked<StartVerb>().size(), 1U);
    EXPECT_EQ(run.asked<StartVerb>()[0].step.value, "a");
    EXPECT_EQ(run.status("b"), StepStatus::pending);
    run.succeed("a");
    EXPECT_EQ(run.asked<StartVerb>()[0].step.value, "b");
    run.succeed("b", Json{{"port", 5501}});
    run.succeed("c");
    EXPECT_EQ(run.state.status, RunStatus::finished);
    EXPECT_EQ(run.state.outcome, Outcome::done);
    EXPECT_EQ(run.step("b").outputs["port"], 5501);
}

TEST(Machine, journals_an_intent_before_each_command) {
    TestRun run({node("a")});
    const Decision decision = run.send(run.start());
    ASSERT_EQ(decision.events.size(), 3U);
    EXPECT_EQ(type_name(decision.events[0]), "run_started");
    EXPECT_EQ(type_name(decision.events[1]), "step_intended");
    EXPECT_EQ(type_name(decision.events[2]), "timer_set");
    ASSERT_EQ(decision.commands.size(), 2U);
}

TEST(Machine, finishes_a_run_of_no_steps) {
    TestRun run({});
    run.begin();
    EXPECT_EQ(run.state.outcome, Outcome::done);
}

TEST(Machine, runs_parallel_steps_together_and_joins_them) {
    TestRun run({node("a"), node("b", {"a"}), node("c", {"a"}), node("d", {"b", "c"})});
    run.begin().succeed("a");
    EXPECT_EQ(run.asked<StartVerb>().size(), 2U);
    run.succeed("c");
    EXPECT_TRUE(run.asked<StartVerb>().empty()) << "d waits for b";
    run.succeed("b");
    EXPECT_EQ(run.asked<StartVerb>()[0].step.value, "d");
}

TEST(Machine, begins_urgent_steps_first_when_there_is_not_room_for_all) {
    TestRun run({node("x"), node("late"), node("soon"), node("now")});
    run.start().graph.nodes[1].priority = "P2";
    run.start().graph.nodes[2].priority = "P1";
    run.start().graph.nodes[3].priority = "P0";
    run.start().graph.concurrency_max = 2;
    run.begin();
    auto begun = run.asked<StartVerb>();
    ASSERT_EQ(begun.size(), 2U);
    EXPECT_EQ(begun[0].step.value, "now");
    EXPECT_EQ(begun[1].step.value, "soon");
    run.succeed("now");
    EXPECT_EQ(run.asked<StartVerb>()[0].step.value, "late");
    run.succeed("soon");
    EXPECT_EQ(run.asked<StartVerb>()[0].step.value, "x") << "no priority: after all others";
}

TEST(Machine, retries_what_did_not_happen_with_growing_waits) {
    TestRun run({node("a")});
    run.begin().fail("a", unavailable("connection refused"));
    EXPECT_EQ(run.status("a"), StepStatus::backing_off);
    ASSERT_EQ(run.asked<SetTimer>().size(), 1U);
    EXPECT_EQ(run.asked<SetTimer>()[0].after, milliseconds(500));
    run.fire("a");
    EXPECT_EQ(run.asked<StartVerb>()[0].attempt, 2U);
    run.fail("a", unavailable("connection refused"));
    EXPECT_EQ(run.asked<SetTimer>()[0].after, seconds(1));
    run.fire("a");
    run.succeed("a");
    EXPECT_EQ(run.state.outcome, Outcome::done);
    EXPECT_FALSE(run.step("a").error.has_value());
}

TEST(Machine, asks_a_person_after_the_last_attempt) {
    TestRun run({node("a"), node("b", {"a"})});
    run.begin();
    for (int i = 0; i < 3; ++i) {
        run.fail("a", unavailable("no route to host"));
        if (i < 2) run.fire("a");
    }
    EXPECT_EQ(run.status("a"), StepStatus::needs_person);
    EXPECT_EQ(run.state.status, RunStatus::waiting);
    EXPECT_FALSE(run.state.outcome.has_value());
}

TEST(Machine, does_not_retry_what_repeating_cannot_mend) {
    for (const Error& error : {invalid("x"), not_found("x"), conflict("x"), denied("x"),
                               exhausted("x"), corrupt("x"), cancelled("x"), unsupported("x")}) {
        TestRun run({node("a")});
        run.begin().fail("a", error);
        EXPECT_EQ(run.status("a"), StepStatus::needs_person) << error.message;
        EXPECT_EQ(run.step("a").error->kind, error.kind);
    }
}

TEST(Machine, probes_an_unknown_outcome_and_adopts_what_it_finds) {
    TestRun run({node("a")});
    run.begin().fail("a", unknown("the reply was lost"));
    EXPECT_EQ(run.status("a"), StepStatus::probing);
    ASSERT_EQ(run.asked<ProbeVerb>().size(), 1U);
    EXPECT_TRUE(run.asked<StartVerb>().empty());
    run.probed("a", ProbeVerdict::done, "", Json{{"port", 1}});
    EXPECT_EQ(run.status("a"), StepStatus::done);
    EXPECT_EQ(run.step("a").outputs["port"], 1);
}

TEST(Machine, tries_again_only_when_the_probe_found_nothing) {
    TestRun run({node("a")});
    run.begin().fail("a", unknown("the reply was lost"));
    run.probed("a", ProbeVerdict::absent);
    EXPECT_EQ(run.status("a"), StepStatus::backing_off);
    run.fire("a");
    EXPECT_EQ(run.asked<StartVerb>()[0].attempt, 2U);
}

TEST(Machine, asks_a_person_when_the_probe_cannot_tell) {
    TestRun run({node("a")});
    run.begin().fail("a", timeout("no reply"));
    run.probed("a", ProbeVerdict::undecided);
    EXPECT_EQ(run.status("a"), StepStatus::needs_person);
    EXPECT_TRUE(run.step("a").unsure);
}

TEST(Machine, repeats_an_idempotent_verb_without_a_probe) {
    Node a = node("a");
    a.safety = plan::Safety::idempotent;
    TestRun run({a});
    run.begin().fail("a", unknown("the reply was lost"));
    EXPECT_TRUE(run.asked<ProbeVerb>().empty());
    run.fire("a");
    EXPECT_EQ(run.asked<StartVerb>()[0].attempt, 2U);
}

TEST(Machine, never_repeats_a_once_verb_by_itself) {
    Node a = node("a");
    a.safety = plan::Safety::once;
    TestRun run({a});
    run.begin().fail("a", unknown("the reply was lost"));
    EXPECT_EQ(run.status("a"), StepStatus::needs_person);
    EXPECT_FALSE(run.send(RetryRequested{StepId("a"), alice()}).refused.empty());
    run.send(RetryRequested{StepId("a"), alice(), true});
    EXPECT_EQ(run.asked<StartVerb>().size(), 1U) << "the person's word is all there is";
}

TEST(Machine, treats_a_timeout_as_an_unknown_outcome) {
    TestRun run({node("a")});
    run.begin();
    run.fire_deadline("a");
    EXPECT_EQ(run.status("a"), StepStatus::cancelling);
    ASSERT_EQ(run.asked<CancelVerb>().size(), 1U);
    run.send(StepCancelled{StepId("a"), 1, std::nullopt});
    EXPECT_EQ(run.status("a"), StepStatus::probing);
    run.probed("a", ProbeVerdict::done);
    EXPECT_EQ(run.state.outcome, Outcome::done);
}

TEST(Machine, probes_even_when_the_cancel_never_comes_back) {
    TestRun run({node("a")});
    run.begin();
    run.fire_deadline("a");
    run.fire_deadline("a");
    EXPECT_EQ(run.status("a"), StepStatus::probing);
}

TEST(Machine, accepts_the_truth_when_it_comes_late) {
    TestRun run({node("a")});
    run.begin();
    run.fire_deadline("a");
    run.succeed("a", Json{{"port", 7}});
    EXPECT_EQ(run.status("a"), StepStatus::done);
    const Decision late = run.send(StepCancelled{StepId("a"), 1, std::nullopt});
    EXPECT_TRUE(late.events.empty());
}

TEST(Machine, ignores_replies_of_earlier_attempts_and_repeated_ones) {
    TestRun run({node("a"), node("b", {"a"})});
    run.begin().fail("a", unavailable("x"));
    run.fire("a");
    EXPECT_TRUE(run.send(StepSucceeded{StepId("a"), 1, Json::object()}).events.empty());
    EXPECT_TRUE(run.send(StepFailed{StepId("a"), 1, invalid("x")}).events.empty());
    run.succeed("a", Json{{"n", 1}});
    EXPECT_TRUE(run.send(StepSucceeded{StepId("a"), 2, Json{{"n", 2}}}).events.empty());
    EXPECT_EQ(run.step("a").outputs["n"], 1);
    EXPECT_TRUE(run.send(StepSucceeded{StepId("nobody"), 1, {}}).events.empty());
    EXPECT_TRUE(run.send(TimerFired{"timeout/a/1"}).events.empty());
    EXPECT_TRUE(run.send(TimerFired{"nonsense"}).events.empty());
    EXPECT_TRUE(run.send(StepIntended{StepId("b"), 9}).events.empty()) << "no trigger";
}

TEST(Machine, polls_a_long_operation_ever_more_slowly) {
    TestRun run({node("a")});
    run.begin().send(StepOperating{StepId("a"), 1, "op-1"});
    std::vector<Duration> waits{run.asked<SetTimer>()[0].after};
    for (int i = 0; i < 7; ++i) {
        run.fire("a");
        ASSERT_EQ(run.asked<PollVerb>().size(), 1U);
        EXPECT_EQ(run.asked<PollVerb>()[0].operation, "op-1");
        run.now += milliseconds(1);
        run.send(StepProgressed{StepId("a"), 1, 10, 100, "bytes"});
        waits.push_back(run.asked<SetTimer>()[0].after);
    }
    EXPECT_EQ(waits[0], milliseconds(100));
    EXPECT_EQ(waits[1], milliseconds(200));
    EXPECT_EQ(waits[2], milliseconds(400));
    EXPECT_EQ(waits.back(), seconds(2));
    run.fire("a");
    run.succeed("a");
    EXPECT_EQ(run.state.outcome, Outcome::done);
}

TEST(Machine, journals_progress_only_when_it_moved_or_time_passed) {
    TestRun run({node("a")});
    run.begin().send(StepOperating{StepId("a"), 1, "op"});
    const auto report = [&](std::uint64_t done) {
        run.send(TimerFired{run.step("a").timer});
        run.send(StepProgressed{StepId("a"), 1, done, 1000, "rows"});
    };
    report(0);
    EXPECT_EQ(run.count<StepProgressed>(), 1U) << "the first always";
    report(10);
    EXPECT_EQ(run.count<StepProgressed>(), 1U);
    report(50);
    EXPECT_EQ(run.count<StepProgressed>(), 2U) << "a twentieth";
    run.now += seconds(2);
    report(51);
    EXPECT_EQ(run.count<StepProgressed>(), 3U) << "two seconds";
    run.now -= std::chrono::hours(1);
    report(52);
    EXPECT_EQ(run.count<StepProgressed>(), 4U) << "a clock that jumped back silences nothing";
}

TEST(Machine, goes_on_polling_when_a_poll_fails_and_probes_after_five) {
    TestRun run({node("a")});
    run.begin().send(StepOperating{StepId("a"), 1, "op"});
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(run.status("a"), StepStatus::operating);
        run.fire("a");
        run.fail("a", unavailable("connection refused"));
    }
    EXPECT_EQ(run.status("a"), StepStatus::probing) << "the operation may go on: no second start";
    run.probed("a", ProbeVerdict::running, "op");
    EXPECT_EQ(run.status("a"), StepStatus::operating);
    EXPECT_EQ(run.asked<PollVerb>().size(), 1U);
}

TEST(Machine, takes_the_operations_own_failure_for_what_it_is) {
    TestRun run({node("a")});
    run.begin().send(StepOperating{StepId("a"), 1, "op"});
    run.fire("a");
    run.fail("a", corrupt("page 3 does not match its checksum"));
    EXPECT_EQ(run.status("a"), StepStatus::needs_person);
}

TEST(Machine, cancels_an_operation_that_takes_too_long) {
    TestRun run({node("a")});
    run.begin().send(StepOperating{StepId("a"), 1, "op"});
    run.fire_deadline("a");
    ASSERT_EQ(run.asked<CancelVerb>().size(), 1U);
    EXPECT_EQ(run.asked<CancelVerb>()[0].operation, "op");
    run.send(StepCancelled{StepId("a"), 1, std::nullopt});
    run.probed("a", ProbeVerdict::running, "op");
    EXPECT_EQ(run.status("a"), StepStatus::operating) << "it could not be cancelled: look on";
    run.fire_deadline("a");
    run.send(StepCancelled{StepId("a"), 1, std::nullopt});
    run.probed("a", ProbeVerdict::running, "op");
    run.fire_deadline("a");
    run.send(StepCancelled{StepId("a"), 1, std::nullopt});
    run.probed("a", ProbeVerdict::running, "op");
    EXPECT_EQ(run.status("a"), StepStatus::needs_person);
    run.send(RetryRequested{StepId("a"), alice()});
    EXPECT_TRUE(run.asked<StartVerb>().empty()) << "it may still run: look first";
    EXPECT_EQ(run.asked<ProbeVerb>().size(), 1U);
}

TEST(Machine, repeats_a_probe_that_fails_and_gives_up_after_five) {
    TestRun run({node("a")});
    run.begin().fail("a", unknown("x"));
    for (unsigned i = 1; i < 5; ++i) {
        run.fail("a", unavailable("cannot look"));
        EXPECT_EQ(run.status("a"), StepStatus::probing);
        run.fire("a");
        ASSERT_EQ(run.asked<ProbeVerb>().size(), 1U);
        EXPECT_EQ(run.asked<ProbeVerb>()[0].probe, i + 1);
    }
    run.fail("a", unavailable("cannot look"));
    EXPECT_EQ(run.status("a"), StepStatus::needs_person);
}

TEST(Machine, ignores_the_answer_of_an_earlier_probe) {
    TestRun run({node("a")});
    run.begin().fail("a", unknown("x"));
    run.fire_deadline("a");  // the first probe hangs
    run.fire("a");
    const Decision stale = run.send(StepProbed{.step = StepId("a"),
                                               .attempt = 1,
                                               .verdict = ProbeVerdict::absent,
                                               .outputs = {},
                                               .operation = {},
                                               .explanation = {},
                                               .probe = 1});
    EXPECT_TRUE(stale.events.empty());
    run.probed("a", ProbeVerdict::done);
    EXPECT_EQ(run.status("a"), StepStatus::done);
}

TEST(Machine, lets_other_branches_finish_what_runs_and_then_waits) {
    TestRun run({node("a"), node("b"), node("c", {"b"})});
    run.begin().fail("a", invalid("wrong"));
    EXPECT_EQ(run.state.status, RunStatus::running);
    run.succeed("b");
    EXPECT_EQ(run.status("c"), StepStatus::pending) << "nothing new begins";
    EXPECT_EQ(run.state.status, RunStatus::waiting);
    run.send(StepSkipped{StepId("a"), alice()});
    EXPECT_EQ(run.status("c"), StepStatus::starting);
    run.succeed("c");
    EXPECT_EQ(run.state.outcome, Outcome::partial);
}

TEST(Machine, carries_on_after_an_optional_step) {
    Node a = node("a");
    a.on_failure = plan::OnFailure::carry_on;
    TestRun run({a, node("b", {"a"})});
    run.begin().fail("a", invalid("x"));
    EXPECT_EQ(run.status("a"), StepStatus::failed);
    EXPECT_EQ(run.status("b"), StepStatus::starting);
    run.succeed("b");
    EXPECT_EQ(run.state.outcome, Outcome::partial);
    EXPECT_EQ(run.state.reason, "failed: a");
}

TEST(Machine, waits_by_its_own_timer) {
    Node wait = node("wait");
    wait.component.clear();
    wait.verb = "wait";
    wait.arguments = Json{{"for", "90s"}};
    TestRun run({wait});
    run.begin();
    EXPECT_TRUE(run.asked<StartVerb>().empty());
    ASSERT_EQ(run.asked<SetTimer>().size(), 1U);
    EXPECT_EQ(run.asked<SetTimer>()[0].after, seconds(90));
    run.now += seconds(60);
    run.send(EngineStarted{"again"});
    ASSERT_EQ(run.asked<SetTimer>().size(), 1U);
    EXPECT_EQ(run.asked<SetTimer>()[0].after, seconds(30));
    run.fire("wait");
    EXPECT_EQ(run.state.outcome, Outcome::done);
}

TEST(Machine, records_what_it_would_do) {
    Node a = node("a");
    a.conduct = Conduct::record;
    Node b = node("b", {"a"});
    b.conduct = Conduct::skip;
    TestRun run({a, b}, RunMode::preview);
    run.begin();
    EXPECT_EQ(run.asked<RecordCalls>().size(), 1U);
    EXPECT_TRUE(run.asked<StartVerb>().empty());
    run.send(StepRecorded{StepId("a"), Json::array({"call"})});
    EXPECT_EQ(run.status("a"), StepStatus::recorded);
    EXPECT_EQ(run.status("b"), StepStatus::skipped);
    EXPECT_EQ(run.state.outcome, Outcome::done);
}

TEST(Machine, refuses_what_the_mode_forbids) {
    Node b = node("b", {"a"});
    b.conduct = Conduct::refuse;
    TestRun run({node("a"), b, node("c", {"b"})}, RunMode::drill);
    run.begin().succeed("a");
    EXPECT_EQ(run.state.outcome, Outcome::refused);
    EXPECT_EQ(run.step("b").error->kind, ErrorKind::denied);
    EXPECT_EQ(run.status("c"), StepStatus::cancelled);
}

TEST(Machine, issues_nothing_after_the_end) {
    TestRun run({node("a")});
    run.begin().succeed("a");
    ASSERT_EQ(run.state.status, RunStatus::finished);
    for (const Body& body : std::vector<Body>{
             StepSucceeded{StepId("a"), 1, {}}, PauseRequested{alice()}, ResumeRequested{alice()},
             AbortRequested{.actor = alice()}, EngineStarted{"x"},
             RetryRequested{StepId("a"), alice()}, StepSkipped{StepId("a"), alice()},
             TimerFired{"timeout/a/1"}, Body(run.start())}) {
        const Decision decision = run.send(body);
        EXPECT_TRUE(decision.events.empty());
        EXPECT_TRUE(decision.commands.empty());
        EXPECT_FALSE(decision.refused.empty());
    }
}

TEST(Machine, considers_each_request_once) {
    TestRun run({node("a")});
    run.begin().fail("a", invalid("x"));
    const Event retry{run.now, RetryRequested{StepId("a"), alice()}};
    Decision first = advance_request(run.state, 1, retry);
    EXPECT_EQ(type_name(first.events.back()), "request_taken");
    EXPECT_EQ(run.state.inbox, 1U);
    EXPECT_EQ(run.status("a"), StepStatus::starting);
    EXPECT_TRUE(advance_request(run.state, 1, retry).events.empty());
    const Decision refused = advance_request(run.state, 2, retry);
    ASSERT_EQ(refused.events.size(), 1U) << "taken, without effect";
    EXPECT_FALSE(std::get<RequestTaken>(refused.events[0].body).refused.empty());
}

TEST(Machine, splits_a_large_graph_into_records_that_fit) {
    std::vector<Node> nodes;
    for (int i = 0; i < 3000; ++i) {
        Node n = node("step-" + std::to_string(i));
        if (i > 0) n.needs = {nodes.back().id};
        n.arguments = Json{{"text", std::string(200, 'x')}};
        n.undo = "undo";
        nodes.push_back(n);
    }
    TestRun run(nodes);
    for (const Node& n : nodes) {
        Node undo = node("undo-" + n.id.value);
        undo.undoes = n.id;
        run.start().graph.undo.push_back(undo);
    }
    const Decision decision = run.send(run.start());
    EXPECT_GT(decision.events.size(), 5U);
    for (const Event& event : decision.events)
        EXPECT_LT(dump(to_json(event)).size(), std::size_t{256} << 10U) << type_name(event);
    EXPECT_EQ(run.state.steps.size(), 3000U);
    EXPECT_EQ(run.state.start.graph.undo.size(), 3000U);
}

TEST(Machine, tells_retryable_errors_by_their_kind) {
    using plan::Safety;
    EXPECT_TRUE(is_retryable(unavailable("x"), Safety::once));
    EXPECT_TRUE(is_retryable(unknown("x"), Safety::probeable));
    EXPECT_FALSE(is_retryable(unknown("x"), Safety::once));
    EXPECT_FALSE(is_retryable(timeout("x"), Safety::once));
    EXPECT_FALSE(is_retryable(exhausted("no space left on device"), Safety::idempotent));
    EXPECT_FALSE(is_retryable(denied("x"), Safety::idempotent));
}

}  // namespace
}  // namespace lifeboat::runbook

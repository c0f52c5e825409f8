#include "engine/real_executor.h"

#include "engine/testing.h"
#include "engine/verb_call.h"

namespace lifeboat::engine {
namespace {

namespace rb = runbook;
using namespace testing;

class ExecutorTest : public ::testing::Test {
protected:
    void begin(const std::string& steps) {
        world = std::make_unique<World>(std::string(two_components) +
                                        "scenarios:\n  test:\n    steps:\n" + steps);
        instances = std::make_unique<Instances>(world->workspace());
        executor = make_real_executor(world->context().with_stop(stop.get_token()),
                                      world->workspace(), *instances, events);
        run = rb::apply({}, rb::Event{world->workspace().now(), world->start()});
    }
    template <class Body>
    std::optional<Body> next() {
        auto event = events.pop(world->context());
        if (!event.has_value() || !event->has_value()) return std::nullopt;
        const Body* body = std::get_if<Body>(&(*event)->body);
        return body == nullptr ? std::nullopt : std::optional<Body>(*body);
    }

    std::unique_ptr<World> world;
    std::unique_ptr<Instances> instances;
    EventQueue events{100};
    std::stop_source stop;
    rb::RunState run;
    std::unique_ptr<Executor> executor;
};

TEST_F(ExecutorTest, a_timer_set_later_may_fall_due_earlier) {
    begin("      - restore: db\n");
    executor->start(run, rb::SetTimer{"late", std::chrono::hours(1)});
    for (const char* name : {"one", "two", "three"}) {
        executor->start(run, rb::SetTimer{name, std::chrono::milliseconds(20)});
        const auto fired = next<rb::TimerFired>();
        ASSERT_TRUE(fired.has_value());
        EXPECT_EQ(fired->timer, name);
    }
}

TEST_F(ExecutorTest, a_cancel_is_answered_only_when_the_call_has_come_back) {
    begin("      - hang: db\n");
    const StepId step("hang-db");
    executor->start(run, rb::StartVerb{step, 1});
    ASSERT_TRUE(world->story.await("hang db"));
    executor->start(run, rb::CancelVerb{step, 1, ""});
    bool failed = false;
    bool cancelled = false;
    for (int i = 0; i < 2; ++i) {
        auto event = events.pop(world->context());
        ASSERT_TRUE(event.has_value() && event->has_value());
        failed = failed || std::holds_alternative<rb::StepFailed>((*event)->body);
        if (const auto* answer = std::get_if<rb::StepCancelled>(&(*event)->body)) {
            cancelled = true;
            EXPECT_FALSE(answer->error.has_value());
            EXPECT_TRUE(has(world->story.lines(), "hang came back"));
        }
    }
    EXPECT_TRUE(failed && cancelled);
}

TEST_F(ExecutorTest, a_probe_looks_only_when_the_call_has_come_back) {
    begin("      - hang: db\n");
    const StepId step("hang-db");
    executor->start(run, rb::StartVerb{step, 1});
    ASSERT_TRUE(world->story.await("hang db"));
    executor->start(run, rb::ProbeVerb{step, 1, 1});
    ASSERT_TRUE(world->story.await("probe db"));
    const auto lines = world->story.lines();
    EXPECT_LT(std::ranges::find(lines, "hang came back"), std::ranges::find(lines, "probe db"));
}

TEST_F(ExecutorTest, destroyed_it_ends_what_is_under_way) {
    begin("      - hang: db\n");
    executor->start(run, rb::StartVerb{StepId("hang-db"), 1});
    ASSERT_TRUE(world->story.await("hang db"));
    executor.reset();
    EXPECT_TRUE(has(world->story.lines(), "hang came back"));
}

TEST_F(ExecutorTest, prepare_fills_the_templates_and_names_what_is_missing) {
    begin("      - restore: db\n      - {verify: web, text: '{{ steps.restore-db.point }}'}\n");
    const rb::Node node = *run.start.graph.find(StepId("verify-web"));  // outlives the state
    const auto early = prepare(world->workspace(), *instances, view_of(run, node), 1);
    ASSERT_FALSE(early.has_value());
    EXPECT_NE(early.error().message.find("restore-db"), std::string::npos);
    run = rb::apply(run,
                    rb::Event{world->workspace().now(), rb::StepIntended{StepId("restore-db"), 1}});
    run = rb::apply(run, rb::Event{world->workspace().now(),
                                   rb::StepSucceeded{StepId("restore-db"), 1, {{"point", "x"}}}});
    const auto ready = prepare(world->workspace(), *instances, view_of(run, node), 3);
    ASSERT_TRUE(ready.has_value()) << ready.error().message;
    EXPECT_EQ(ready->call.arguments["text"], "x");
    EXPECT_EQ(ready->call.attempt, 3U);
    EXPECT_EQ(ready->call.token, node.token);
}

TEST(run_loop, a_switch_is_recorded_before_the_verb_that_needs_it_is_called) {
    World world(std::string(two_components) +
                "scenarios:\n  test:\n    steps:\n      - restore: db\n      - verify: db\n"
                "      - repoint: web\n      - {verify: db, id: again}\n");
    auto ended = begin_run(world.context(), world.workspace(), world.start(), {});
    ASSERT_TRUE(ended.has_value()) << ended.error().message;
    EXPECT_EQ(ended->outcome, rb::Outcome::done);
    const auto lines = world.story.lines();
    auto told = [&](const char* line) { return has(lines, line); };
    // Until the switch the candidate stands beside the instance that everything resolves to.
    EXPECT_TRUE(told("verify-db has candidate new:primary") ||
                told("verify-db has candidate new:"));
    EXPECT_TRUE(told("verify-db sees db at 127.0.0.1:15900"));
    EXPECT_FALSE(told("repoint-web sees db at 127.0.0.1:15900"));
    EXPECT_FALSE(told("again sees db at 127.0.0.1:15900"));
    Instances instances(world.workspace());
    const auto now = instances.current("db");
    ASSERT_TRUE(now.has_value());
    EXPECT_FALSE(now->made_by.empty());
}

TEST(run_loop, a_second_run_on_the_same_component_is_refused_and_told_by_whom) {
    World world(std::string(two_components) +
                "scenarios:\n  test:\n    steps:\n      - hang: db\n");
    std::stop_source interrupt;
    std::stop_source abandon;
    RunOptions options;
    options.abandon = abandon.get_token();
    TaskScope scope(world.context());
    scope.spawn([&](const Context& task) -> Result<void> {
        auto left = begin_run(task, world.workspace(), world.start(), options);
        EXPECT_FALSE(left.has_value());
        return ok();
    });
    ASSERT_TRUE(world.story.await("hang db"));
    // The state takes a process for one holder: another one stands for another process.
    Holder other = own_holder(world.environment(), "recover something else");
    other.pid += 1;
    const auto refused = world.state().acquire("component/db", other, std::chrono::seconds(1));
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().message.find("recover test"), std::string::npos);
    abandon.request_stop();
    EXPECT_TRUE(scope.wait().has_value());
}

}  // namespace
}  // namespace lifeboat::engine

#include "engine/driver.h"

#include <gtest/gtest.h>

#include <memory>

#include "platform/env/sim_clock.h"
#include "platform/observe/redact.h"
#include "platform/state/open.h"

namespace lifeboat::engine {
namespace {

namespace rb = runbook;

rb::Node node(const std::string& id, std::vector<std::string> needs = {}) {
    rb::Node n;
    n.id = StepId(id);
    n.verb = "restore";
    n.component = "database";
    n.token = "lb-" + id;
    n.timeout = std::chrono::minutes(10);
    for (const std::string& need : needs) n.needs.emplace_back(need);
    return n;
}

rb::RunStarted start(std::vector<rb::Node> nodes, const std::string& run = "run-1") {
    rb::RunStarted started;
    started.run = RunId(run);
    started.scenario = "database-lost";
    started.graph.nodes = std::move(nodes);
    return started;
}

/// Notes the commands, and how much was durable when each came.
class NotingExecutor final : public Executor {
public:
    explicit NotingExecutor(State& state) : state_(state) {}
    void start(const rb::RunState& run, const rb::Command& command) override {
        commands.push_back(command);
        const auto stored = state_.read(run_stream(run.start.run));
        durable.push_back(stored.has_value() ? stored->size() : 0);
    }
    std::vector<rb::Command> commands;
    std::vector<std::size_t> durable;

private:
    State& state_;
};

class DriverTest : public ::testing::Test {
protected:
    rb::Event event(rb::Body body) const { return {clock_.now(), std::move(body)}; }
    Driver driver(const std::string& run = "run-1") { return {*state_, executor_, RunId(run)}; }

    SimClock clock_;
    std::unique_ptr<MemoryState> state_ = make_memory_state(clock_);
    NotingExecutor executor_{*state_};
};

TEST_F(DriverTest, journals_before_it_acts) {
    Driver driver = this->driver();
    ASSERT_TRUE(driver.open().has_value());
    ASSERT_TRUE(driver.step(event(start({node("a")}))).has_value());
    ASSERT_EQ(executor_.commands.size(), 2U);
    EXPECT_EQ(executor_.durable[0], 3U) << "the start, the intent and its timer";
    EXPECT_EQ(driver.version(), 3U);
}

TEST_F(DriverTest, acts_not_at_all_when_the_journal_cannot_be_written) {
    Driver driver = this->driver();
    state_->fail_append(1);
    const auto stepped = driver.step(event(start({node("a")})));
    ASSERT_FALSE(stepped.has_value());
    EXPECT_EQ(stepped.error().kind, ErrorKind::exhausted);
    EXPECT_TRUE(executor_.commands.empty());
    EXPECT_EQ(driver.run().status, rb::RunStatus::none) << "shows what is durable";
    const auto again = driver.step(event(start({node("a")})));
    ASSERT_FALSE(again.has_value()) << "must not be used further";
    EXPECT_EQ(again.error().kind, ErrorKind::conflict);
}

TEST_F(DriverTest, goes_on_from_the_journal_of_another) {
    Driver first = driver();
    ASSERT_TRUE(first.step(event(start({node("a"), node("b", {"a"})}))).has_value());
    ASSERT_TRUE(
        first.step(event(rb::StepSucceeded{StepId("a"), 1, Json{{"port", 7}}})).has_value());

    Driver second = driver();
    ASSERT_TRUE(second.open().has_value());
    EXPECT_TRUE(second.run() == first.run());
    ASSERT_TRUE(second.step(event(rb::EngineStarted{"second"})).has_value());
    EXPECT_TRUE(
        std::holds_alternative<rb::ProbeVerb>(executor_.commands[executor_.commands.size() - 2]));

    const std::size_t before = executor_.commands.size();
    const auto late = first.step(event(rb::StepSucceeded{StepId("b"), 1, Json::object()}));
    ASSERT_FALSE(late.has_value()) << "another engine has written";
    EXPECT_EQ(late.error().kind, ErrorKind::conflict);
    EXPECT_EQ(executor_.commands.size(), before);
}

TEST_F(DriverTest, writes_nothing_for_what_changes_nothing) {
    Driver driver = this->driver();
    ASSERT_TRUE(driver.step(event(start({node("a")}))).has_value());
    ASSERT_TRUE(driver.step(event(rb::StepSucceeded{StepId("a"), 9, Json::object()})).has_value());
    EXPECT_EQ(driver.version(), 3U);
}

TEST_F(DriverTest, considers_a_request_once) {
    Driver driver = this->driver();
    ASSERT_TRUE(driver.step(event(start({node("a")}))).has_value());
    const auto pause = event(rb::PauseRequested{});
    ASSERT_TRUE(driver.step_request(1, pause).has_value());
    const auto version = driver.version();
    EXPECT_EQ(driver.run().inbox, 1U);
    ASSERT_TRUE(driver.step_request(1, pause).has_value());
    EXPECT_EQ(driver.version(), version);
    ASSERT_TRUE(driver.step_request(2, pause).has_value());
    EXPECT_EQ(driver.version(), version + 1) << "refused, and taken";
}

TEST_F(DriverTest, carries_a_graph_that_fits_no_single_record) {
    std::vector<rb::Node> nodes;
    for (int i = 0; i < 2000; ++i) {
        nodes.push_back(node("step-" + std::to_string(i)));
        nodes.back().arguments = Json{{"text", std::string(500, 'x')}};
    }
    Driver driver = this->driver();
    ASSERT_TRUE(driver.step(event(start(std::move(nodes)))).has_value());
    auto loaded = load_run(*state_, RunId("run-1"));
    ASSERT_TRUE(loaded.has_value());
    EXPECT_EQ(loaded->steps.size(), 2000U);
    EXPECT_TRUE(*loaded == driver.run());
}

TEST_F(DriverTest, cuts_answers_that_fit_no_record) {
    Driver driver = this->driver();
    ASSERT_TRUE(driver.step(event(start({node("a")}))).has_value());
    const Json outputs{{"port", 7}, {"log", std::string(1'000'000, 'x')}};
    ASSERT_TRUE(driver.step(event(rb::StepSucceeded{StepId("a"), 1, outputs})).has_value());
    const rb::StepState& step = driver.run().steps.at(StepId("a"));
    EXPECT_EQ(step.outputs["port"], 7);
    EXPECT_LT(step.outputs["log"].get<std::string>().size(), 2000U);
}

TEST_F(DriverTest, decides_on_what_the_journal_holds) {
    register_secret("hunter2-of-the-test");
    Driver driver = this->driver();
    ASSERT_TRUE(driver.step(event(start({node("a")}))).has_value());
    const Json outputs{{"said", "password is hunter2-of-the-test"}};
    ASSERT_TRUE(driver.step(event(rb::StepSucceeded{StepId("a"), 1, outputs})).has_value());
    auto loaded = load_run(*state_, RunId("run-1"));
    ASSERT_TRUE(loaded.has_value());
    EXPECT_TRUE(*loaded == driver.run());
    EXPECT_EQ(dump(rb::to_json(event(driver.run().start))).find("hunter2"), std::string::npos);
    EXPECT_EQ(dump(driver.run().steps.at(StepId("a")).outputs).find("hunter2"), std::string::npos);
}

TEST_F(DriverTest, does_not_begin_a_run_whose_arguments_hold_a_secret) {
    rb::Node a = node("a");
    a.arguments = Json{{"url", "postgresql://user:pa55word@host/db"}};
    Driver driver = this->driver();
    const auto stepped = driver.step(event(start({a})));
    ASSERT_FALSE(stepped.has_value());
    EXPECT_EQ(stepped.error().kind, ErrorKind::invalid);
    EXPECT_EQ(driver.version(), 0U);
}

TEST_F(DriverTest, tells_observers_after_each_durable_event) {
    std::vector<std::string> seen;
    Driver driver(*state_, executor_, RunId("run-1"), [&](const rb::RunState&, const rb::Event& e) {
        seen.push_back(rb::type_name(e));
    });
    ASSERT_TRUE(driver.step(event(start({node("a")}))).has_value());
    EXPECT_EQ(seen, (std::vector<std::string>{"run_started", "step_intended", "timer_set"}));
}

TEST_F(DriverTest, lists_runs_newest_first) {
    for (const char* run :
         {"run-20261123-110643-aaaa", "run-20261124-000000-0000", "run-20261123-110643-bbbb"}) {
        Driver driver = this->driver(run);
        ASSERT_TRUE(driver.step(event(start({}, run))).has_value());
    }
    auto runs = list_runs(*state_);
    ASSERT_TRUE(runs.has_value());
    ASSERT_EQ(runs->size(), 3U);
    EXPECT_EQ((*runs)[0].value, "run-20261124-000000-0000");
    EXPECT_EQ((*runs)[2].value, "run-20261123-110643-aaaa");
    EXPECT_EQ(load_run(*state_, RunId("run-nobody")).error().kind, ErrorKind::not_found);
}

TEST_F(DriverTest, says_when_a_newer_lifeboat_wrote_the_journal) {
    ASSERT_TRUE(
        state_
            ->append(run_stream(RunId("run-1")), 0,
                     {{.type = "step_teleported", .payload = Json::object(), .at = clock_.now()}},
                     nullptr)
            .has_value());
    const auto loaded = load_run(*state_, RunId("run-1"));
    ASSERT_FALSE(loaded.has_value());
    EXPECT_EQ(loaded.error().kind, ErrorKind::unsupported);
    EXPECT_NE(loaded.error().message.find("record 1"), std::string::npos);
}

}  // namespace
}  // namespace lifeboat::engine

#include "core/readiness/run_time.h"

#include <gtest/gtest.h>

namespace lifeboat::readiness {
namespace {

using std::chrono::seconds;

runbook::Node node(const std::string& id, std::vector<std::string> needs, Duration estimate) {
    runbook::Node made;
    made.id = StepId(id);
    made.verb = id;
    made.component = "db";
    made.site = "here";
    made.estimate = estimate;
    for (const std::string& need : needs) made.needs.emplace_back(need);
    return made;
}

plan::Plan plan_of_one() {
    plan::Plan plan;
    plan.components.emplace_back();
    plan.components.back().name = "db";
    plan.components.back().site = "here";
    plan.component_index["db"] = 0;
    return plan;
}

TEST(run_time, without_history_is_the_critical_path_of_the_estimates_and_says_so) {
    runbook::Graph graph;
    graph.nodes = {node("a", {}, seconds(2)), node("b", {"a"}, seconds(3)),
                   node("c", {"a"}, seconds(9)), node("d", {"b", "c"}, seconds(1))};
    const RunTime time = run_time(plan_of_one(), {}, {}, graph);
    EXPECT_EQ(time.total.p50, seconds(12));
    EXPECT_EQ(time.total.basis, Basis::estimate);
    EXPECT_EQ(time.steps, 3U) << "b is beside the path";
    EXPECT_EQ(time.measured, 0U);
}

TEST(run_time, takes_what_was_measured_and_counts_the_thinnest_step) {
    runbook::Graph graph;
    graph.nodes = {node("a", {}, seconds(200)), node("b", {"a"}, seconds(3))};
    History history;
    for (int i = 1; i <= 6; ++i) history.add({"a", "db", ""}, seconds(i));
    RunTime time = run_time(plan_of_one(), history, {}, graph);
    EXPECT_EQ(time.total.p50, seconds(3 + 3));
    EXPECT_EQ(time.total.p95, seconds(6 + 3));
    EXPECT_EQ(time.total.basis, Basis::estimate) << "b was never measured";
    EXPECT_EQ(time.measured, 1U);
    history.add({"b", "db", ""}, seconds(4));
    time = run_time(plan_of_one(), history, {}, graph);
    EXPECT_EQ(time.total.basis, Basis::measured);
    EXPECT_EQ(time.samples, 1U);
    EXPECT_LT(time.samples, enough_samples);
}

TEST(run_time, ends_when_service_is_back) {
    runbook::Graph graph;
    graph.nodes = {node("restore", {}, seconds(2)),
                   node("rebuild-protection", {"restore"}, seconds(60))};
    EXPECT_EQ(run_time(plan_of_one(), {}, {}, graph).total.p95, seconds(2));
}

TEST(run_time, of_steps_at_another_site_does_not_rest_on_those_at_home) {
    runbook::Graph graph;
    graph.nodes = {node("a", {}, seconds(7))};
    graph.nodes[0].site = "there";
    History history;
    history.add({"a", "db", ""}, seconds(1));
    EXPECT_EQ(run_time(plan_of_one(), history, {}, graph).total.p50, seconds(7));
}

}  // namespace
}  // namespace lifeboat::readiness

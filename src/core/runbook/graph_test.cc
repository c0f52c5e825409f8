// From a scenario's steps to the graph of a run.

#include "core/runbook/graph.h"

#include <gtest/gtest.h>

#include "core/runbook/names.h"

namespace lifeboat::runbook {
namespace {

using plan::DrillBehaviour;
using plan::Safety;
using plan::Step;
using plan::VerbSpec;

VerbSpec verb(const std::string& name) {
    VerbSpec spec;
    spec.name = name;
    return spec;
}

plan::Catalog catalog() {
    VerbSpec restore = verb("restore");
    restore.makes_instance = true;
    restore.estimate = std::chrono::minutes(30);
    VerbSpec repoint = verb("repoint");
    repoint.takes_instance = true;
    repoint.timeout = std::chrono::minutes(2);
    VerbSpec redirect = repoint;
    redirect.name = "redirect";
    redirect.in_drill = DrillBehaviour::recorded;
    VerbSpec fence = verb("fence");
    fence.in_drill = DrillBehaviour::refused;
    VerbSpec promote = verb("promote");
    promote.needs_fenced = true;
    promote.destructive = true;
    VerbSpec verify = verb("verify");
    verify.mutating = false;
    verify.safety = Safety::idempotent;
    VerbSpec isolate = verb("isolate");
    isolate.undo = "release";

    plan::Catalog catalog;
    plan::KindSpec kind;
    kind.name = "thing";
    kind.verbs = {restore, repoint, redirect, fence, promote, verify, isolate, verb("release")};
    catalog.add(kind);
    kind.name = "elsewhere";
    kind.available = false;
    catalog.add(kind);
    return catalog;
}

plan::Plan shop() {
    plan::Plan plan;
    for (const auto& [name, needs] : std::vector<std::pair<std::string, std::vector<std::string>>>{
             {"database", {}},
             {"cache", {}},
             {"backend", {"database", "cache"}},
             {"shop", {"backend"}}}) {
        plan::Component component;
        component.name = name;
        component.kind = "thing";
        component.site = "primary";
        component.priority = name == "database" ? "P0" : "P1";
        component.needs = needs;
        plan.components.push_back(component);
    }
    plan::Person alice, bob, ghost;
    alice.name = "alice";
    alice.roles = {"security"};
    bob.name = "bob";
    bob.roles = {"commander"};
    ghost.name = "ghost";
    ghost.roles = {"security"};
    ghost.placeholder = true;
    plan.people = {alice, bob, ghost};
    return plan;
}

Step step(const std::string& verb, std::vector<std::string> targets = {}) {
    Step s;
    s.verb = verb;
    s.targets = std::move(targets);
    return s;
}

Graph compiled(const std::vector<Step>& steps, const CompileOptions& options = {}) {
    CompileOptions with_run = options;
    if (with_run.run.empty()) with_run.run = RunId("run-20261123-110643-7f3a");
    auto graph = compile(shop(), steps, catalog(), with_run);
    EXPECT_TRUE(graph.has_value()) << (graph.has_value() ? "" : graph.error().message);
    return graph.has_value() ? *graph : Graph();
}

Error refused(const std::vector<Step>& steps, const CompileOptions& options = {}) {
    auto graph = compile(shop(), steps, catalog(), options);
    EXPECT_FALSE(graph.has_value());
    return graph.has_value() ? Error() : graph.error();
}

std::vector<std::string> needs(const Graph& graph, const std::string& id) {
    const Node* node = graph.find(StepId(id));
    EXPECT_NE(node, nullptr) << id;
    std::vector<std::string> names;
    if (node != nullptr)
        for (const StepId& need : node->needs) names.push_back(need.value);
    return names;
}

using Names = std::vector<std::string>;

TEST(Compile, makes_a_chain_of_steps_in_order) {
    const Graph graph =
        compiled({step("restore", {"database"}), step("repoint", {"backend", "shop"}),
                  step("verify", {"database"})});
    ASSERT_EQ(graph.nodes.size(), 4U);
    EXPECT_EQ(graph.nodes[0].id.value, "restore-database");
    EXPECT_EQ(graph.nodes[0].site, "primary");
    EXPECT_EQ(graph.nodes[0].priority, "P0");
    EXPECT_EQ(needs(graph, "restore-database"), Names{});
    EXPECT_EQ(needs(graph, "repoint-backend"), Names{"restore-database"});
    EXPECT_EQ(needs(graph, "repoint-shop"), Names{"restore-database"}) << "siblings, not a chain";
    EXPECT_EQ(needs(graph, "verify-database"), (Names{"repoint-backend", "repoint-shop"}));
}

TEST(Compile, gives_repeated_steps_ids_of_their_own) {
    const Graph graph = compiled({step("verify", {"database"}), step("verify", {"database"}),
                                  step("verify", {"database", "cache"})});
    EXPECT_EQ(graph.nodes[1].id.value, "verify-database-2");
    EXPECT_EQ(graph.nodes[2].id.value, "verify-database-3");
    EXPECT_EQ(graph.nodes[3].id.value, "verify-cache");
}

TEST(Compile, follows_needs_and_parallel) {
    Step parallel = step("parallel");
    parallel.parallel = {step("restore", {"database"}), step("restore", {"cache"})};
    Step alone = step("isolate", {"shop"});
    alone.id = "cut";
    alone.needs_given = true;  // `needs: []`
    Step last = step("repoint", {"backend"});
    last.needs = {"cut", "restore-cache"};
    const Graph graph =
        compiled({step("verify", {"shop"}), parallel, step("verify", {"database"}), alone, last});
    EXPECT_EQ(needs(graph, "restore-database"), Names{"verify-shop"});
    EXPECT_EQ(needs(graph, "restore-cache"), Names{"verify-shop"});
    EXPECT_EQ(needs(graph, "verify-database"), (Names{"restore-cache", "restore-database"}));
    EXPECT_EQ(needs(graph, "cut"), Names{});
    EXPECT_EQ(needs(graph, "repoint-backend"), (Names{"cut", "restore-cache"}));
}

TEST(Compile, orders_nodes_after_what_they_need_even_when_written_before) {
    Step first = step("repoint", {"backend"});
    first.needs = {"restore-database"};
    Step second = step("restore", {"database"});
    second.needs_given = true;
    const Graph graph = compiled({first, second});
    EXPECT_EQ(graph.nodes[0].id.value, "restore-database");
}

TEST(Compile, lets_an_id_stand_for_all_nodes_of_a_step) {
    Step both = step("repoint", {"backend", "shop"});
    both.id = "switch";
    Step after = step("verify", {"shop"});
    after.needs = {"switch"};
    const Graph graph = compiled({both, after});
    EXPECT_EQ(needs(graph, "verify-shop"), (Names{"switch-backend", "switch-shop"}));
}

TEST(Compile, adopts_the_candidates_that_earlier_steps_made) {
    Step parallel = step("parallel");
    parallel.parallel = {step("restore", {"database"}), step("restore", {"cache"})};
    const Graph graph =
        compiled({parallel, step("repoint", {"shop"}), step("redirect", {"cache"})});
    EXPECT_EQ(graph.find(StepId("repoint-shop"))->adopts, (Names{"cache", "database"}))
        << "through backend, which it needs";
    EXPECT_EQ(graph.find(StepId("redirect-cache"))->adopts, Names{"cache"}) << "its own";
    EXPECT_TRUE(graph.find(StepId("restore-database"))->adopts.empty());
}

TEST(Compile, adopts_nothing_that_may_not_be_made_yet) {
    Step aside = step("repoint", {"backend"});
    aside.needs_given = true;
    const Graph graph = compiled({step("restore", {"database"}), aside});
    EXPECT_TRUE(graph.find(StepId("repoint-backend"))->adopts.empty());
}

TEST(Compile, decides_what_a_drill_does) {
    CompileOptions drill{.mode = RunMode::drill, .run = {}};
    Step forced = step("fence", {"database"});
    forced.in_drill = plan::InDrill::record;
    Step skipped = step("verify", {"shop"});
    skipped.in_drill = plan::InDrill::skip;
    const Graph graph = compiled({step("restore", {"database"}), step("fence", {"cache"}), forced,
                                  step("redirect", {"shop"}), skipped},
                                 drill);
    EXPECT_EQ(graph.nodes[0].conduct, Conduct::act);
    EXPECT_EQ(graph.nodes[1].conduct, Conduct::refuse);
    EXPECT_EQ(graph.nodes[2].conduct, Conduct::record);
    EXPECT_EQ(graph.nodes[3].conduct, Conduct::record);
    EXPECT_TRUE(graph.nodes[3].adopts.empty()) << "what is only noted switches nothing";
    EXPECT_EQ(graph.nodes[4].conduct, Conduct::skip);
}

TEST(Compile, refuses_to_change_anything_in_mode_observe) {
    const Graph graph = compiled({step("verify", {"database"}), step("restore", {"database"})},
                                 {.mode = RunMode::real, .run = {}, .observe_only = true});
    EXPECT_EQ(graph.nodes[0].conduct, Conduct::act);
    EXPECT_EQ(graph.nodes[1].conduct, Conduct::refuse);
    const Graph preview = compiled({step("restore", {"database"})},
                                   {.mode = RunMode::preview, .run = {}, .observe_only = true});
    EXPECT_EQ(preview.nodes[0].conduct, Conduct::record);
}

TEST(Compile, takes_limits_from_the_step_the_verb_or_the_estimate) {
    Step given = step("repoint", {"backend"});
    given.timeout = std::chrono::seconds(7);
    given.retries = 5;
    const Graph graph = compiled(
        {given, step("repoint", {"shop"}), step("restore", {"cache"}), step("verify", {"cache"})});
    EXPECT_EQ(graph.nodes[0].timeout, std::chrono::seconds(7));
    EXPECT_EQ(graph.nodes[0].attempts_max, 6U);
    EXPECT_EQ(graph.nodes[1].timeout, std::chrono::minutes(2));
    EXPECT_EQ(graph.nodes[1].attempts_max, 3U);
    EXPECT_EQ(graph.nodes[2].timeout, std::chrono::hours(2)) << "four times the estimate";
    EXPECT_EQ(graph.nodes[3].timeout, std::chrono::minutes(10));
}

TEST(Compile, gives_a_watch_the_time_that_it_was_told_to_take) {
    Step watch = step("verify", {"database"});
    watch.arguments = Json{{"for", "20m"}};
    Step brief = step("verify", {"cache"});
    brief.arguments = Json{{"for", "20s"}};
    Step until = step("wait", {});
    until.arguments = Json{{"for", "20m"}, {"until", {{"type", "healthy"}, {"value", "cache"}}}};
    const Graph graph = compiled({watch, brief, until});
    EXPECT_EQ(graph.nodes[0].estimate, std::chrono::minutes(20));
    EXPECT_GT(graph.nodes[0].timeout, std::chrono::minutes(20)) << "it was stopped after ten";
    EXPECT_EQ(graph.nodes[1].timeout, std::chrono::minutes(10));
    EXPECT_EQ(graph.nodes[2].estimate, Duration::zero()) << "of a check it is the most";
    watch.timeout = std::chrono::minutes(1);
    EXPECT_EQ(compiled({watch}).nodes[0].timeout, std::chrono::minutes(1)) << "as the plan says";
}

TEST(Compile, puts_the_operators_point_into_restores_only) {
    const Graph graph =
        compiled({step("restore", {"database"}), step("verify", {"database"})},
                 {.mode = RunMode::real, .run = {}, .overrides = Json{{"to", "12:00"}}});
    EXPECT_EQ(graph.nodes[0].arguments["to"], "12:00");
    EXPECT_TRUE(graph.nodes[1].arguments.empty());
}

TEST(Compile, knows_who_may_approve) {
    Step guarded = step("promote", {"database"});
    guarded.approve = plan::Approval{.by = {"security", "bob"}, .statement = "go"};
    const Graph graph = compiled({guarded});
    EXPECT_EQ(graph.nodes[0].approvers.at("security"), Names{"alice"}) << "a placeholder is nobody";
    EXPECT_EQ(graph.nodes[0].approvers.at("bob"), Names{"bob"});
    const Graph drill = compiled({guarded}, {.mode = RunMode::drill, .run = {}});
    EXPECT_FALSE(drill.nodes[0].approve.has_value()) << "a drill in its own scope asks nobody";
}

TEST(Compile, prepares_the_way_back) {
    const Graph graph = compiled({step("isolate", {"shop"}), step("restore", {"database"})});
    ASSERT_EQ(graph.undo.size(), 1U);
    EXPECT_EQ(graph.undo[0].id.value, "undo-isolate-shop");
    EXPECT_EQ(graph.undo[0].verb, "release");
    EXPECT_EQ(graph.undo[0].undoes.value, "isolate-shop");
}

TEST(Compile, names_what_is_wrong) {
    EXPECT_NE(refused({step("restore", {"nobody"})}).message.find("'nobody'"), std::string::npos);
    EXPECT_NE(refused({step("fly", {"shop"})}).message.find("cannot 'fly'"), std::string::npos);
    Step a = step("verify", {"shop"}), b = step("verify", {"cache"});
    a.needs = {"verify-cache"};
    b.needs = {"verify-shop"};
    EXPECT_NE(refused({a, b}).message.find("circle"), std::string::npos);
    a.needs = {"nothing"};
    EXPECT_NE(refused({a}).message.find("'nothing'"), std::string::npos);
    Step large = step("verify", {"shop"});
    large.arguments = Json{{"text", std::string(100'000, 'x')}};
    EXPECT_EQ(refused({large}).kind, ErrorKind::invalid);
}

TEST(Compile, acts_only_where_there_is_a_provider) {
    plan::Plan plan = shop();
    plan.components[0].kind = "elsewhere";
    const CompileOptions real{.mode = RunMode::real, .run = RunId("run-1")};
    const CompileOptions preview{.mode = RunMode::preview, .run = RunId("run-1")};
    auto graph = compile(plan, {step("restore", {"database"})}, catalog(), real);
    ASSERT_FALSE(graph.has_value());
    EXPECT_EQ(graph.error().kind, ErrorKind::unsupported);
    EXPECT_TRUE(compile(plan, {step("restore", {"database"})}, catalog(), preview).has_value());
}

TEST(Compile, survives_its_own_json) {
    Step guarded = step("promote", {"database"});
    guarded.approve = plan::Approval{.by = {"security"}, .within = std::chrono::minutes(5)};
    guarded.on_failure = plan::OnFailure::roll_back;
    guarded.note = "mind the gap";
    guarded.arguments = Json{{"to", "{{ incident.time }}"}};
    const Graph graph = compiled({step("isolate", {"shop"}), step("restore", {"database"}), guarded,
                                  step("repoint", {"backend", "shop"})});
    auto again = graph_from_json(to_json(graph));
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(to_json(*again), to_json(graph));
    EXPECT_EQ(again->nodes[2].approve->within, std::chrono::minutes(5));
    EXPECT_EQ(again->nodes[2].approvers, graph.nodes[2].approvers);
    EXPECT_EQ(again->nodes[3].adopts, graph.nodes[3].adopts);
    EXPECT_FALSE(graph_from_json(Json(7)).has_value());
    EXPECT_FALSE(node_from_json(Json{{"id", "a"}, {"verb", "b"}, {"conduct", "fly"}}).has_value());
}

TEST(Token, is_short_and_tells_steps_and_runs_apart) {
    const RunId run("run-20261123-110643-7f3a");
    EXPECT_EQ(make_token(run, StepId("restore-database")),
              "lb-20261123-110643-7f3a-restore-database");
    const std::string a = make_token(run, StepId(std::string(80, 'a') + "1"));
    const std::string b = make_token(run, StepId(std::string(80, 'a') + "2"));
    EXPECT_LE(a.size(), 63U);
    EXPECT_NE(a, b);
    EXPECT_NE(make_token(run, StepId("a_b")), make_token(run, StepId("a.b")));
    EXPECT_NE(make_token(run, StepId("a_b")), make_token(run, StepId("a-b")));
}

}  // namespace
}  // namespace lifeboat::runbook

#include "core/plan/parse.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/plan/test_plans.h"

namespace lifeboat::plan {
namespace {

using Places = std::vector<std::string>;

constexpr const char* small_plan = R"(lifeboat: 1
plan: small
sites:
  here: {local: {directory: here, ports: 15500-15599}}
  there: {local: {directory: there, ports: 15600-15699}}
components:
  database:
    kind: postgres
    objectives: {rto: 30s, rpo: 5s}
    port: 15500
    rate: 50MiB/s
    protect: [{method: continuous}, {method: base, every: 1h, keep: 7d}]
    health: [{tcp: 15500, timeout: 2s}, {sql: "SELECT 1", expect: "= 1"}]
    at: {there: {port: 15600}}
  shop:
    kind: process
    needs: [database]
    command: [./shop, --fast]
    environment: {URL: "postgresql://shop@{{ database.host }}:{{ database.port }}/shop"}
scenarios:
  lost:
    stated_time: 45m
    detect: {any: [{unhealthy: database, for: 3s}, {alert: Down}]}
    steps:
      - restore: database
        to: "{{ incident.last_known_good }}"
        timeout: 5m
        retries: 2
      - parallel:
          - promote: database
          - stop: shop
      - repoint: [shop]
        needs: [promote-database]
        on_failure: carry_on
      - wait: 30s
      - run: [echo, "{{ steps.restore-database.port }}"]
      - approve: [boss]
      - notify: {to: boss, message: done}
      - rebuild-protection: database
        approve: {by: boss, within: 10m, statement: it is well}
people:
  boss: {name: "[Name]", os_user: root}
)";

TEST(ParsePlan, a_sound_plan_has_no_diagnostics) {
    const Parsed parsed = parse_text(small_plan);
    EXPECT_TRUE(parsed.diagnostics.empty()) << all(parsed);
}

TEST(ParsePlan, a_plan_without_components_is_told_of_and_no_error) {
    for (const char* components : {"", "components:\n", "components: {}\n"}) {
        const Parsed parsed = parse_text(std::string("lifeboat: 1\nplan: p\n") + components);
        ASSERT_EQ(parsed.diagnostics.size(), 1U) << all(parsed);
        EXPECT_EQ(parsed.diagnostics[0].id, "no-components");
        EXPECT_FALSE(parsed.has_errors());
    }
}

TEST(ParsePlan, a_component_holds_what_was_written) {
    const Parsed parsed = parse_text(small_plan);
    const Component* database = parsed.plan.component("database");
    ASSERT_NE(database, nullptr);
    EXPECT_EQ(database->kind, "postgres");
    EXPECT_EQ(database->site, "here") << "the first site, when none is named";
    EXPECT_EQ(database->objectives.rpo, std::chrono::seconds(5));
    EXPECT_EQ(database->settings["port"], 15500U);
    EXPECT_TRUE(database->settings["port"].is_number_unsigned());
    EXPECT_EQ(database->settings["rate"], "50MiB/s");
    EXPECT_EQ(database->settings["user"], "postgres") << "a default of the kind";
    ASSERT_EQ(database->protect.size(), 2U);
    EXPECT_EQ(database->protect[1].every, std::chrono::hours(1));
    ASSERT_EQ(database->health.size(), 2U);
    EXPECT_EQ(database->health[0].settings["value"], 15500U);
    EXPECT_EQ(database->health[1].expect, "= 1");
    EXPECT_EQ(database->at_site.at("there"), Json({{"port", 15600U}})) << "no defaults there";
    EXPECT_EQ(database->setting_at.at("port").line, 10U);
    EXPECT_EQ(database->setting_at.at("port").column, 11U);
}

TEST(ParsePlan, steps_hold_verbs_targets_arguments_and_ids) {
    const Parsed parsed = parse_text(small_plan);
    const Scenario* lost = parsed.plan.scenario("lost");
    ASSERT_NE(lost, nullptr);
    ASSERT_EQ(lost->steps.size(), 8U);
    EXPECT_EQ(lost->stated_time, std::chrono::minutes(45));
    const Step& restore = lost->steps[0];
    EXPECT_EQ(restore.id, "restore-database");
    EXPECT_EQ(restore.targets, std::vector<std::string>{"database"});
    EXPECT_EQ(restore.arguments["to"], "{{ incident.last_known_good }}");
    EXPECT_EQ(restore.retries, 2U);
    const Step& together = lost->steps[1];
    EXPECT_EQ(together.verb, "parallel");
    ASSERT_EQ(together.parallel.size(), 2U);
    EXPECT_EQ(together.parallel[1].id, "stop-shop");
    EXPECT_EQ(lost->steps[2].needs, std::vector<std::string>{"promote-database"});
    EXPECT_EQ(lost->steps[2].on_failure, OnFailure::carry_on);
    EXPECT_EQ(lost->steps[3].arguments, Json({{"for", "30s"}}));
    EXPECT_EQ(lost->steps[4].arguments["command"][0], "echo");
    ASSERT_TRUE(lost->steps[5].approve);
    EXPECT_EQ(lost->steps[5].approve->by, std::vector<std::string>{"boss"});
    EXPECT_EQ(lost->steps[6].arguments["message"], "done");
    ASSERT_TRUE(lost->steps[7].approve);
    EXPECT_EQ(lost->steps[7].approve->within, std::chrono::minutes(10));
}

TEST(ParsePlan, signals_say_what_is_seen_and_for_how_long) {
    const Parsed parsed = parse_text(small_plan);
    const auto& detect = parsed.plan.scenarios.at(0).detect;
    ASSERT_TRUE(detect);
    EXPECT_FALSE(detect->all);
    ASSERT_EQ(detect->signals.size(), 2U);
    EXPECT_EQ(detect->signals[0].type, Signal::Type::unhealthy);
    EXPECT_EQ(detect->signals[0].lasting, std::chrono::seconds(3));
    EXPECT_EQ(detect->signals[1].name, "Down");
}

TEST(ParsePlan, a_person_in_brackets_is_a_placeholder) {
    EXPECT_TRUE(parse_text(small_plan).plan.people.at(0).placeholder);
}

// Every kind of mistake, one a line, in one plan: all are named, at their places.
TEST(ParsePlan, a_plan_with_more_than_twenty_mistakes_has_all_of_them_named) {
    const Parsed parsed = parse_text(R"(lifeboat: 1
plan: Shop Plan
ownr: me
sites:
  here: {local: {directory: here, ports: 15599-15500}}
components:
  database:
    kind: postgress
  cache:
    kind: redis
    objectivs: {rto: 1h}
    objectives: {rto: quick}
    prot: 6379
    password: hunter2
    needs: [databse]
    port: 99999
    health: [{sql: "SELECT 1"}, {tpc: 6379}]
    protect: [{method: snapshott, every: 1h}, {method: snapshot}]
  shop:
    kind: process
    site: ther
    environment: {A: "{{ cach.port }}", B: "{{ cache.port"}
    replicas: many
  admin:
    needs: [shop]
scenarios:
  lost:
    severity: SEV-9
    detect: {any: [{unhealthy: nothing}]}
    steps:
      - restor: cache
      - promote: cache
      - restore: cache
        too: latest
        retries: -1
      - start: shop
        needs: [nowhere]
        approve: {by: nobody}
      - wait: soon
      - run: "echo {{ steps.restore-cache.prot }}"
      - notify: {channel: slack, message: hello}
      - {start: shop, stop: shop}
      - start: shop
        on_failure: ignore
)");
    EXPECT_EQ(places(parsed),
              (Places{"2:7 bad-name",           "3:1 unknown-key",        "5:42 bad-value",
                      "8:11 unknown-kind",      "11:5 unknown-key",       "12:23 bad-value",
                      "13:5 unknown-key",       "14:15 literal-secret",   "15:13 unknown-component",
                      "16:11 wrong-type",       "17:15 unknown-check",    "17:34 unknown-check",
                      "18:24 unknown-method",   "18:47 missing-key",      "21:11 unknown-site",
                      "22:22 unknown-template", "22:44 unknown-template", "23:15 wrong-type",
                      "24:3 missing-key",       "28:15 unknown-severity", "29:32 unknown-component",
                      "31:9 unknown-verb",      "32:18 wrong-verb",       "34:9 unknown-argument",
                      "35:18 bad-value",        "37:17 unknown-step",     "38:23 unknown-contact",
                      "39:15 bad-value",        "40:14 unknown-template", "41:27 unknown-channel",
                      "42:23 two-verbs",        "44:21 bad-value"}))
        << all(parsed);
}

TEST(ParsePlan, suggestions_name_what_was_probably_meant) {
    const Parsed parsed = parse_text(R"(lifeboat: 1
plan: p
components:
  cache:
    kind: redi
    objectivs: {rto: 1h}
  api: {kind: process, objectivs: {rto: 1h}}
scenarios:
  s:
    steps:
      - restor: cache
      - start: cach
)");
    std::vector<std::string> hints;
    for (const Diagnostic& diagnostic : parsed.diagnostics) hints.push_back(diagnostic.hint);
    EXPECT_TRUE(std::ranges::find(hints, "did you mean 'redis'?") != hints.end()) << all(parsed);
    EXPECT_TRUE(std::ranges::find(hints, "did you mean 'objectives'?") != hints.end())
        << all(parsed);
    EXPECT_TRUE(std::ranges::find(hints, "did you mean 'restore'?") != hints.end()) << all(parsed);
    EXPECT_TRUE(std::ranges::find(hints, "did you mean 'cache'?") != hints.end()) << all(parsed);
}

TEST(ParsePlan, an_excerpt_points_at_the_mistake) {
    const Parsed parsed = parse_text("lifeboat: 1\nplan: p\nowner: a\nobjectivs: 1\nsits: {}\n");
    ASSERT_EQ(parsed.diagnostics.size(), 2U);
    EXPECT_EQ(render(parsed.diagnostics[1], parsed.sources),
              "plan.yaml:5:1: error[unknown-key]: unknown key 'sits' in the plan\n"
              "    5 | sits: {}\n"
              "      | ^\n"
              "      = did you mean 'sites'?\n");
}

TEST(ParsePlan, duplicate_keys_are_errors) {
    const Parsed parsed = parse_text("lifeboat: 1\nplan: a\nowner: b\nowner: c\n");
    EXPECT_EQ(places(parsed), Places{"4:1 duplicate-key"}) << all(parsed);
}

TEST(ParsePlan, circular_needs_of_components_are_shown_as_a_circle) {
    const Parsed parsed = parse_text(R"(lifeboat: 1
plan: p
sites: {here: {local: {directory: h}}}
components:
  a: {kind: process, needs: [b]}
  b: {kind: process, needs: [c]}
  c: {kind: process, needs: [a]}
  d: {kind: process, needs: [d]}
)");
    EXPECT_EQ(places(parsed), (Places{"7:30 circular-needs", "8:30 circular-needs"}));
    EXPECT_EQ(parsed.diagnostics[0].message, "circular needs: a → b → c → a");
}

TEST(ParsePlan, circular_needs_of_steps_are_found_through_order_and_parallel) {
    const Parsed parsed = parse_text(R"(lifeboat: 1
plan: p
sites: {here: {local: {directory: h}}}
components:
  a: {kind: process}
scenarios:
  order:
    steps:
      - start: a
        needs: [stop-a]
      - stop: a
  inside:
    steps:
      - parallel:
          - start: a
            needs: [together]
        id: together
  fine:
    steps:
      - start: a
        id: one
      - stop: a
        needs: []
      - start: a
        needs: [one, stop-a]
)");
    EXPECT_EQ(places(parsed), (Places{"10:16 circular-needs", "16:20 circular-needs"}))
        << all(parsed);
}

TEST(ParsePlan, a_template_may_only_name_what_the_component_needs) {
    const Parsed parsed = parse_text(R"(lifeboat: 1
plan: p
sites: {here: {local: {directory: h}}}
components:
  a: {kind: process, environment: {A: "{{ self.port }}", B: "{{ b.port }}", C: "{{ site.name }}"}}
  b: {kind: redis}
  c: {kind: process, needs: [a], environment: {B: "{{ a.ports }}", C: "{{ a.colour }}"}}
)");
    EXPECT_EQ(places(parsed), (Places{"5:61 unknown-template", "7:71 unknown-template"}))
        << all(parsed);
}

TEST(ParsePlan, a_secret_in_the_plan_is_an_error_and_is_never_shown) {
    const Parsed parsed = parse_text(R"(lifeboat: 1
plan: p
sites: {here: {local: {directory: h}}}
components:
  a: {kind: redis, password: correct horse, typo: 1}
  b: {kind: http, url: "https://admin:battery@example.com/"}
  c: {kind: http, url: "https://{{ a.host }}/", token: "sta\x70le", needs: [a]}
  d: {kind: http, url: "https://user@example.com/"}
)");
    EXPECT_EQ(places(parsed), (Places{"5:30 literal-secret", "5:45 unknown-key",
                                      "6:39 literal-secret", "7:56 literal-secret"}))
        << all(parsed);
    std::string shown = all(parsed);
    for (const Diagnostic& diagnostic : parsed.diagnostics)
        shown += dump(to_json(diagnostic, parsed.sources));
    for (const char* secret : {"horse", "battery", "sta\\x70le", "staple"})
        EXPECT_FALSE(shown.contains(secret)) << shown;
}

TEST(ParsePlan, what_guards_a_step_is_never_read_as_nothing) {
    const Parsed parsed = parse_text(R"(lifeboat: 1
plan: p
sites: {here: {local: {directory: h}}}
components: {a: {kind: redis}}
scenarios:
  s:
    steps:
      - restore: a
        approve:
      - fence: a
        needs: ~
      - stop: a
        timeout: "{{ run.id }}"
      - start: a
        site: "{{ run.id }}"
  t:
    steps: []
)");
    EXPECT_EQ(places(parsed), (Places{"9:9 missing-value", "11:16 missing-value", "13:18 bad-value",
                                      "15:15 unknown-site", "16:3 no-steps"}))
        << all(parsed);
}

TEST(ParsePlan, a_variable_that_usually_holds_a_secret_should_be_a_reference) {
    const Parsed parsed = parse_text(R"(lifeboat: 1
plan: p
sites: {here: {local: {directory: h}}}
components:
  a:
    kind: process
    environment: {PGPASSWORD: hunter22, API_TOKEN: "env:TOKEN", TOKENS: 5, LOG: debug}
)");
    EXPECT_EQ(places(parsed), Places{"7:31 literal-secret"});
    EXPECT_FALSE(parsed.has_errors());
    EXPECT_FALSE(all(parsed).contains("hunter22"));
}

TEST(ParsePlan, what_a_command_gives_away_is_found_at_its_line_and_is_never_shown) {
    const Parsed parsed = parse_text(R"(lifeboat: 1
plan: p
sites: {here: {local: {directory: h}}}
components:
  a: {kind: shell, command: [curl, -u, "ann:hunter22", "https://x"]}
scenarios:
  s:
    steps:
      - run: |
          echo a
          PGPASSWORD=p psql
          curl -H "Authorization: Bearer $TOKEN" https://x
      - run: >-
          curl -u
          ben:e2e
          https://x
        written: |
          psql postgresql://u:batt@h
      - run: {command: "tool --password hun\x74er"}
      - run: tool --password-file pw
)");
    EXPECT_EQ(places(parsed),
              (Places{"5:45 literal-secret", "11:22 literal-secret", "15:15 literal-secret",
                      "18:31 literal-secret", "19:41 literal-secret"}))
        << all(parsed);
    const std::string shown = all(parsed);
    for (const char* secret : {"hunter22", "=p ", "e2e", "batt", "x74"})
        EXPECT_FALSE(shown.contains(secret)) << secret << shown;
    EXPECT_TRUE(shown.contains("          PGPASSWORD=* psql")) << shown;
    EXPECT_EQ(parsed.diagnostics.front().level, DiagnosticLevel::error);
    EXPECT_EQ(parsed.diagnostics.back().level, DiagnosticLevel::warning);
}

TEST(ParsePlan, of_a_text_full_of_secrets_some_are_told_and_none_is_shown) {
    std::string text =
        "lifeboat: 1\nplan: p\ncomponents: {a: {kind: shell}}\nscenarios:\n  s:\n    steps:\n      "
        "- run: |\n";
    for (int i = 0; i < 3000; ++i) text += "          TOKEN=t" + std::to_string(i) + " a\n";
    const Parsed parsed = parse_text(text + "        timeout: nonsense\n");
    EXPECT_EQ(parsed.diagnostics.size(), 21U);
    EXPECT_FALSE(parsed.sources[0].text.contains("=t2999"));
    EXPECT_FALSE(parsed.sources[0].text.contains("=t0"));
    EXPECT_TRUE(parsed.sources[0].text.contains("timeout: nonsense"));
}

TEST(ParsePlan, a_template_that_names_nothing_is_told_at_its_line) {
    const Parsed parsed = parse_text(R"(lifeboat: 1
plan: p
components: {a: {kind: shell}}
scenarios:
  s:
    steps:
      - run: |
          one
          two {{ steps.nobody.x }}
          three {{ nothing }}
)");
    EXPECT_EQ(places(parsed), (Places{"9:18 unknown-template", "10:20 unknown-template"}))
        << all(parsed);
}

TEST(ParsePlan, a_newer_format_is_refused_by_its_version) {
    const Parsed parsed = parse_text("lifeboat: 2\nplan: p\n");
    EXPECT_EQ(places(parsed), Places{"1:11 version"});
}

TEST(ParsePlan, an_empty_file_is_an_error) {
    EXPECT_TRUE(parse_text("").has_errors());
    EXPECT_TRUE(parse_text("- a\n- b\n").has_errors());
    EXPECT_TRUE(parse_text("just text\n").has_errors());
}

TEST(ParsePlan, the_digest_ignores_comments_and_order_and_sees_values) {
    const std::string first = parse_text("lifeboat: 1\nplan: p\nowner: a\n").plan.digest;
    EXPECT_EQ(first.size(), 64U);
    EXPECT_EQ(first, parse_text("# why\nowner: a\nlifeboat: 1\n\nplan: p # me\n").plan.digest);
    EXPECT_NE(first, parse_text("lifeboat: 1\nplan: p\nowner: b\n").plan.digest);
}

TEST(ParsePlan, a_site_must_have_what_the_kind_runs_on) {
    const Parsed parsed = parse_text(R"(lifeboat: 1
plan: p
sites:
  here: {local: {directory: h}}
  cloud: {aws: {region: eu-central-1}}
components:
  a: {kind: redis, site: cloud}
  b: {kind: redis}
scenarios:
  s:
    steps:
      - restore: b
        site: cloud
)");
    EXPECT_EQ(places(parsed), (Places{"7:26 missing-platform", "13:15 missing-platform"}))
        << all(parsed);
}

}  // namespace
}  // namespace lifeboat::plan

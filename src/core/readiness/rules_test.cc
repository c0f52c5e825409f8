// Every rule on two small plans: one that breaks it, and one that differs in just that.

#include <gtest/gtest.h>

#include <set>

#include "core/readiness/test_judge.h"

namespace lifeboat::readiness {
namespace {

struct Case {
    const char* rule;
    const char* bad;
    const char* good;
};

constexpr Case cases[] = {
    {"rpo-unreachable",
     "components:\n  db: {kind: aws.rds, objectives: {rpo: 1h}, protect: [{method: snapshot, "
     "every: 6h}]}\n",
     "components:\n  db: {kind: aws.rds, objectives: {rpo: 1h}, protect: [{method: snapshot, "
     "every: 40m}]}\n"},
    {"unprotected", "components:\n  db: {kind: aws.rds, objectives: {rpo: 1h}}\n",
     "components:\n  db: {kind: aws.rds, objectives: {rpo: 1h}, protect: [{method: "
     "continuous}]}\n"},
    {"rto-unreachable",
     "components:\n  db: {kind: aws.rds, objectives: {rto: 10m}}\n"
     "scenarios:\n  s: {lost: [db], steps: [{restore: db, estimate: 20m}]}\n",
     "components:\n  db: {kind: aws.rds, objectives: {rto: 1h}}\n"
     "scenarios:\n  s: {lost: [db], steps: [{restore: db, estimate: 20m}]}\n"},
    {"stated-time-over-rto",
     "components:\n  db: {kind: aws.rds, objectives: {rto: 40m}}\n"
     "scenarios:\n  s: {lost: [db], stated_time: 1h, steps: [{restore: db}]}\n",
     "components:\n  db: {kind: aws.rds, objectives: {rto: 40m}}\n"
     "scenarios:\n  s: {lost: [db], stated_time: 39m, steps: [{restore: db}]}\n"},
    {"needs-slower",
     "components:\n  db: {kind: aws.rds, objectives: {rto: 1h}}\n"
     "  web: {kind: kubernetes.deployment, needs: [db], objectives: {rto: 30m}}\n",
     "components:\n  db: {kind: aws.rds, objectives: {rto: 30m}}\n"
     "  web: {kind: kubernetes.deployment, needs: [db], objectives: {rto: 30m}}\n"},
    {"priority-inversion",
     "components:\n  db: {kind: aws.rds, priority: P1}\n"
     "  web: {kind: kubernetes.deployment, needs: [db], priority: P0}\n",
     "components:\n  db: {kind: aws.rds, priority: P0}\n"
     "  web: {kind: kubernetes.deployment, needs: [db], priority: P1}\n"},
    {"better-point-unused",
     "components:\n  db: {kind: aws.rds, objectives: {rpo: 15m}, protect: [{method: snapshot, "
     "every: 6h}, "
     "{method: continuous}]}\nscenarios:\n  s: {lost: [db], steps: [{restore: db, from: "
     "snapshot}]}\n",
     "components:\n  db: {kind: aws.rds, objectives: {rpo: 15m}, protect: [{method: snapshot, "
     "every: 6h}, "
     "{method: continuous}]}\nscenarios:\n  s: {lost: [db], steps: [{restore: db}]}\n"},
    {"retrieval-too-slow",
     "components:\n  m: {kind: aws.s3, objectives: {rto: 4h}, protect: [{method: copy, every: 6h, "
     "storage_class: GLACIER}]}\n",
     "components:\n  m: {kind: aws.s3, objectives: {rto: 6h}, protect: [{method: copy, every: 6h, "
     "storage_class: GLACIER}]}\n"},
    {"retention-short",
     "components:\n  db: {kind: aws.rds, protect: [{method: snapshot, every: 6h, keep: 7d}]}\n",
     "components:\n  db: {kind: aws.rds, protect: [{method: snapshot, every: 6h, keep: 7d}, "
     "{method: continuous, keep: 30d}]}\n"},
    {"retention-gap",
     "components:\n  db: {kind: aws.rds, protect: [{method: snapshot, every: 6h, keep: 5h}]}\n",
     "components:\n  db: {kind: aws.rds, protect: [{method: snapshot, every: 6h, keep: 6h}]}\n"},
    {"one-account", "components:\n  db: {kind: aws.rds, protect: [{method: continuous}]}\n",
     "components:\n  db: {kind: aws.rds, protect: [{method: continuous, account: '2'}]}\n"},
    {"no-immutable-copy",
     "components:\n  db: {kind: aws.rds, objectives: {rpo: 1h}, protect: [{method: continuous}]}\n",
     "components:\n  db: {kind: aws.rds, objectives: {rpo: 1h}, protect: [{method: continuous, "
     "immutable: true}]}\n"},
    {"not-protected-again",
     "components:\n  db: {kind: aws.rds, protect: [{method: continuous}]}\n"
     "scenarios:\n  s: {lost: [db], steps: [{restore: db}]}\n",
     "components:\n  db: {kind: aws.rds, protect: [{method: continuous}]}\n"
     "scenarios:\n  s: {lost: [db], steps: [{restore: db}, {rebuild-protection: db}]}\n"},
    {"unrecovered", "components:\n  db: {kind: aws.rds, objectives: {rto: 1h}}\n",
     "components:\n  db: {kind: aws.rds, objectives: {rto: 1h}}\n"
     "scenarios:\n  s: {lost: [db], steps: [{restore: db}]}\n"},
    {"left-lost",
     "components:\n  db: {kind: aws.rds, objectives: {rto: 1h}}\n"
     "scenarios:\n  s: {lost_sites: [a], steps: [{verify: db}]}\n",
     "components:\n  db: {kind: aws.rds, objectives: {rto: 1h}}\n"
     "scenarios:\n  s: {lost_sites: [a], steps: [{restore: db, site: b}]}\n"},
    {"left-behind",
     "components:\n  db: {kind: aws.rds}\n  web: {kind: kubernetes.deployment, needs: [db]}\n"
     "scenarios:\n  s: {lost: [db], steps: [{restore: db}]}\n",
     "components:\n  db: {kind: aws.rds}\n  web: {kind: kubernetes.deployment, needs: [db]}\n"
     "scenarios:\n  s: {lost: [db], steps: [{restore: db}, {repoint: web}]}\n"},
    {"left-behind",
     "components:\n  db: {kind: aws.rds}\n  web: {kind: kubernetes.deployment, objectives: {rto: "
     "1h}}\n"
     "scenarios:\n  s: {lost: [db], steps: [{restore: db}]}\n",
     "components:\n  db: {kind: aws.rds}\n  web: {kind: kubernetes.deployment, needs: [], "
     "objectives: {rto: "
     "1h}}\nscenarios:\n  s: {lost: [db], steps: [{restore: db}]}\n"},
    {"not-isolated",
     "components:\n  db: {kind: aws.rds}\n  web: {kind: kubernetes.deployment, needs: [db]}\n"
     "scenarios:\n  s: {corrupted: [db], steps: [{restore: db}, {repoint: web}]}\n",
     "components:\n  db: {kind: aws.rds}\n  web: {kind: kubernetes.deployment, needs: [db]}\n"
     "scenarios:\n  s: {corrupted: [db], steps: [{isolate: web}, {restore: db}, {repoint: "
     "web}]}\n"},
    {"left-behind",
     "components:\n  db: {kind: aws.rds}\n  web: {kind: kubernetes.deployment, needs: [db]}\n"
     "scenarios:\n  s: {lost: [db], steps: [{repoint: web}, {restore: db}]}\n",
     "components:\n  db: {kind: aws.rds}\n  web: {kind: kubernetes.deployment, needs: [db]}\n"
     "scenarios:\n  s: {lost: [db], steps: [{restore: db}, {repoint: web}]}\n"},
    {"proven-early",
     "components:\n  db: {kind: aws.rds}\n"
     "scenarios:\n  s: {lost: [db], steps: [{verify: db}, {restore: db}]}\n",
     "components:\n  db: {kind: aws.rds}\n"
     "scenarios:\n  s: {lost: [db], steps: [{restore: db}, {verify: db}]}\n"},
    {"never-released",
     "components:\n  db: {kind: aws.rds}\n  web: {kind: kubernetes.deployment, needs: [db]}\n"
     "scenarios:\n  s: {corrupted: [db], steps: [{isolate: web}, {restore: db}, {repoint: "
     "web}]}\n",
     "components:\n  db: {kind: aws.rds}\n  web: {kind: kubernetes.deployment, needs: [db]}\n"
     "scenarios:\n  s: {corrupted: [db], steps: [{isolate: web}, {restore: db}, {repoint: web}, "
     "{release: web}]}\n"},
    {"points-elsewhere",
     "components:\n  c: {kind: aws.elasticache, protect: [{method: snapshot, every: 1h}]}\n"
     "scenarios:\n  s: {lost: [c], steps: [{restore: c, site: b}]}\n",
     "components:\n  c: {kind: aws.elasticache, protect: [{method: snapshot, every: 1h, copy_to: "
     "b}]}\n"
     "scenarios:\n  s: {lost: [c], steps: [{restore: c, site: b}]}\n"},
    {"timeout-too-short", "scenarios:\n  s: {steps: [{run: x, estimate: 8m, timeout: 2m}]}\n",
     "scenarios:\n  s: {steps: [{run: x, estimate: 8m, timeout: 20m}]}\n"},
    {"control-plane-lost",
     "components:\n  name: {kind: aws.route53, zone: Z}\n"
     "scenarios:\n  s: {lost_sites: [a], steps: [{redirect: name, site: b}]}\n",
     "components:\n  name: {kind: aws.route53, zone: Z}\n"
     "scenarios:\n  s: {lost_sites: [b], steps: [{redirect: name, site: a}]}\n"},
    {"control-plane-lost",
     "components:\n  web: {kind: kubernetes.deployment, site: a}\n"
     "scenarios:\n  s: {lost_sites: [a], steps: [{scale: web, replicas: 3}]}\n",
     "components:\n  web: {kind: kubernetes.deployment, site: a}\n"
     "scenarios:\n  s: {lost_sites: [a], steps: [{scale: web, replicas: 3, site: b}]}\n"},
    {"circular-recovery",
     "components:\n  code: {kind: git}\n  tf: {kind: terraform, directory: t}\n  k: {kind: "
     "aws.eks}\n"
     "scenarios:\n  s: {lost: [k], steps: [{provision: tf}, {deploy: code, into: k}]}\n",
     "components:\n  code: {kind: git}\n  tf: {kind: terraform, directory: t}\n  k: {kind: "
     "aws.eks, needs: "
     "[tf]}\nscenarios:\n  s: {lost: [k], steps: [{provision: tf}, {deploy: code, into: k}]}\n"},
    {"ttl-too-long",
     "components:\n  web: {kind: kubernetes.deployment, objectives: {rto: 5m}}\n"
     "  name: {kind: dns, record: x.example.com, ttl: 1h}\n"
     "scenarios:\n  s: {lost: [web], steps: [{start: web}, {redirect: name}]}\n",
     "components:\n  web: {kind: kubernetes.deployment, objectives: {rto: 5m}}\n"
     "  name: {kind: dns, record: x.example.com, ttl: 1m}\n"
     "scenarios:\n  s: {lost: [web], steps: [{start: web}, {redirect: name}]}\n"},
    {"redirected-early",
     "components:\n  web: {kind: kubernetes.deployment}\n  name: {kind: dns, record: "
     "x.example.com}\n"
     "scenarios:\n  s: {lost: [web], steps: [{redirect: name}, {start: web}]}\n",
     "components:\n  web: {kind: kubernetes.deployment}\n  name: {kind: dns, record: "
     "x.example.com}\n"
     "scenarios:\n  s: {lost: [web], steps: [{start: web}, {redirect: name}]}\n"},
    {"no-rollback",
     "components:\n  db: {kind: aws.rds}\nscenarios:\n  s: {lost_sites: [a], steps: [{restore: db, "
     "site: b}]}\n",
     "components:\n  db: {kind: aws.rds}\nscenarios:\n  s: {lost_sites: [a], steps: [{restore: db, "
     "site: b}], "
     "rollback: [{restore: db, id: home}]}\n"},
    {"fixed-point",
     "components:\n  db: {kind: aws.rds}\nscenarios:\n  s: {lost: [db], steps: [{restore: db, to: "
     "snap-1}]}\n",
     "components:\n  db: {kind: aws.rds}\nscenarios:\n  s: {lost: [db], steps: [{restore: db, to: "
     "latest}]}\n"},
    {"fixed-time",
     "components:\n  db: {kind: aws.rds}\nscenarios:\n  s: {lost: [db], steps: [{restore: db, to: "
     "'2025-12-04T02:00:00Z'}]}\n",
     "components:\n  db: {kind: aws.rds}\nscenarios:\n  s: {lost: [db], steps: [{restore: db, to: "
     "'{{ "
     "incident.last_known_good }}'}]}\n"},
    {"point-by-position",
     "scenarios:\n  s: {steps: [{run: 'aws rds list-snapshots --query DBSnapshots[0]'}]}\n",
     "scenarios:\n  s: {steps: [{run: 'aws rds list-snapshots'}]}\n"},
    {"kubectl-unscoped", "scenarios:\n  s: {steps: [{run: 'kubectl --context c get pods'}]}\n",
     "scenarios:\n  s: {steps: [{run: 'kubectl --context c -n shop get pods | grep web'}]}\n"},
    {"kubectl-unscoped", "scenarios:\n  s: {steps: [{run: kubectl get pods -A}]}\n",
     "scenarios:\n  s: {steps: [{run: kubectl --context=c get nodes}]}\n"},
    {"placeholder-contact", "people:\n  ic: {name: '[Name]', phone: '[Phone]', email: '[Email]'}\n",
     "people:\n  support: {name: '-', phone: '-', email: support@example.org}\n"},
    {"approval-unreachable",
     "roles: {ic: {}}\npeople:\n  ann: {roles: [ic], email: ann@example.org, os_user: ann}\n"
     "scenarios:\n  s: {steps: [{approve: [ic]}]}\n",
     "roles: {ic: {}}\npeople:\n  ann: {roles: [ic], phone: '1', os_user: ann}\n  bob: {roles: "
     "[ic], phone: '2', "
     "token: env:BOB}\nscenarios:\n  s: {steps: [{approve: [ic]}]}\n"},
    {"severity-ambiguous",
     "severities: {S1: {scenarios: [s]}, S2: {scenarios: [s]}}\nscenarios:\n  s: {steps: [{run: "
     "x}]}\n",
     "severities: {S1: {scenarios: [s]}, S2: {}}\nscenarios:\n  s: {severity: S1, steps: [{run: "
     "x}]}\n"},
    {"no-severity", "severities: {S1: {}}\nscenarios:\n  s: {steps: [{run: x}]}\n",
     "severities: {S1: {}}\nscenarios:\n  s: {severity: S1, steps: [{run: x}]}\n"},
    {"signal-without-source",
     "components:\n  db: {kind: aws.rds}\nscenarios:\n  s: {detect: [{alert: Down}], steps: [{run: "
     "x}]}\n",
     "components:\n  db: {kind: aws.rds, alerts: [Down]}\nscenarios:\n  s: {detect: [{alert: "
     "Down}], steps: "
     "[{run: x}]}\n"},
    {"signal-without-source",
     "components:\n  db: {kind: aws.rds}\nscenarios:\n  s: {detect: [{unhealthy: db}], steps: "
     "[{run: x}]}\n",
     "components:\n  db: {kind: aws.rds, health: [{tcp: 1}]}\nscenarios:\n  s: {detect: "
     "[{unhealthy: db}], "
     "steps: [{run: x}]}\n"},
    {"detected-by-eye",
     "components:\n  db: {kind: aws.rds}\nscenarios:\n  s: {lost: [db], detect: [{report: x}], "
     "steps: [{run: x}]}\n",
     "components:\n  db: {kind: aws.rds, health: [{tcp: 1}]}\nscenarios:\n  s: {lost: [db], "
     "detect: [{report: x}, "
     "{unhealthy: db}], steps: [{run: x}]}\n"},
    {"lifeline-inside",
     "components:\n  web: {kind: http, url: 'https://shop.example.com'}\n"
     "status_page: {url: 'https://status.example.com'}\n",
     "components:\n  web: {kind: http, url: 'https://shop.example.com'}\n"
     "status_page: {url: 'https://example.statuspage.io'}\n"},
    {"lifeline-inside", "vault: {directory: v, key: v/key}\n",
     "vault: {directory: v, key: keys/key}\n"},
    {"drill-destroys",
     "components:\n  tf: {kind: terraform, directory: t}\n"
     "scenarios:\n  s: {steps: [{verify: tf, workspace: dr}]}\n"
     "drills:\n  d: {steps: [{provision: tf, workspace: dr}], cleanup: [{destroy: tf, workspace: "
     "dr}]}\n",
     "components:\n  tf: {kind: terraform, directory: t}\n"
     "scenarios:\n  s: {steps: [{verify: tf, workspace: dr}]}\n"
     "drills:\n  d: {steps: [{provision: tf, workspace: mine}], cleanup: [{destroy: tf, workspace: "
     "mine}]}\n"},
    {"dates-passed", "updated: 2025-12-04\nreview: {next: 2025-03-04}\n",
     "updated: 2025-12-04\nreview: {next: 2026-03-04}\n"},
    {"never-tested", "review: {last_test: '[Date]'}\n", "review: {last_test: 2025-12-01}\n"},
    {"no-stated-time", "scenarios:\n  s: {steps: [{run: x}]}\n",
     "scenarios:\n  s: {steps: [{run: x, estimate: 2m}]}\n"},
};

TEST(rules, find_the_plan_that_breaks_them_and_leave_its_twin_alone) {
    for (const Case& one : cases) {
        const Judged bad(plan::parse_text(two_regions(one.bad)));
        EXPECT_FALSE(bad.parsed.has_errors()) << one.rule << "\n" << bad.text();
        EXPECT_TRUE(bad.finds(one.rule)) << one.rule << " misses\n" << one.bad << bad.text();
        const Judged good(plan::parse_text(two_regions(one.good)));
        EXPECT_FALSE(good.parsed.has_errors()) << one.rule << "\n" << good.text();
        EXPECT_FALSE(good.finds(one.rule)) << one.rule << " cries\n" << one.good << good.text();
    }
}

TEST(rules, each_have_such_a_pair) {
    std::set<std::string_view> tried;
    for (const Case& one : cases) tried.insert(one.rule);
    for (const Rule& one : rules())
        EXPECT_TRUE(one.find == nullptr || tried.contains(one.id)) << one.id;
    for (const std::string_view id : tried) EXPECT_NE(rule(id), nullptr) << id;
}

TEST(rules, of_which_only_assumptions_speak_are_warnings) {
    // The kind declares no time for a backup of S3: that the copy is late is a guess.
    const Judged judged(plan::parse_text(two_regions(
        "components:\n  m: {kind: aws.s3, objectives: {rpo: 24h}, protect: [{method: copy, every: "
        "24h}]}\n")));
    ASSERT_TRUE(judged.finds("rpo-unreachable")) << judged.text();
    for (const Judgement& one : judged.judgements) {
        if (one.diagnostic.id != "rpo-unreachable") continue;
        EXPECT_EQ(one.diagnostic.level, plan::DiagnosticLevel::warning);
    }
}

TEST(rules, give_advice_that_keeps_the_promise) {
    const Judged judged(
        plan::parse_text(two_regions("components:\n  db: {kind: aws.rds, objectives: {rpo: 1h}, "
                                     "protect: [{method: snapshot, every: "
                                     "6h}]}\n")));
    ASSERT_TRUE(judged.finds("rpo-unreachable"));
    EXPECT_TRUE(judged.text().contains("= try: every: 50m, or method: continuous"))
        << judged.text();
    EXPECT_TRUE(judged.text().contains("^ worst case: interval 6h + snapshot 10m (estimate)"))
        << judged.text();
}

TEST(rules, say_nothing_of_an_empty_plan) {
    const Judged judged(plan::parse_text("lifeboat: 1\nplan: p\n"));
    EXPECT_TRUE(judged.judgements.empty()) << judged.text();
}

}  // namespace
}  // namespace lifeboat::readiness

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
    {"never-switched",
     "components:\n  db: {kind: aws.rds}\nscenarios:\n  s: {lost: [db], steps: "
     "[{rebuild-protection: db}, {restore: db}]}\n",
     "components:\n  db: {kind: aws.rds}\nscenarios:\n  s: {lost: [db], steps: [{restore: db}, "
     "{rebuild-protection: db}]}\n"},
    {"never-switched",
     "components:\n  db: {kind: aws.rds}\n  web: {kind: kubernetes.deployment, needs: [db]}\n"
     "scenarios:\n  s: {lost: [db], steps: [{repoint: web}, {promote: db}, {verify: db}]}\n",
     "components:\n  db: {kind: aws.rds}\n  web: {kind: kubernetes.deployment, needs: [db]}\n"
     "scenarios:\n  s: {lost: [db], steps: [{promote: db}, {verify: db}, {repoint: web}]}\n"},
    {"never-switched",
     "components:\n  db: {kind: aws.rds}\n  code: {kind: git}\n"
     "  web: {kind: kubernetes.deployment, needs: [db, code]}\n"
     "scenarios:\n  s: {lost: [db], steps: [{parallel: [{restore: db}, {deploy: code}]}]}\n",
     "components:\n  db: {kind: aws.rds}\n  code: {kind: git}\n"
     "  web: {kind: kubernetes.deployment, needs: [db, code]}\n"
     "scenarios:\n  s: {lost: [db], steps: [{restore: db}, {deploy: code}]}\n"},
    {"never-switched",
     "components:\n  db: {kind: aws.rds}\nscenarios:\n  s: {steps: [{run: x}], rollback: "
     "[{restore: db}]}\n",
     "components:\n  db: {kind: aws.rds}\nscenarios:\n  s: {steps: [{run: x}], rollback: "
     "[{restore: db}, {rebuild-protection: db, id: again}]}\n"},
    // A disaster that only its detection names.
    {"control-plane-lost",
     "components:\n  name: {kind: aws.route53, zone: Z}\n"
     "scenarios:\n  s: {detect: [{site_lost: a}], steps: [{redirect: name, site: b}]}\n",
     "components:\n  name: {kind: aws.route53, zone: Z}\n"
     "scenarios:\n  s: {detect: [{site_lost: b}], steps: [{redirect: name, site: a}]}\n"},
    {"no-rollback",
     "components:\n  db: {kind: aws.rds}\nscenarios:\n  s: {detect: [{site_lost: a}], steps: "
     "[{restore: db, site: b}]}\n",
     "components:\n  db: {kind: aws.rds}\nscenarios:\n  s: {detect: [{site_lost: a}], steps: "
     "[{restore: db, site: b}], rollback: [{restore: db, id: home}]}\n"},
    {"approval-unreachable",
     "people:\n  ann: {phone: '1', email: ann@example.org}\n"
     "scenarios:\n  s: {detect: [{site_lost: a}], steps: [{run: x}]}\n",
     "people:\n  ann: {phone: '1', os_user: ann}\n  bob: {phone: '2', os_user: bob}\n"
     "scenarios:\n  s: {detect: [{site_lost: a}], steps: [{run: x}]}\n"},
    {"approval-unreachable",
     "people:\n  ann: {phone: '1', os_user: ann}\n  bob: {phone: '2'}\n"
     "scenarios:\n  s: {lost_sites: [a], steps: [{run: x}]}\n",
     "people:\n  ann: {phone: '1', os_user: ann}\n  bob: {phone: '2'}\n"
     "scenarios:\n  s: {lost_sites: [a], automatic: true, steps: [{run: x}]}\n"},
    {"kubectl-unscoped",
     "scenarios:\n  s: {steps: [{run: 'sudo -E timeout 5m kubectl get pods -n shop'}]}\n",
     "scenarios:\n  s: {steps: [{run: 'KUBECONFIG=k sudo kubectl get pods -n shop'}]}\n"},
    {"kubectl-unscoped", "scenarios:\n  s: {steps: [{run: \"bash -c 'a; kubectl get pods'\"}]}\n",
     "scenarios:\n  s: {steps: [{run: \"kubectl --context c get pods -l 'a in (b; c)' -n d\"}]}\n"},
    {"drill-destroys",
     "components:\n  tf: {kind: terraform, directory: t}\n"
     "scenarios:\n  s: {steps: [{verify: tf, workspace: dr}]}\n"
     "drills:\n  d: {steps: [{run: x}], cleanup: [{run: sudo terraform destroy -auto-approve}]}\n",
     "components:\n  tf: {kind: terraform, directory: t}\n"
     "scenarios:\n  s: {steps: [{verify: tf, workspace: dr}]}\n"
     "drills:\n  d: {steps: [{run: terraform workspace new drill}], cleanup: [{run: terraform "
     "destroy -auto-approve}]}\n"},
    {"drill-destroys",
     "scenarios:\n  s: {steps: [{run: terraform workspace select dr && terraform plan}]}\n"
     "drills:\n  d: {steps: [{run: x}], cleanup: [{run: TF_WORKSPACE=dr terraform apply "
     "-destroy}]}\n",
     "scenarios:\n  s: {steps: [{run: terraform workspace select dr && terraform plan}]}\n"
     "drills:\n  d: {steps: [{run: x}], cleanup: [{run: export TF_WORKSPACE=drill; terraform "
     "destroy}]}\n"},
    {"never-tested", "updated: 2025-12-04\nreview: {last_test: 2099-11-01}\n",
     "updated: 2025-12-04\nreview: {last_test: 2025-12-04}\n"},
    {"lifeline-inside",
     "components:\n  web: {kind: http, url: 'https://shop.example.com'}\n"
     "people:\n  ada: {email: ada@shop.example.com}\n",
     "components:\n  web: {kind: http, url: 'https://shop.example.com'}\n"
     "people:\n  ada: {email: ada@example.org}\n"},
    {"lifeline-inside",
     "components:\n  web: {kind: http, url: 'https://shop.example.com'}\n"
     "  admin: {kind: http, url: 'https://a:$B@admin.example.co.uk:8443/x'}\n"
     "links: {runbooks: 'https://wiki.example.co.uk'}\n",
     "components:\n  web: {kind: http, url: 'https://shop.example.com'}\n"
     "  admin: {kind: http, url: 'https://admin.example.co.uk/x'}\n"
     "links: {runbooks: 'https://wiki.other.co.uk'}\n"},
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

/// The findings of one rule as they are shown.
std::string shown_of(const Judged& judged, std::string_view id) {
    std::string text;
    for (const Judgement& one : judged.judgements)
        if (one.diagnostic.id == id) text += plan::render(one.diagnostic, judged.parsed.sources);
    return text;
}

TEST(rules, never_say_that_an_hour_is_more_than_an_hour) {
    History history;
    history.add({"backup", "db", ""}, std::chrono::seconds(8));
    for (int i = 0; i < 9; ++i) history.add({"backup", "db", ""}, std::chrono::seconds(8));
    const Judged judged(
        plan::parse_text(two_regions("components:\n  db: {kind: aws.rds, objectives: {rpo: 1h}, "
                                     "protect: [{method: snapshot, every: 1h}]}\n")),
        history);
    EXPECT_TRUE(
        shown_of(judged, "rpo-unreachable").contains("may lose at most 1h, but can lose 1h and 8s"))
        << judged.text();
    using std::chrono::hours;
    using std::chrono::seconds;
    EXPECT_EQ(told_over(hours(25) + seconds(8), hours(25)), "25h and 8s");
    EXPECT_EQ(told_over(hours(2), hours(1)), "2h");
    EXPECT_EQ(told_over(hours(1), hours(1)), "1h");
}

TEST(rules, say_what_a_promotion_without_a_replica_needs) {
    const Judged judged(plan::parse_text(two_regions(
        "components:\n  db: {kind: aws.rds, site: a, objectives: {rpo: 1h}, protect: [{method: "
        "continuous, copy_to: b}]}\n"
        "scenarios:\n  s:\n    lost_sites: [a]\n    steps:\n      - promote: db\n        site: b\n"
        "  t:\n    lost: [db]\n    steps:\n      - restore: db\n        from: snapshot\n")));
    const std::string text = shown_of(judged, "rpo-unreachable");
    EXPECT_TRUE(text.contains("plan.yaml:12:9: error")) << text;
    EXPECT_TRUE(text.contains("^ it has no protection 'replica'")) << text;
    EXPECT_TRUE(text.contains("= try: method: replica, copy_to: b, or - restore: db instead"))
        << text;
    EXPECT_TRUE(text.contains("plan.yaml:18:15: error")) << text;
    EXPECT_TRUE(text.contains("= try: method: snapshot, or from: continuous")) << text;
}

TEST(rules, say_who_could_give_the_word_to_cross) {
    const auto level_of = [](const std::string& people) {
        const Judged judged(plan::parse_text(two_regions(
            "people:\n" + people + "scenarios:\n  s: {lost_sites: [a], steps: [{run: x}]}\n")));
        return shown_of(judged, "approval-unreachable");
    };
    EXPECT_TRUE(level_of("  ic: {name: Ann, phone: '1', email: ann@example.org}\n")
                    .contains("error[approval-unreachable]: s moves to another site on a person's "
                              "word, and nobody who can be woken can prove who they are"));
    EXPECT_TRUE(level_of("  ic: {name: Ann, email: ann@example.org, os_user: ann}\n")
                    .contains("error[approval-unreachable]: s moves to another site on a person's "
                              "word, and at night nobody can be asked"));
    EXPECT_TRUE(level_of("  ic: {name: Ann, phone: '1', os_user: ann}\n")
                    .contains("warning[approval-unreachable]: s moves to another site on a "
                              "person's word, and only ic can give it"));
}

TEST(rules, know_the_time_of_the_check) {
    const auto text = "review: {last_test: 2025-11-01}\n";
    const auto finds = [&](const char* now) {
        return Judged(plan::parse_text(two_regions(text)), {}, {.now = *parse_instant(now)})
            .finds("never-tested");
    };
    EXPECT_TRUE(finds("2025-10-01T00:00:00Z"));
    EXPECT_FALSE(finds("2025-10-31T12:00:00Z")) << "it is that day in the east";
    EXPECT_FALSE(finds("2025-11-02T00:00:00Z"));
}

/// What the rule says of a Redis in `folder`, with the vault and its key elsewhere.
std::string lifeline(const std::string& folder, const std::string& vault, const std::string& key,
                     Surroundings around = {}) {
    const Judged judged(
        plan::parse_text("lifeboat: 1\nplan: p\nsites: {here: {local: {directory: s}}}\n"
                         "components:\n  c: {kind: redis, data_directory: " +
                         folder + "}\nvault: {directory: " + vault + ", key: " + key + "}\n"),
        {}, std::move(around));
    EXPECT_FALSE(judged.parsed.has_errors()) << judged.text();
    return shown_of(judged, "lifeline-inside");
}

TEST(rules, compare_paths_by_where_they_lead) {
    const auto inside = [](const std::string& folder, const std::string& vault) {
        return lifeline(folder, vault, "k").contains("the vault lies inside c");
    };
    EXPECT_TRUE(inside("ts/cache", "ts/../ts/cache/vault"));
    EXPECT_TRUE(inside("./ts//cache/", "ts/cache"));
    EXPECT_TRUE(inside("/ts/cache", "/../ts/.//cache/v"));
    EXPECT_TRUE(inside(".", "v"));
    EXPECT_TRUE(inside("/", "/v"));
    EXPECT_FALSE(inside(".", "../v"));
    EXPECT_FALSE(inside("ts/cache", "ts/cache/../v"));
    EXPECT_FALSE(inside("ts/cache", "ts/cachev"));
    EXPECT_FALSE(inside("/ts/cache", "ts/cache"));
    EXPECT_TRUE(lifeline("x", "v", "./s/k").contains("the vault's key lies inside site here"));
    EXPECT_TRUE(lifeline("x", "v", "v/../v/k").contains("the vault's key lies inside the vault"));
}

TEST(rules, know_where_links_lead_and_where_the_state_is) {
    const Surroundings linked{.paths = {{"ts/cache", "/p/ts/cache"}, {"link", "/p/ts/cache/v"}}};
    EXPECT_EQ(lifeline("ts/cache", "link", "k"), "");
    EXPECT_TRUE(lifeline("ts/cache", "link", "k", linked)
                    .contains("plan.yaml:6:8: warning[lifeline-inside]: the vault lies inside c"));
    const Surroundings state{.state = "/p/ts/cache/st", .paths = {{"ts/cache", "/p/ts/cache"}}};
    EXPECT_TRUE(lifeline("ts/cache", "v", "k", state)
                    .contains("plan.yaml:5:36: warning[lifeline-inside]: Lifeboat's own state lies "
                              "inside c"));
    const Surroundings beside{.state = "/p/ts/cache2", .paths = {{"ts/cache", "/p/ts/cache"}}};
    EXPECT_EQ(lifeline("ts/cache", "v", "k", beside), "");
}

TEST(rules, point_into_block_texts) {
    const Judged judged(plan::parse_text(two_regions(
        "scenarios:\n  s:\n    steps:\n      - run: |-\n\n          one\n          a && sudo "
        "kubectl "
        "get pods\n      - run: >2\n          list snapshots\n            | head -1\n")));
    EXPECT_TRUE(shown_of(judged, "kubectl-unscoped").contains("plan.yaml:12:21: "))
        << judged.text();
    EXPECT_TRUE(shown_of(judged, "point-by-position").contains("plan.yaml:15:15: "))
        << judged.text();
}

TEST(rules, say_nothing_of_an_empty_plan) {
    const Judged judged(plan::parse_text("lifeboat: 1\nplan: p\n"));
    EXPECT_TRUE(judged.judgements.empty()) << judged.text();
}

}  // namespace
}  // namespace lifeboat::readiness

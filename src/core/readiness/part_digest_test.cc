// What a measured fact rests on: its digest changes with all of that, and with nothing else.

#include <gtest/gtest.h>

#include "core/plan/test_plans.h"
#include "core/readiness/evidence.h"

namespace lifeboat::readiness {
namespace {

using std::chrono::minutes;

plan::Plan shop() {
    const plan::Parsed parsed = plan::parse_text(R"(lifeboat: 1
plan: test
sites: {primary: {local: {directory: primary}}}
components:
  database: {kind: postgres, site: primary, objectives: {rto: 1h}, health: [{tcp: 5432}]}
  shop: {kind: process, site: primary, command: [run], needs: [database]}
  front:
    kind: http
    url: http://127.0.0.1:80
    needs: [shop]
    verify: [{http: /healthz}]
  other: {kind: http, url: 'http://127.0.0.1:81', verify: [{http: /}]}
scenarios:
  lost:
    lost: [database]
    detect: [{unhealthy: database, for: 1s}]
    steps:
      - restore: database
      - smoke: front
      - smoke: other
)");
    EXPECT_EQ(plan::all(parsed), "");
    return parsed.plan;
}

std::string digest_of(const plan::Plan& plan) { return part_digest(plan, "database", "lost"); }

TEST(part_digest, changes_with_how_the_disaster_is_seen) {
    plan::Plan plan = shop();
    plan.scenarios[0].detect->signals[0].lasting = minutes(10);
    EXPECT_NE(digest_of(plan), digest_of(shop()));
    plan = shop();
    plan.scenarios[0].detect.reset();
    EXPECT_NE(digest_of(plan), digest_of(shop()));
    plan = shop();
    plan.scenarios[0].detect->all = true;
    EXPECT_NE(digest_of(plan), digest_of(shop()));
    plan = shop();
    plan.scenarios[0].detect->at.line = 900;
    EXPECT_EQ(digest_of(plan), digest_of(shop())) << "where it stands says nothing";
}

TEST(part_digest, changes_with_what_is_lost) {
    plan::Plan plan = shop();
    plan.scenarios[0].lost_sites = {"primary"};
    EXPECT_NE(digest_of(plan), digest_of(shop()));
    plan = shop();
    plan.scenarios[0].lost.emplace_back("shop");
    EXPECT_NE(digest_of(plan), digest_of(shop()));
    plan = shop();
    std::swap(plan.scenarios[0].lost, plan.scenarios[0].corrupted);
    EXPECT_NE(digest_of(plan), digest_of(shop()));
}

TEST(part_digest, changes_with_the_look_that_ends_the_recovery) {
    plan::Plan plan = shop();
    plan.components[2].verify.clear();
    EXPECT_NE(digest_of(plan), digest_of(shop())) << "the storefront proves that it is back";
    plan = shop();
    plan.components[3].verify.clear();
    EXPECT_EQ(digest_of(plan), digest_of(shop())) << "what does not need it proves nothing of it";
    plan = shop();
    plan.components[2].title = "Another title";
    EXPECT_EQ(digest_of(plan), digest_of(shop()));
}

}  // namespace
}  // namespace lifeboat::readiness

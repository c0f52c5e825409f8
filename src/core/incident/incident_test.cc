#include "core/incident/incident.h"

#include <gtest/gtest.h>

namespace lifeboat::incident {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const Instant start{std::chrono::sys_days(std::chrono::year(2026) / 1 / 5)};

Incident opened() {
    Incident incident;
    apply_to(incident, {start + minutes(2), Opened{.id = "inc-1",
                                                   .scenario = "database-lost",
                                                   .severity = "SEV-1",
                                                   .began = start,
                                                   .because = "database is unhealthy"}});
    return incident;
}

TEST(Incident, opens_with_the_disaster_first_on_its_timeline) {
    const Incident incident = opened();
    EXPECT_EQ(incident.status, Status::open);
    EXPECT_EQ(timeline_text(incident),
              (std::vector<std::string>{
                  "       0s  world       the disaster",
                  "       2m  monitoring  opened as SEV-1: database is unhealthy"}));
}

TEST(Incident, puts_a_late_report_where_it_belongs) {
    Incident incident = opened();
    apply_to(incident, {start + minutes(1), Noted{"alice", "saw errors in the shop"}});
    EXPECT_EQ(incident.timeline[1].who, "alice");
    EXPECT_EQ(incident.opened, start + minutes(2));
}

TEST(Incident, goes_from_open_over_mitigated_to_resolved) {
    Incident incident = opened();
    EXPECT_NE(refusal(incident, {start, Opened{}}), "");
    apply_to(incident, {start + minutes(30), Mitigated{"run"}});
    EXPECT_EQ(refusal(incident, {start, Mitigated{"bob"}}), "the incident is mitigated already");
    apply_to(incident, {start + hours(2), Resolved{"bob", "protected again"}});
    EXPECT_EQ(incident.status, Status::resolved);
    EXPECT_EQ(incident.mitigated, start + minutes(30));
    EXPECT_EQ(refusal(incident, {start, SeverityChanged{"SEV-2", "bob", "late"}}),
              "the incident is resolved");
    EXPECT_EQ(refusal(incident, {start, Noted{"bob", "a thought"}}), "")
        << "what people remember may still be written down";
}

TEST(Incident, refuses_everything_before_it_is_opened) {
    EXPECT_EQ(refusal({}, {start, Noted{"bob", "?"}}), "there is no such incident");
}

TEST(Incident, keeps_who_changed_its_severity_and_why) {
    Incident incident = opened();
    apply_to(incident, {start + minutes(9), SeverityChanged{"SEV-2", "alice", "reads still work"}});
    EXPECT_EQ(incident.severity, "SEV-2");
    EXPECT_EQ(incident.timeline.back().what, "SEV-1 becomes SEV-2: reads still work");
}

TEST(Severity, is_the_scenarios_own_or_that_which_names_it) {
    plan::Plan plan;
    plan::Severity first, second;
    first.name = "SEV-1";
    first.scenarios = {"region-failure"};
    second.name = "SEV-2";
    second.scenarios = {"region-failure", "zone-failure"};
    plan.severities = {first, second};
    plan::Scenario region, zone, other;
    region.name = "region-failure";
    zone.name = "zone-failure";
    other.name = "other";
    EXPECT_EQ(severity_of(plan, region).name, "SEV-1");
    EXPECT_EQ(severity_of(plan, region).others, std::vector<std::string>{"SEV-2"});
    EXPECT_EQ(severity_of(plan, zone).name, "SEV-2");
    EXPECT_EQ(severity_of(plan, other).name, "");
    other.severity = "SEV-2";
    EXPECT_EQ(severity_of(plan, other).name, "SEV-2");
}

TEST(LastKnownGood, prefers_a_proven_point_and_says_what_that_costs) {
    const std::vector<KnownPoint> points{
        {.at = start, .proven = true},
        {.at = start + hours(6)},
        {.at = start + hours(8), .proven = true, .bad = true},
        {.at = start + hours(12), .proven = true},
    };
    const auto good = last_known_good(points, start + hours(10));
    ASSERT_TRUE(good.has_value());
    EXPECT_EQ(good->at, start);
    EXPECT_TRUE(good->proven);
    EXPECT_EQ(good->older, hours(6));
}

TEST(LastKnownGood, falls_back_to_an_unproven_point_but_never_to_a_bad_one) {
    const std::vector<KnownPoint> points{{.at = start},
                                         {.at = start + hours(1), .proven = false, .bad = true}};
    const auto good = last_known_good(points, start + hours(2));
    ASSERT_TRUE(good.has_value());
    EXPECT_EQ(good->at, start);
    EXPECT_FALSE(good->proven);
    EXPECT_FALSE(last_known_good(points, start).has_value())
        << "a point of that very moment is bad";
}

}  // namespace
}  // namespace lifeboat::incident

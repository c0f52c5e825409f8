#include "engine/verification.h"

#include "engine/evidence.h"
#include "engine/testing.h"

namespace lifeboat::engine {
namespace {

using namespace testing;
using providers::Exam;

constexpr const char* protected_one = R"(
components:
  db: {kind: fake, port: 15900, objectives: {rpo: 1h}, protect: [{method: snapshot, every: 1h}]}
)";

Result<providers::Proof> proof(Exam::Outcome outcome) {
    providers::Proof made;
    made.point = "point-1";
    made.position = "0/5000";
    made.exams = {{.name = "starts"},
                  {.outcome = outcome,
                   .name = "amcheck",
                   .detail = "damaged",
                   .objects = {"table public.orders: 3 rows"}}};
    made.rpo = std::chrono::seconds(2);
    return made;
}

class Verifying : public ::testing::Test {
protected:
    Verifying() : world_(protected_one), instances_(world_.workspace()) { world_.open_vault(); }
    Result<Verification> verify(Exam::Outcome outcome) {
        world_.provider->on_prove = [outcome](const Context&, const providers::ProofCall&) {
            return proof(outcome);
        };
        return engine::verify(world_.context(), world_.workspace(), instances_,
                              {.component = "db", .to = "latest", .damage = {}}, {});
    }
    std::optional<providers::Verdict> verdict() {
        vault::Point point;
        point.id = PointId("point-1");
        const auto all =
            providers::load_verdicts(*world_.workspace().services.vault, "db", {point});
        EXPECT_TRUE(all.has_value());
        const auto* newest = providers::newest_verdict(*all, "point-1");
        return newest == nullptr ? std::nullopt : std::optional(*newest);
    }
    World world_;
    Instances instances_;
};

TEST_F(Verifying, keeps_the_proof_in_the_vault_and_as_evidence_and_takes_the_copy_away) {
    const auto done = verify(Exam::Outcome::passed);
    ASSERT_TRUE(done.has_value()) << done.error().message;
    EXPECT_EQ(done->verdict, "proven");
    EXPECT_TRUE(done->warnings.empty()) << done->warnings.front();
    EXPECT_FALSE(verdict()->bad);
    const auto lines = world_.story.lines();
    EXPECT_TRUE(has(lines, "discard lb-" + done->id));
    const auto facts = load_facts(world_.state());
    ASSERT_TRUE(facts.has_value());
    ASSERT_EQ(facts->size(), 2U);
    EXPECT_EQ(facts->front().objective, readiness::Objective::restorable);
    EXPECT_TRUE(facts->front().met);
    EXPECT_EQ(facts->back().objective, readiness::Objective::rpo);
    EXPECT_EQ(facts->back().value, Duration(std::chrono::seconds(2)));
    EXPECT_TRUE(last_verification_took(world_.workspace(), "db"));
}

TEST_F(Verifying, a_difference_marks_the_point_and_a_later_proof_speaks_last) {
    const auto done = verify(Exam::Outcome::failed);
    ASSERT_TRUE(done.has_value());
    EXPECT_EQ(done->verdict, "bad");
    EXPECT_EQ(done->why, "amcheck: table public.orders: 3 rows");
    EXPECT_TRUE(verdict()->bad);
    EXPECT_EQ(verdict()->why, done->why);
    EXPECT_FALSE(load_facts(world_.state())->front().met);
    ASSERT_TRUE(verify(Exam::Outcome::unseen).has_value());
    EXPECT_FALSE(verdict()->bad) << "what cannot be seen is told, and does not condemn";
}

TEST_F(Verifying, without_an_answer_in_time_nothing_is_said_of_the_point) {
    const auto done = verify(Exam::Outcome::unfinished);
    ASSERT_TRUE(done.has_value());
    EXPECT_EQ(done->verdict, "undecided");
    EXPECT_FALSE(verdict());
    EXPECT_TRUE(load_facts(world_.state())->empty());
}

TEST_F(Verifying, takes_away_first_what_a_killed_one_has_left) {
    const auto where = instances_.current("db");
    ASSERT_TRUE(world_.state()
                    .put("verification/db", 0,
                         Json{{"token", "lb-killed"}, {"instance", providers::to_json(*where)}})
                    .has_value());
    ASSERT_TRUE(verify(Exam::Outcome::passed).has_value());
    const auto lines = world_.story.lines();
    const auto cleared = std::ranges::find(lines, "discard lb-killed");
    ASSERT_NE(cleared, lines.end());
    EXPECT_LT(cleared, std::ranges::find(lines, "prove latest"));
    const auto left = clear_leftovers(world_.context(), world_.workspace());
    ASSERT_TRUE(left.has_value());
    EXPECT_TRUE(left->empty());
}

TEST_F(Verifying, stopped_it_still_takes_its_copy_away) {
    std::stop_source stop;
    world_.provider->on_prove = [&](const Context& context,
                                    const providers::ProofCall&) -> Result<providers::Proof> {
        stop.request_stop();
        TRY(context.check("proving"));
        return proof(Exam::Outcome::passed);
    };
    const auto done =
        engine::verify(world_.context().with_stop(stop.get_token()), world_.workspace(), instances_,
                       {.component = "db", .to = "latest", .damage = {}}, {});
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().kind, ErrorKind::cancelled);
    const auto lines = world_.story.lines();
    EXPECT_TRUE(std::ranges::any_of(
        lines, [](const std::string& line) { return line.starts_with("discard lb-verify-"); }));
}

TEST_F(Verifying, a_second_one_is_told_who_is_at_it) {
    Holder other = own_holder(world_.environment(), "verify db");
    other.pid = 1;
    other.start_ticks = 0;
    other.boot_id = "another";
    other.host = "elsewhere";
    ASSERT_TRUE(world_.state().acquire("verify/db", other, std::chrono::minutes(1)).has_value());
    const auto refused = verify(Exam::Outcome::passed);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
}

}  // namespace
}  // namespace lifeboat::engine

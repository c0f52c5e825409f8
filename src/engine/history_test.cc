// What journals tell of how long it took until somebody noticed, and until people answered.

#include "engine/evidence.h"
#include "engine/run_loop.h"
#include "engine/testing.h"

namespace lifeboat::engine {
namespace {

using namespace testing;
using std::chrono::seconds;

constexpr const char* plan_text = R"(
components:
  db: {kind: fake, port: 15900}
scenarios:
  lost:
    lost: [db]
    steps:
      - restore: db
)";

readiness::History after(runbook::RunMode mode) {
    World world(plan_text);
    auto start = world.start();
    start.mode = mode;
    start.disaster_at = world.workspace().now() - seconds(5);
    const auto run = begin_run(world.context(), world.workspace(), start, {});
    EXPECT_TRUE(run.has_value()) << run.error().message;
    auto history = load_history(world.state(), world.workspace().plan);
    EXPECT_TRUE(history.has_value());
    return history.has_value() ? *std::move(history) : readiness::History();
}

TEST(history_of_runs, keeps_how_late_a_disaster_was_seen_by_its_scenario) {
    const readiness::History history = after(runbook::RunMode::real);
    ASSERT_NE(history.detections("lost"), nullptr);
    EXPECT_GE(history.detections("lost")->front(), seconds(5));
    EXPECT_EQ(history.detections("flood"), nullptr);
}

TEST(history_of_runs, learns_from_a_drill_what_its_steps_take_and_not_how_soon_one_notices) {
    const readiness::History history = after(runbook::RunMode::drill);
    EXPECT_NE(history.find({"restore", "db", ""}), nullptr);
    EXPECT_EQ(history.detections("lost"), nullptr) << "a drill begins when its day has come";
}

}  // namespace
}  // namespace lifeboat::engine

#include "surface/cli/board.h"

#include <gtest/gtest.h>

#include "platform/base/text.h"

namespace lifeboat::cli {
namespace {

using readiness::Standing;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using Known = Exposure::Known;

const Instant now = *parse_instant("2026-11-23T12:00:00Z");

class BoardTest : public ::testing::Test {
protected:
    void SetUp() override {
        database.name = "database";
        database.objectives.rto = seconds(30);
        database.objectives.rpo = seconds(5);
        database.protect.emplace_back();
        board.at = now;
        board.environment = "real";
        BoardRow row;
        row.component = &database;
        row.seen.health = watch::Health::healthy;
        row.seen.role = "primary";
        row.instance.site = "here";
        row.instance.endpoint = "127.0.0.1:5432";
        row.exposure.known = Known::known;
        row.exposure.as_of = now - seconds(2);
        row.exposure.protecting = true;
        board.rows.push_back(row);
    }
    BoardRow& row() { return board.rows.front(); }
    void prove(Standing standing) {
        readiness::Fact fact;
        fact.at = now - minutes(3);
        fact.value = seconds(4);
        row().promises = {
            Promise{.component = &database,
                    .objective = readiness::Objective::rto,
                    .promised = seconds(30),
                    .proof = {.standing = standing, .fact = fact, .age = minutes(3)}}};
    }
    void predict(readiness::Basis basis, std::size_t samples, Duration p95) {
        readiness::Forecast forecast;
        forecast.scenario = "lost";
        forecast.time.recovers = true;
        forecast.time.total = {.p95 = p95, .basis = basis, .samples = samples};
        row().worst = forecast;
    }
    std::string shown(std::size_t width = 1000) {
        return join(render(Output({.json = false, .colour = true, .live = false}), board, width),
                    "\n");
    }
    bool has(const std::string& text) { return shown().find(text) != std::string::npos; }

    plan::Component database;
    Board board;
};

TEST_F(BoardTest, is_green_only_for_what_is_healthy_and_what_is_proven) {
    const std::string green = "\x1b[32m";
    row().seen.health = watch::Health::unknown;
    for (const Standing standing :
         {Standing::none, Standing::missed, Standing::expired, Standing::plan_changed,
          Standing::versions_changed, Standing::emulated, Standing::from_future,
          Standing::clock_in_doubt}) {
        prove(standing);
        EXPECT_FALSE(has(green)) << to_string(standing);
    }
    prove(Standing::proven);
    EXPECT_TRUE(has(green + "RTO proven 3m ago"));
}

TEST_F(BoardTest, marks_predictions_that_rest_on_too_little) {
    predict(readiness::Basis::measured, readiness::enough_samples, seconds(7));
    EXPECT_TRUE(has("7s of 30s"));
    EXPECT_FALSE(has("~"));
    predict(readiness::Basis::measured, readiness::enough_samples - 1, seconds(7));
    EXPECT_TRUE(has("~7s of 30s"));
    predict(readiness::Basis::estimate, 0, seconds(31));
    EXPECT_TRUE(has("\x1b[31m~31s of 30s"));
    row().worst->time.recovers = false;
    EXPECT_TRUE(has("never in lost"));
    row().worst.reset();
    EXPECT_TRUE(has("no scenario"));
}

TEST_F(BoardTest, shows_what_is_not_known_as_unknown_with_its_age) {
    EXPECT_TRUE(has("2s of 5s"));
    row().exposure.known = Known::unknown;
    row().exposure.last_report = now - seconds(40);
    row().exposure.warning = "the disk is gone";
    EXPECT_TRUE(has("unknown, last report 40s ago"));
    EXPECT_FALSE(has("2s of 5s"));
    EXPECT_TRUE(has("database: the disk is gone"));
    EXPECT_TRUE(to_json(board)["components"][0]["live_rpo_s"].is_null());
    row().seen.health = watch::Health::unknown;
    row().unknown_for = hours(2);
    EXPECT_TRUE(has("unknown for 2h"));
    EXPECT_EQ(to_json(board)["components"][0]["unknown_for_s"], 7200);
    row().unknown_for.reset();
    row().never_answered = true;
    EXPECT_TRUE(has("unknown, never known"));
    row().exposure.known = Known::empty;
    EXPECT_TRUE(has("no point"));
}

TEST_F(BoardTest, a_clock_that_went_back_makes_nothing_fresh) {
    row().exposure.as_of = now + hours(3);
    row().exposure.proven = providers::RecoveryPoint{.id = "p", .at = now + hours(3)};
    board.proves = true;
    EXPECT_TRUE(has("unknown, dated 3h ahead"));
    EXPECT_FALSE(has("\x1b[32mdated"));
    EXPECT_FALSE(has("0s"));
    EXPECT_TRUE(to_json(board)["components"][0]["live_rpo_s"].is_null());
}

TEST_F(BoardTest, shows_no_column_that_nothing_feeds) {
    EXPECT_FALSE(has("proven point"));
    EXPECT_FALSE(has("measured"));
    row().exposure.proven = providers::RecoveryPoint{.id = "p", .at = now - minutes(5)};
    board.proves = true;
    EXPECT_TRUE(has("proven point"));
    EXPECT_TRUE(has("5m ago"));
}

TEST_F(BoardTest, leaves_out_what_matters_least_where_there_is_no_room) {
    prove(Standing::proven);
    EXPECT_TRUE(has("127.0.0.1:5432"));
    EXPECT_EQ(shown(100).find("127.0.0.1:5432"), std::string::npos);
    EXPECT_NE(shown(20).find("RTO proven"), std::string::npos);
}

TEST_F(BoardTest, says_when_nothing_can_be_proven_here) {
    board.environment = "emulated";
    EXPECT_TRUE(has("emulated: the plan overrides an endpoint"));
}

}  // namespace
}  // namespace lifeboat::cli

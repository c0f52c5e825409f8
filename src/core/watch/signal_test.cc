#include "core/watch/signal.h"

#include <gtest/gtest.h>

#include <string_view>

namespace lifeboat::watch {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr SignalPolicy policy{.lasting = seconds(30)};
const Instant start{std::chrono::hours(24 * 20000)};

/// One look every ten seconds: 'x' failing, '.' well, '?' could not be taken. The phases that
/// followed: 'c' clear, 'r' rising, 'H' holding, 'f' falling.
std::string phases(std::string_view looks, SignalPolicy with = policy,
                   Duration every = seconds(10)) {
    SignalState state;
    std::string seen;
    Instant at = start;
    for (const char look : looks) {
        observe(state, with, at,
                look == 'x'   ? Look::failing
                : look == '.' ? Look::well
                              : Look::unknown);
        seen += "crHf"[static_cast<std::size_t>(state.phase)];
        at += every;
    }
    return seen;
}

TEST(Signal, holds_when_the_trouble_has_lasted) { EXPECT_EQ(phases("..xxxxx"), "ccrrrHH"); }

TEST(Signal, holds_at_once_where_nothing_must_last) { EXPECT_EQ(phases(".x", {}), "cH"); }

TEST(Signal, is_not_raised_by_one_bad_look) {
    EXPECT_EQ(phases(".x..........").back(), 'c');
    EXPECT_EQ(phases(".x..........").find('H'), std::string::npos);
}

TEST(Signal, survives_a_short_relief) {
    // Well for one look of four: the count goes on.
    EXPECT_EQ(phases("xx.x"), "rrrH");
    // Well for longer than a short relief: it begins anew.
    EXPECT_EQ(phases("xx...xxx"), "rrrrrrrr");
    EXPECT_EQ(phases("xx...xxxx").back(), 'H');
}

TEST(Signal, clears_only_when_it_has_been_well_for_long_enough) {
    EXPECT_EQ(phases("xxxx......"), "rrrHffffff");
    EXPECT_EQ(phases("xxxx.......").back(), 'c');
    EXPECT_EQ(phases("xxxx.....x."), "rrrHfffffHf") << "a relapse ends the relief";
}

TEST(Signal, holds_when_it_flaps_though_no_trouble_lasts) {
    const SignalPolicy patient{.lasting = minutes(5)};
    const std::string seen = phases("x..x..x..x..x..", patient);
    EXPECT_NE(seen.find('H'), std::string::npos) << seen;
    EXPECT_EQ(phases("x............x............x", patient).find('H'), std::string::npos)
        << "two minutes between them is no flapping";
}

TEST(Signal, learns_nothing_from_a_look_that_was_not_taken) {
    EXPECT_EQ(phases("x??x"), "rrrH");
    EXPECT_EQ(phases("????"), "cccc");
    EXPECT_EQ(phases("xxxx???????"), "rrrHHHHHHHH") << "silence is no recovery";
}

TEST(Signal, does_not_move_when_the_clock_goes_back) {
    SignalState state;
    observe(state, policy, start, Look::failing);
    observe(state, policy, start - minutes(10), Look::failing);
    EXPECT_EQ(state.phase, SignalPhase::rising);
    EXPECT_EQ(state.failing_since, start);
    EXPECT_EQ(observe(state, policy, start + seconds(30), Look::failing), SignalChange::holds);
}

TEST(Signal, tells_of_each_change_once) {
    SignalState state;
    EXPECT_EQ(observe(state, {}, start, Look::failing), SignalChange::holds);
    EXPECT_EQ(observe(state, {}, start + seconds(1), Look::failing), SignalChange::none);
    EXPECT_EQ(observe(state, {}, start + seconds(2), Look::well), SignalChange::none);
    EXPECT_EQ(observe(state, {}, start + seconds(62), Look::well), SignalChange::cleared);
    EXPECT_EQ(observe(state, {}, start + seconds(70), Look::well), SignalChange::none);
}

TEST(Detection, counts_from_the_first_failing_look) {
    plan::Detection any{.all = false, .signals = {{}, {}}};
    std::vector<SignalState> states(2);
    EXPECT_FALSE(detected_since(any, states).has_value());
    for (int i = 0; i < 4; ++i) observe(states[1], policy, start + i * seconds(10), Look::failing);
    EXPECT_EQ(detected_since(any, states), start);
    plan::Detection all = any;
    all.all = true;
    EXPECT_FALSE(detected_since(all, states).has_value()) << "the other one is silent";
    for (int i = -6; i < 4; ++i) observe(states[0], {}, start + i * seconds(10), Look::failing);
    EXPECT_EQ(detected_since(all, states), start - seconds(60));
}

}  // namespace
}  // namespace lifeboat::watch

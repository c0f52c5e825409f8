#include <../test/contract/state_contract.h>

#include <stdlib.h>
#include <unistd.h>

#include "platform/env/real.h"
#include "platform/state/open.h"

namespace lifeboat::contract {
namespace {

class SqliteHarness final : public StateHarness {
public:
    SqliteHarness() {
        const bool memory = ::access("/dev/shm", W_OK) == 0;
        std::string name = memory ? "/dev/shm/lifeboat-XXXXXX" : "/tmp/lifeboat-XXXXXX";
        directory_ = ::mkdtemp(name.data());
        open();
    }
    ~SqliteHarness() override {
        state_.reset();
        EXPECT_TRUE(real_files().remove_tree(directory_));
    }
    State& state() override { return *state_; }
    void restart() override {
        state_.reset();
        open();
    }

private:
    void open() {
        auto opened = open_sqlite_state(directory_ / "state", environment_);
        if (!opened) FAIL() << opened.error().message;
        state_ = std::move(*opened);
    }

    Path directory_;
    Environment environment_{clock, real_files(), processes, real_network(), real_random()};
    std::unique_ptr<State> state_;
};

class MemoryHarness final : public StateHarness {
public:
    State& state() override { return *state_; }
    void restart() override {
        state_->crash();
        state_->reopen();
    }

private:
    std::unique_ptr<MemoryState> state_ = make_memory_state(clock, &processes);
};

std::unique_ptr<StateHarness> make_sqlite() { return std::make_unique<SqliteHarness>(); }
std::unique_ptr<StateHarness> make_memory() { return std::make_unique<MemoryHarness>(); }

INSTANTIATE_TEST_SUITE_P(sqlite, StateContract, testing::Values(&make_sqlite));
INSTANTIATE_TEST_SUITE_P(memory, StateContract, testing::Values(&make_memory));

TEST(MemoryState, answers_nothing_between_crash_and_reopening) {
    const SimClock clock;
    const auto state = make_memory_state(clock);
    ASSERT_TRUE(state->append("s", 0, {{.type = "a", .payload = 1, .at = {}}}));
    state->crash();
    EXPECT_EQ(state->append("s", 1, {}).error().kind, ErrorKind::unavailable);
    EXPECT_EQ(state->read("s").error().kind, ErrorKind::unavailable);
    EXPECT_EQ(state->get("k").error().kind, ErrorKind::unavailable);
    EXPECT_EQ(state->watch(Context(clock), "s", 1).error().kind, ErrorKind::unavailable);
    state->reopen();
    EXPECT_EQ(state->read("s").value().size(), 1U);
}

TEST(MemoryState, fails_the_nth_append_and_writes_nothing) {
    const SimClock clock;
    const auto state = make_memory_state(clock);
    const NewEvent event{.type = "a", .payload = 1, .at = {}};
    state->fail_append(2);
    ASSERT_TRUE(state->append("s", 0, {event}));
    EXPECT_EQ(state->append("s", 1, {event}).error().kind, ErrorKind::exhausted);
    EXPECT_EQ(state->version("s").value(), 1U);
    EXPECT_TRUE(state->append("s", 1, {event}));
    state->fail_append(1);
    state->fail_append(0);
    EXPECT_TRUE(state->append("s", 2, {event}));
}

}  // namespace
}  // namespace lifeboat::contract

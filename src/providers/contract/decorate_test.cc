#include <gtest/gtest.h>

#include "platform/env/sim_clock.h"
#include "providers/contract/registry.h"

namespace lifeboat::providers {
namespace {

/// Counts what reaches it.
class Counting final : public Provider {
public:
    explicit Counting(int& calls, std::optional<Duration>& left) : calls_(calls), left_(left) {}

    plan::KindSpec describe() const override {
        plan::KindSpec kind;
        kind.name = "counting";
        plan::VerbSpec change, look;
        change.name = "change";
        change.timeout = std::chrono::minutes(7);
        look.name = "look";
        look.mutating = false;
        kind.verbs = {change, look};
        return kind;
    }
    Result<Observation> observe(const Context& context, const Target&) override {
        left_ = context.remaining();
        return Observation();
    }
    Result<std::vector<Call>> preview(const Context&, const VerbCall&) override {
        return std::vector<Call>();
    }
    Result<Started> start(const Context& context, const VerbCall&, const ProgressSink&) override {
        ++calls_;
        left_ = context.remaining();
        return Started();
    }
    Result<Probed> probe(const Context&, const VerbCall&) override { return Probed(); }
    Result<void> protect(const Context&, const Target&, const plan::Protection&,
                         const StreamSink&) override {
        ++calls_;
        return ok();
    }

private:
    int& calls_;
    std::optional<Duration>& left_;
};

class Decorators : public testing::Test {
protected:
    std::unique_ptr<Provider> make(plan::Mode mode) {
        return decorate(std::make_unique<Counting>(calls_, left_), mode);
    }
    VerbCall call(const std::string& verb) {
        VerbCall made{.plan = plan_};
        made.verb = verb;
        return made;
    }
    Result<Started> start(Provider& provider, const VerbCall& made) {
        return provider.start(Context(clock_), made, {});
    }

    SimClock clock_;
    plan::Plan plan_;
    int calls_ = 0;
    std::optional<Duration> left_;
};

TEST_F(Decorators, observe_mode_lets_looks_through_and_refuses_changes) {
    const auto provider = make(plan::Mode::observe);
    EXPECT_TRUE(start(*provider, call("look")).has_value());
    const auto refused = start(*provider, call("change"));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::denied);
    EXPECT_TRUE(refused.error().hint.contains("mode: act"));
    const plan::Component component;
    const auto stream = provider->protect(Context(clock_), {plan_, component, {}}, {}, {});
    EXPECT_EQ(stream.error().kind, ErrorKind::denied);
    EXPECT_EQ(calls_, 1);
}

TEST_F(Decorators, a_drill_changes_only_within_its_scope_and_a_preview_nothing) {
    const auto provider = make(plan::Mode::act);
    VerbCall made = call("change");
    made.mode = runbook::RunMode::preview;
    EXPECT_EQ(start(*provider, made).error().kind, ErrorKind::denied);
    made.mode = runbook::RunMode::drill;
    EXPECT_EQ(start(*provider, made).error().kind, ErrorKind::denied);
    EXPECT_EQ(calls_, 0);
    made.scope = "run-1";
    EXPECT_TRUE(start(*provider, made).has_value());
}

TEST_F(Decorators, a_verb_of_another_kind_is_unsupported_and_the_hint_lists_those_of_this) {
    const auto refused = start(*make(plan::Mode::act), call("juggle"));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
    EXPECT_TRUE(refused.error().hint.contains("change, look"));
}

TEST_F(Decorators, every_call_gets_a_deadline_unless_it_has_one) {
    const auto provider = make(plan::Mode::act);
    EXPECT_TRUE(start(*provider, call("change")).has_value());
    EXPECT_EQ(left_, std::chrono::minutes(7));
    const Context tight = Context(clock_).within(std::chrono::seconds(3));
    EXPECT_TRUE(provider->start(tight, call("change"), {}).has_value());
    EXPECT_EQ(left_, std::chrono::seconds(3));
    const plan::Component component;
    EXPECT_TRUE(provider->observe(Context(clock_), {plan_, component, {}}).has_value());
    EXPECT_LE(*left_, std::chrono::seconds(10));
}

}  // namespace
}  // namespace lifeboat::providers

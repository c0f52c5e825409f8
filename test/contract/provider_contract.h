#pragma once
/// What every provider must do. Instantiate with a factory of harnesses:
///
///     INSTANTIATE_TEST_SUITE_P(redis, ProviderContract, testing::Values(&make_my_harness));
///
/// The harness sets up a real component, healthy, and says how each verb is called on it.

#include <gtest/gtest.h>

#include <cctype>
#include <memory>
#include <set>
#include <thread>

#include "test/support/provider_world.h"

namespace lifeboat::contract {

using providers::VerbCall;

/// One verb as a recovery would call it. Cases are carried out in their order.
struct VerbCase {
    VerbCall call;
    bool looks_only = false;    ///< changes nothing: its probe need not say `done`
    bool adopt = false;         ///< its instance is current from then on
    bool absent_before = true;  ///< its probe says `absent` before the first start
};

class ProviderHarness {
public:
    virtual ~ProviderHarness() = default;
    virtual test::ProviderWorld& world() = 0;
    /// As the provider is, without decorators.
    virtual providers::Provider& provider() = 0;
    virtual std::string component() = 0;
    /// Valid calls, one for each verb at least, as they would be made now: the list is asked for
    /// again after each.
    virtual std::vector<VerbCase> script() = 0;
    /// A call of the script has succeeded.
    virtual void happened(const VerbCall&, const Json& /*outputs*/) {}
    /// All that a verb may change, as text: equal texts mean that nothing was done.
    virtual std::string fingerprint() = 0;
    /// The component is gone: nobody answers any more.
    virtual void lose() = 0;
    /// Another server stands where the component was. For kinds with destructive verbs.
    virtual void replace_by_stranger() {}
    virtual bool stranger_lives() { return true; }
    /// A call that would take minutes.
    virtual VerbCall slow() = 0;
    /// Values that may be seen nowhere.
    virtual std::vector<std::string> secrets() { return {}; }
};

using ProviderFactory = std::unique_ptr<ProviderHarness> (*)();

class ProviderContract : public testing::TestWithParam<ProviderFactory> {
protected:
    void SetUp() override {
        harness_ = GetParam()();
        if (harness_ == nullptr) GTEST_SKIP() << "its server is not installed";
    }
    providers::Provider& provider() { return harness_->provider(); }
    test::ProviderWorld& world() { return harness_->world(); }
    Context context(Duration limit = std::chrono::seconds(60)) { return world().context(limit); }
    Result<providers::Started> start(const VerbCall& call) {
        return provider().start(context(), call, test::ignore_progress);
    }
    const plan::VerbSpec* spec(const std::string& verb) {
        kind_ = provider().describe();
        return kind_.verb(verb);
    }
    static void expect_good(const Error& error) {
        EXPECT_FALSE(error.message.empty());
        EXPECT_FALSE(error.message.ends_with('.')) << error.message;
        EXPECT_TRUE(error.hint.empty() || error.hint.ends_with('.')) << error.hint;
    }
    void expect_no_secret(const std::string& text) {
        for (const std::string& secret : harness_->secrets())
            EXPECT_FALSE(text.contains(secret)) << text;
    }

    std::unique_ptr<ProviderHarness> harness_;
    plan::KindSpec kind_;
};

TEST_P(ProviderContract, describes_itself_completely) {
    const plan::KindSpec kind = provider().describe();
    EXPECT_FALSE(kind.name.empty());
    EXPECT_FALSE(kind.summary.empty());
    EXPECT_TRUE(kind.available);
    std::set<std::string> names;
    for (const plan::SettingSpec& setting : kind.settings) {
        EXPECT_TRUE(names.insert(setting.name).second) << setting.name;
        EXPECT_TRUE(setting.summary.ends_with('.')) << setting.name;
    }
    std::set<std::string> verbs;
    for (const plan::VerbSpec& verb : kind.verbs) {
        EXPECT_TRUE(verbs.insert(verb.name).second) << verb.name;
        EXPECT_TRUE(verb.summary.ends_with('.')) << verb.name;
        EXPECT_TRUE(verb.mutating || !verb.destructive) << verb.name;
        const bool names_instance =
            std::ranges::find(verb.outputs, "instance") != verb.outputs.end();
        EXPECT_TRUE(!verb.makes_instance || names_instance) << verb.name;
        std::set<std::string> arguments;
        for (const plan::SettingSpec& argument : verb.arguments) {
            EXPECT_TRUE(arguments.insert(argument.name).second) << verb.name;
            EXPECT_TRUE(argument.summary.ends_with('.')) << verb.name << "." << argument.name;
        }
        EXPECT_TRUE(verb.undo.empty() || kind.verb(verb.undo) != nullptr) << verb.undo;
    }
    std::set<std::string> tried;
    for (const VerbCase& one : harness_->script()) tried.insert(one.call.verb);
    EXPECT_EQ(tried, verbs) << "the harness calls every verb";
}

TEST_P(ProviderContract, a_verb_that_it_does_not_know_is_unsupported) {
    VerbCall call = harness_->script().front().call;
    call.verb = "juggle";
    const auto refused = start(call);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
    expect_good(refused.error());
}

TEST_P(ProviderContract, previews_say_what_they_would_do_and_change_nothing) {
    const std::string before = harness_->fingerprint();
    for (const VerbCase& one : harness_->script()) {
        const auto calls = provider().preview(context(), one.call);
        ASSERT_TRUE(calls.has_value()) << one.call.verb << ": " << calls.error().message;
        for (const providers::Call& call : *calls) {
            EXPECT_FALSE(call.action.empty()) << one.call.verb;
            EXPECT_FALSE(call.object.empty()) << one.call.verb << ": " << call.action;
            expect_no_secret(call.action + call.object);
        }
    }
    EXPECT_EQ(harness_->fingerprint(), before);
}

TEST_P(ProviderContract, previews_do_not_fail_when_the_component_is_gone) {
    harness_->lose();
    for (const VerbCase& one : harness_->script()) {
        const auto calls = provider().preview(context(), one.call);
        EXPECT_TRUE(calls.has_value()) << one.call.verb << ": " << calls.error().message;
    }
}

TEST_P(ProviderContract, an_unreachable_component_is_an_observation) {
    auto seen = provider().observe(context(), world().target(harness_->component()));
    ASSERT_TRUE(seen.has_value()) << seen.error().message;
    EXPECT_EQ(seen->health, watch::Health::healthy) << seen->why;
    EXPECT_FALSE(seen->why.empty());
    expect_no_secret(dump(seen->facts) + dump(seen->identity) + seen->why);
    harness_->lose();
    seen = provider().observe(context(), world().target(harness_->component()));
    ASSERT_TRUE(seen.has_value()) << seen.error().message;
    EXPECT_NE(seen->health, watch::Health::healthy);
    EXPECT_FALSE(seen->why.empty());
}

TEST_P(ProviderContract, the_same_token_has_one_effect_and_its_probe_finds_it) {
    const std::size_t count = harness_->script().size();
    for (std::size_t i = 0; i < count; ++i) {
        const VerbCase one = harness_->script()[i];
        const plan::VerbSpec* described = spec(one.call.verb);
        ASSERT_NE(described, nullptr);
        const auto before = provider().probe(context(), one.call);
        ASSERT_TRUE(before.has_value()) << one.call.verb << ": " << before.error().message;
        EXPECT_TRUE(!one.absent_before || before->verdict == runbook::ProbeVerdict::absent)
            << one.call.verb;
        const auto first = start(one.call);
        ASSERT_TRUE(first.has_value()) << one.call.verb << ": " << first.error().message;
        const std::string done = harness_->fingerprint();
        const auto second = start(one.call);
        ASSERT_TRUE(second.has_value()) << one.call.verb << ": " << second.error().message;
        EXPECT_EQ(harness_->fingerprint(), done) << one.call.verb;
        expect_no_secret(dump(first->outputs));
        const Json made = first->outputs.value("instance", Json());
        if (described->makes_instance) {
            EXPECT_TRUE(made.is_object()) << one.call.verb;
            EXPECT_EQ(second->outputs.value("instance", Json()), made) << one.call.verb;
        }
        if (!one.looks_only) {
            const auto after = provider().probe(context(), one.call);
            ASSERT_TRUE(after.has_value()) << one.call.verb << ": " << after.error().message;
            EXPECT_EQ(after->verdict, runbook::ProbeVerdict::done)
                << one.call.verb << ": " << after->explanation;
            if (described->makes_instance) {
                EXPECT_EQ(after->outputs.value("instance", Json()), made) << one.call.verb;
            }
        }
        harness_->happened(one.call, first->outputs);
        if (one.adopt) world().adopt(first->outputs);
    }
}

TEST_P(ProviderContract, errors_are_classified_and_say_what_to_do) {
    harness_->lose();
    for (const VerbCase& one : harness_->script()) {
        const auto result =
            provider().start(context(std::chrono::seconds(3)), one.call, test::ignore_progress);
        if (result.has_value()) continue;
        expect_good(result.error());
        expect_no_secret(result.error().message + result.error().hint);
    }
}

TEST_P(ProviderContract, destructive_verbs_prove_the_identity_of_their_target) {
    const plan::KindSpec kind = provider().describe();
    if (std::ranges::none_of(kind.verbs, &plan::VerbSpec::destructive)) return;
    harness_->replace_by_stranger();
    for (const VerbCase& one : harness_->script()) {
        const plan::VerbSpec* described = spec(one.call.verb);
        if (described == nullptr || !described->destructive) continue;
        const auto refused = start(one.call);
        ASSERT_FALSE(refused.has_value()) << one.call.verb;
        EXPECT_TRUE(refused.error().kind == ErrorKind::conflict ||
                    refused.error().kind == ErrorKind::denied)
            << to_string(refused.error().kind) << ": " << refused.error().message;
        EXPECT_FALSE(refused.error().hint.empty());
        EXPECT_TRUE(harness_->stranger_lives()) << one.call.verb;
    }
}

TEST_P(ProviderContract, a_stop_brings_a_long_call_back_soon) {
    const VerbCall slow = harness_->slow();
    std::stop_source stop;
    std::jthread later([&] {
        (void)context().sleep(std::chrono::milliseconds(300));
        stop.request_stop();
    });
    const Monotonic began = world().environment().clock.monotonic();
    const auto ended = provider().start(
        context(std::chrono::minutes(5)).with_stop(stop.get_token()), slow, test::ignore_progress);
    EXPECT_LT(world().environment().clock.monotonic() - began, std::chrono::seconds(60));
    ASSERT_FALSE(ended.has_value());
    EXPECT_TRUE(ended.error().kind == ErrorKind::cancelled ||
                ended.error().kind == ErrorKind::unknown)
        << to_string(ended.error().kind) << ": " << ended.error().message;
}

TEST_P(ProviderContract, a_proof_is_taken_away_whole_and_leaves_what_runs_alone) {
    for (const VerbCase& one : harness_->script()) {
        if (one.call.verb != "backup") continue;
        ASSERT_TRUE(start(one.call).has_value());
    }
    const plan::Component* component = world().plan().component(harness_->component());
    ASSERT_NE(component, nullptr);
    providers::ProofCall call{.plan = world().plan(),
                              .component = *component,
                              .current = world().current(harness_->component()),
                              .token = "lb-verify-never",
                              .to = "latest"};
    EXPECT_TRUE(provider().discard(context(), call).has_value()) << "there is nothing";
    std::string after_first;
    for (const char* token : {"lb-verify-one", "lb-verify-two"}) {
        call.token = token;
        const auto proof = provider().prove(context(std::chrono::minutes(2)), call, {});
        if (!proof.has_value() && proof.error().kind == ErrorKind::unsupported) return;
        ASSERT_TRUE(proof.has_value()) << proof.error().message;
        EXPECT_FALSE(proof->point.empty());
        EXPECT_FALSE(proof->exams.empty());
        for (const providers::Exam& exam : proof->exams) {
            EXPECT_NE(exam.outcome, providers::Exam::Outcome::failed)
                << exam.name << ": " << exam.detail;
            expect_no_secret(exam.name + exam.detail);
        }
        ASSERT_TRUE(provider().discard(context(), call).has_value());
        ASSERT_TRUE(provider().discard(context(), call).has_value()) << "it is gone already";
        // The first may have made what stays: the site's own folders.
        if (after_first.empty()) after_first = harness_->fingerprint();
    }
    EXPECT_EQ(harness_->fingerprint(), after_first);
    const auto seen = provider().observe(context(), world().target(harness_->component()));
    ASSERT_TRUE(seen.has_value());
    EXPECT_EQ(seen->health, watch::Health::healthy) << seen->why;
}

/// Borrows the harness's provider, so that it can be decorated.
class Borrowed final : public providers::Provider {
public:
    explicit Borrowed(providers::Provider& inner) : inner_(inner) {}
    plan::KindSpec describe() const override { return inner_.describe(); }
    Result<providers::Observation> observe(const Context& context,
                                           const providers::Target& target) override {
        return inner_.observe(context, target);
    }
    Result<std::vector<providers::Call>> preview(const Context& context,
                                                 const VerbCall& call) override {
        return inner_.preview(context, call);
    }
    Result<providers::Started> start(const Context& context, const VerbCall& call,
                                     const providers::ProgressSink& progress) override {
        return inner_.start(context, call, progress);
    }
    Result<providers::Probed> probe(const Context& context, const VerbCall& call) override {
        return inner_.probe(context, call);
    }

private:
    providers::Provider& inner_;
};

TEST_P(ProviderContract, mode_observe_and_a_drill_without_scope_refuse_every_mutating_verb) {
    const std::string before = harness_->fingerprint();
    const auto observing = decorate(std::make_unique<Borrowed>(provider()), plan::Mode::observe);
    const auto acting = decorate(std::make_unique<Borrowed>(provider()), plan::Mode::act);
    for (const VerbCase& one : harness_->script()) {
        const plan::VerbSpec* described = spec(one.call.verb);
        if (described == nullptr || !described->mutating) continue;
        const auto refused = observing->start(context(), one.call, test::ignore_progress);
        ASSERT_FALSE(refused.has_value()) << one.call.verb;
        EXPECT_EQ(refused.error().kind, ErrorKind::denied);
        EXPECT_FALSE(refused.error().hint.empty());
        VerbCall drill = one.call;
        drill.mode = runbook::RunMode::drill;
        drill.scope.clear();
        const auto unscoped = acting->start(context(), drill, test::ignore_progress);
        ASSERT_FALSE(unscoped.has_value()) << one.call.verb;
        EXPECT_EQ(unscoped.error().kind, ErrorKind::denied);
    }
    EXPECT_EQ(harness_->fingerprint(), before);
}

}  // namespace lifeboat::contract

#include <fmt/core.h>

#include "platform/base/text.h"
#include "platform/observe/log.h"
#include "providers/contract/registry.h"

namespace lifeboat::providers {
namespace {

constexpr std::chrono::seconds observe_limit{10};
constexpr std::chrono::seconds preview_limit{30};
constexpr std::chrono::seconds probe_limit{60};
constexpr std::chrono::hours start_limit{24};  // of a verb that declares none

constexpr std::string_view hint_observe =
    "Set `mode: act` in the plan when Lifeboat may act; until then do it by hand.";

/// The verb, and whose: for log lines and refusals.
std::string title(const plan::KindSpec& kind, const VerbCall& call) {
    return call.component == nullptr
               ? fmt::format("{} {}", kind.name, call.verb)
               : fmt::format("{} {} of {}", kind.name, call.verb, call.component->name);
}

/// What every provider gets: guards before it acts, a limit in time, a line in the log.
class Decorated final : public Provider {
public:
    Decorated(std::unique_ptr<Provider> inner, plan::Mode mode)
        : inner_(std::move(inner)), kind_(inner_->describe()), mode_(mode) {}

    plan::KindSpec describe() const override { return kind_; }

    Result<Observation> observe(const Context& context, const Target& target) override {
        return timed(context, fmt::format("{} observe {}", kind_.name, target.component.name),
                     [&] { return inner_->observe(context.within(observe_limit), target); });
    }

    Result<std::vector<Call>> preview(const Context& context, const VerbCall& call) override {
        TRY(verb(call));
        return timed(context, "preview of " + title(kind_, call),
                     [&] { return inner_->preview(context.within(preview_limit), call); });
    }

    Result<Started> start(const Context& context, const VerbCall& call,
                          const ProgressSink& progress) override {
        const plan::VerbSpec* spec = TRY(verb(call));
        if (spec->mutating) TRY(may_act(call));
        const Duration limit =
            spec->timeout == Duration::zero() ? Duration(start_limit) : spec->timeout;
        const Context bounded = context.remaining() ? context : context.within(limit);
        return timed(context, title(kind_, call),
                     [&] { return inner_->start(bounded, call, progress); });
    }

    Result<Polled> poll(const Context& context, const VerbCall& call,
                        const std::string& operation) override {
        return timed(context, fmt::format("poll of {} ({})", title(kind_, call), operation),
                     [&] { return inner_->poll(context.within(probe_limit), call, operation); });
    }

    Result<void> cancel(const Context& context, const VerbCall& call,
                        const std::string& operation) override {
        return timed(context, fmt::format("cancel of {} ({})", title(kind_, call), operation),
                     [&] { return inner_->cancel(context.within(probe_limit), call, operation); });
    }

    Result<Probed> probe(const Context& context, const VerbCall& call) override {
        TRY(verb(call));
        return timed(context, "probe of " + title(kind_, call),
                     [&] { return inner_->probe(context.within(probe_limit), call); });
    }

    Result<void> protect(const Context& context, const Target& target,
                         const plan::Protection& protection, const StreamSink& sink) override {
        // A stream registers itself at the source (a slot, a replica): that is a change.
        if (mode_ == plan::Mode::observe)
            return denied(fmt::format("protecting {} is refused: the plan's mode is observe",
                                      target.component.name),
                          std::string(hint_observe));
        return timed(
            context,
            fmt::format("{} protect {} ({})", kind_.name, target.component.name, protection.method),
            [&] { return inner_->protect(context, target, protection, sink); });
    }

    Result<std::vector<RecoveryPoint>> points(const Context& context,
                                              const Target& target) override {
        return timed(context, fmt::format("{} points of {}", kind_.name, target.component.name),
                     [&] { return inner_->points(context.within(probe_limit), target); });
    }

    /// Also in mode observe: what it makes, it takes away again, and the component is only read.
    Result<Proof> prove(const Context& context, const ProofCall& call,
                        const ProofSink& sink) override {
        ProofCall allowed = call;
        allowed.may_write = call.may_write && mode_ == plan::Mode::act;
        const Context bounded = context.remaining() ? context : context.within(start_limit);
        return timed(context, fmt::format("{} proof of {}", kind_.name, call.component.name),
                     [&] { return inner_->prove(bounded, allowed, sink); });
    }

    Result<void> discard(const Context& context, const ProofCall& call) override {
        return timed(context, fmt::format("{} discard of {}", kind_.name, call.token),
                     [&] { return inner_->discard(context, call); });
    }

private:
    Result<const plan::VerbSpec*> verb(const VerbCall& call) const {
        std::vector<std::string> known;
        for (const plan::VerbSpec& spec : kind_.verbs) {
            if (spec.name == call.verb) return &spec;
            known.push_back(spec.name);
        }
        return unsupported(fmt::format("kind '{}' cannot '{}'", kind_.name, call.verb),
                           fmt::format("It can {}.", join(known, ", ")));
    }

    Result<void> may_act(const VerbCall& call) const {
        if (mode_ == plan::Mode::observe)
            return denied(
                fmt::format("{} is refused: the plan's mode is observe", title(kind_, call)),
                std::string(hint_observe));
        if (call.mode == runbook::RunMode::preview)
            return denied(
                fmt::format("{} is refused: a preview changes nothing", title(kind_, call)),
                "Run it without --preview to act.");
        if (call.mode == runbook::RunMode::drill && call.scope.empty())
            return denied(fmt::format("{} is refused: a drill acts only within its scope",
                                      title(kind_, call)),
                          "Start the drill with `lifeboat drill`, which gives it a scope.");
        return ok();
    }

    template <class Action>
    auto timed(const Context& context, const std::string& what, Action action)
        -> decltype(action()) {
        const Monotonic began = context.clock().monotonic();
        auto result = action();
        const Duration took = context.clock().monotonic() - began;
        if (result.has_value())
            log::debug("provider", "{}: done in {}", what, human_duration(took));
        else
            log::debug("provider", "{}: {} after {}: {}", what, to_string(result.error().kind),
                       human_duration(took), result.error().message);
        return result;
    }

    std::unique_ptr<Provider> inner_;
    plan::KindSpec kind_;
    plan::Mode mode_;
};

}  // namespace

std::unique_ptr<Provider> decorate(std::unique_ptr<Provider> provider, plan::Mode mode) {
    return std::make_unique<Decorated>(std::move(provider), mode);
}

}  // namespace lifeboat::providers

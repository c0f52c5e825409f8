#include "engine/sim/carrier.h"

#include <algorithm>

namespace lifeboat::engine::sim {
namespace {

namespace rb = runbook;

class RealCarrier final : public Carrier {
public:
    RealCarrier(State& state, Executor& executor, const RunId& run, Driver::Observer observer)
        : driver_(state, executor, run, std::move(observer)) {}
    Result<void> open() override { return driver_.open(); }
    Result<void> step(const rb::Event& event) override { return driver_.step(event); }
    Result<void> take_request(std::uint64_t version, const rb::Event& request) override {
        return driver_.step_request(version, request);
    }
    void use_lease(const Lease& lease) override { driver_.use_lease(lease); }
    const rb::RunState& run() const override { return driver_.run(); }
    std::uint64_t version() const override { return driver_.version(); }

private:
    Driver driver_;
};

/// A driver that is wrong in one way.
class MutantCarrier final : public Carrier {
public:
    MutantCarrier(State& state, Executor& executor, const RunId& run, Driver::Observer observer,
                  Mutant mutant, Chance& chance)
        : state_(state),
          executor_(executor),
          id_(run),
          observer_(std::move(observer)),
          mutant_(mutant),
          chance_(chance) {}

    Result<void> open() override {
        auto loaded = load_run(state_, id_);
        if (!loaded.has_value())
            return loaded.error().kind == ErrorKind::not_found ? ok() : loaded.error();
        run_ = std::move(*loaded);
        const auto stored = TRY(state_.read(run_stream(id_)));
        version_ = stored.size();
        return ok();
    }

    Result<void> step(const rb::Event& event) override {
        rb::Event trigger = event;
        if (mutant_ == Mutant::accept_late_replies) take_for_present(trigger);
        rb::Decision decision = rb::decide(imagined(), trigger);
        distort(trigger, decision);
        return carry_out(std::move(decision));
    }

    Result<void> take_request(std::uint64_t version, const rb::Event& request) override {
        if (version <= run_.inbox) return ok();
        rb::Decision decision = rb::decide(imagined(), request);
        distort(request, decision);
        decision.events.push_back({request.at, rb::RequestTaken{version, decision.refused}});
        return carry_out(std::move(decision));
    }

    void use_lease(const Lease& lease) override { lease_ = lease; }
    const rb::RunState& run() const override { return run_; }
    std::uint64_t version() const override { return version_; }

private:
    /// The state as the defect sees it.
    rb::RunState imagined() const {
        rb::RunState seen = run_;
        switch (mutant_) {
            case Mutant::ignore_pause:
                seen.pause = false;
                break;
            case Mutant::skip_approval:
                for (rb::Node& node : seen.start.graph.nodes) node.approve.reset();
                break;
            case Mutant::retry_forever:
                for (auto& [id, step] : seen.steps) step.failures = std::min(step.failures, 1U);
                for (rb::Node& node : seen.start.graph.nodes) node.attempts_max = 1'000'000;
                break;
            default:
                break;
        }
        return seen;
    }

    void take_for_present(rb::Event& trigger) const {
        std::visit(
            [&](auto& body) {
                if constexpr (requires {
                                  body.attempt;
                                  body.step;
                              }) {
                    const auto found = run_.steps.find(body.step);
                    if (found != run_.steps.end()) body.attempt = found->second.attempt;
                }
            },
            trigger.body);
    }

    void distort(const rb::Event& trigger, rb::Decision& decision) {
        const bool restarted = std::holds_alternative<rb::EngineStarted>(trigger.body);
        if (mutant_ == Mutant::retry_without_probe)
            start_instead<rb::ProbeIntended, rb::ProbeVerb>(decision);
        if (mutant_ == Mutant::restart_operations && restarted)
            start_instead<rb::PollIntended, rb::PollVerb>(decision);
        if (mutant_ == Mutant::start_before_needs && chance_.percent(5)) start_one_more(decision);
        if (mutant_ == Mutant::lose_timers && restarted)
            std::erase_if(decision.commands, [](const rb::Command& c) {
                return std::holds_alternative<rb::SetTimer>(c);
            });
    }

    void start_one_more(rb::Decision& decision) const {
        if (decision.events.empty() || run_.status != rb::RunStatus::running) return;
        for (const auto& [id, step] : run_.steps) {
            const bool waits = run_.index.open_needs[step.node] > 0;
            if (step.status != rb::StepStatus::pending || step.attempt > 0 || !waits) continue;
            const Instant at = decision.events.front().at;
            decision.events.push_back({at, rb::StepIntended{id, 1}});
            decision.commands.emplace_back(rb::StartVerb{id, 1});
            return;
        }
    }

    /// Intents of one kind become new attempts.
    template <class Intent, class Verb>
    static void start_instead(rb::Decision& decision) {
        std::set<StepId> changed;
        for (rb::Event& event : decision.events) {
            const auto* intent = std::get_if<Intent>(&event.body);
            if (intent == nullptr) continue;
            changed.insert(intent->step);
            event.body = rb::StepIntended{intent->step, intent->attempt + 1};
        }
        for (rb::Command& command : decision.commands)
            if (const auto* verb = std::get_if<Verb>(&command))
                command = rb::StartVerb{verb->step, verb->attempt + 1};
        // Their timer now limits the attempt.
        const auto rename = [](std::string& timer) {
            if (timer.starts_with("probe/")) timer.replace(0, 5, "timeout");
        };
        for (rb::Event& event : decision.events)
            if (auto* set = std::get_if<rb::TimerSet>(&event.body)) rename(set->timer);
        for (rb::Command& command : decision.commands)
            if (auto* set = std::get_if<rb::SetTimer>(&command)) rename(set->timer);
    }

    Result<void> carry_out(rb::Decision decision) {
        if (decision.events.empty()) return ok();
        rb::RunState after = run_;
        for (const rb::Event& event : decision.events) rb::apply_to(after, event);
        if (mutant_ == Mutant::effect_before_journal) start(after, decision);
        std::vector<NewEvent> records;
        for (const rb::Event& event : decision.events) {
            if (mutant_ == Mutant::forget_outcome && chance_.percent(20) &&
                std::holds_alternative<rb::StepSucceeded>(event.body))
                continue;
            records.push_back(
                {.type = rb::type_name(event), .payload = rb::to_json(event), .at = event.at});
        }
        auto appended =
            state_.append(run_stream(id_), version_, records, lease_ ? &*lease_ : nullptr);
        if (!appended.has_value() && mutant_ != Mutant::ignore_append_errors)
            return std::move(appended).error();
        version_ = appended.has_value() ? *appended : version_ + records.size();
        run_ = std::move(after);
        for (const rb::Event& event : decision.events) observer_(run_, event);
        if (mutant_ != Mutant::effect_before_journal) start(run_, decision);
        return ok();
    }

    void start(const rb::RunState& state, const rb::Decision& decision) {
        for (const rb::Command& command : decision.commands) executor_.start(state, command);
    }

    State& state_;
    Executor& executor_;
    RunId id_;
    Driver::Observer observer_;
    Mutant mutant_;
    Chance& chance_;
    std::optional<Lease> lease_;
    rb::RunState run_;
    std::uint64_t version_ = 0;
};

}  // namespace

std::unique_ptr<Carrier> make_carrier(State& state, Executor& executor, const RunId& run,
                                      Driver::Observer observer, Mutant mutant, Chance& chance) {
    const bool in_executor = mutant == Mutant::none || mutant == Mutant::adopt_twice ||
                             mutant == Mutant::token_of_attempt ||
                             mutant == Mutant::promote_unfenced ||
                             mutant >= Mutant::skip_identity_check ||
                             mutant == Mutant::missing_fsync || mutant == Mutant::torn_transaction;
    if (in_executor)
        return std::make_unique<RealCarrier>(state, executor, run, std::move(observer));
    return std::make_unique<MutantCarrier>(state, executor, run, std::move(observer), mutant,
                                           chance);
}

}  // namespace lifeboat::engine::sim

#include "engine/sim/trial.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>

#include "engine/sim/lean_carrier.h"
#include "engine/sim/tale.h"
#include "platform/state/open.h"

namespace lifeboat::engine::sim {
namespace {

namespace rb = runbook;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration longest = hours(24 * 30);  // who has not come back by then does not
constexpr std::uint64_t events_max = 20'000;  // of one run

/// The virtual clock, for the in-memory state of faithful trials.
class HandsClock final : public Clock {
public:
    HandsClock(const Hands& hands, Instant disaster) : hands_(hands), disaster_(disaster) {}
    Instant now() const override { return disaster_ + hands_.now(); }
    Monotonic monotonic() const override { return hands_.now(); }

private:
    const Hands& hands_;
    Instant disaster_;
};

class Trial {
public:
    Trial(const Stage& stage, const TrialOptions& options)
        : stage_(stage),
          options_(options),
          strikes_(draw_strikes(stage, options.seed)),
          act_(*strikes_.act),
          weather_(Weather::draw(options.seed, act_, strikes_.night)),
          hands_(act_, weather_, options.seed, options_.tell),
          clock_(hands_, strikes_.at),
          luck_(Chance::of(options.seed, 7)) {
        result_.seed = options.seed;
        result_.act = static_cast<std::uint32_t>(stage.index_of(act_));
    }

    TrialResult run() {
        if (strikes_.started) {
            result_.noticed = *strikes_.noticed;
            result_.started = *strikes_.started;
            recover();
        }
        measure();
        return std::move(result_);
    }

private:
    void recover() {
        result_.began = true;
        if (weather_.engine_dies) dies_at_ = 1 + luck_.below(4 * act_.start.graph.nodes.size() + 1);
        hands_.advance_to(*strikes_.started);
        make_carrier();
        rb::RunStarted start = act_.start;
        start.disaster_at = strikes_.at;
        feed(rb::Body{std::move(start)});
        while (carrier_->run().status != rb::RunStatus::finished && result_.broken.empty()) {
            auto arrival = hands_.next();
            if (!arrival || hands_.now() > longest) break;
            happen(*arrival);
        }
        const rb::RunState& state = carrier_->run();
        if (state.status != rb::RunStatus::finished)
            hands_.tell("people", "nobody comes any more, and the run never ends");
        result_.status = state.status;
        result_.outcome = state.outcome;
        result_.took = state.latest - (strikes_.at + *strikes_.started);
        find_path(state);
    }

    void make_carrier() {
        auto observer = [this](const rb::RunState& state, const rb::Event& event) {
            ++result_.events;
            if (options_.tell)
                if (const std::string text = tale_.tell(state, event); !text.empty())
                    options_.tell(hands_.now(), "run", text);
            hands_.on_event(event);
        };
        if (!options_.faithful) {
            carrier_ = std::make_unique<LeanCarrier>(hands_, std::move(observer));
            return;
        }
        if (memory_ == nullptr) memory_ = make_memory_state(clock_);
        carrier_ = sim::make_carrier(*memory_, hands_, act_.start.run, std::move(observer),
                                     Mutant::none, luck_);
    }

    void feed(rb::Body body) {
        after(carrier_->step(rb::Event{strikes_.at + hands_.now(), std::move(body)}));
    }

    void after(const Result<void>& stepped) {
        if (!stepped.has_value()) result_.broken = stepped.error().message;
        if (result_.events > events_max) result_.broken = "the run never ends";
        if (dies_at_ != 0 && ++steps_ == dies_at_) die();
    }

    /// The machine that the engine runs on is gone; another takes over, from the journal.
    void die() {
        ++result_.crashes;
        hands_.tell("engine", "the engine dies");
        hands_.change_engine();
        is_up_ = false;
        hands_.schedule(luck_.between(seconds(20), minutes(8)),
                        Arrival{.what = Arrival::What::engine,
                                .body = std::nullopt,
                                .timer = {},
                                .person = {},
                                .engine = hands_.engine()});
    }

    void return_engine() {
        const rb::RunState before = carrier_->run();
        if (options_.faithful) make_carrier();
        if (auto opened = carrier_->open(); !opened.has_value())
            result_.broken = opened.error().message;
        if (!(carrier_->run() == before)) result_.broken = "the journal replays to another state";
        is_up_ = true;
        feed(rb::EngineStarted{"another engine"});
        std::vector<Arrival> waiting;
        waiting.swap(waiting_);
        for (const Arrival& arrival : waiting) happen(arrival);
    }

    void happen(const Arrival& arrival) {
        switch (arrival.what) {
            case Arrival::What::reply:
                if (is_up_ && arrival.engine == hands_.engine()) feed(*arrival.body);
                return;
            case Arrival::What::timer:
                if (is_up_ && arrival.engine == hands_.engine())
                    feed(rb::TimerFired{arrival.timer});
                return;
            case Arrival::What::engine:
                return return_engine();
            case Arrival::What::approval:
            case Arrival::What::held:
                break;
        }
        if (!is_up_) {
            hands_.tell("people", "{} is there, and finds no engine to ask", arrival.person);
            return waiting_.push_back(arrival);
        }
        if (auto body = hands_.look(carrier_->run(), arrival))
            after(carrier_->take_request(carrier_->run().inbox + 1,
                                         {strikes_.at + hands_.now(), std::move(*body)}));
    }

    /// Back from the step that ended last, each time to what it had waited for longest.
    void find_path(const rb::RunState& state) {
        const auto& nodes = act_.start.graph.nodes;
        const Instant begun = strikes_.at + *strikes_.started;
        const auto ended = [&](const StepId& id) {
            return state.steps.at(id).ended.value_or(begun);
        };
        const rb::Node* node = nullptr;
        for (const rb::Node& one : nodes)
            if (node == nullptr || ended(one.id) >= ended(node->id)) node = &one;
        while (node != nullptr) {
            const StepId* waited_for = nullptr;
            for (const StepId& need : node->needs)
                if (!waited_for || ended(need) > ended(*waited_for)) waited_for = &need;
            const Instant from = waited_for ? ended(*waited_for) : begun;
            result_.path.push_back(
                {act_.node_of.at(node->id), std::max(Duration::zero(), ended(node->id) - from)});
            node = waited_for ? &nodes[act_.node_of.at(*waited_for)] : nullptr;
        }
    }

    /// When the component's own steps had all ended well; nothing: not all of them did.
    std::optional<Duration> own_end(const Way& way, bool needs_bringing) const {
        if (needs_bringing && (!way.brought || !result_.began)) return std::nullopt;
        Duration end{};
        if (!result_.began) return end;
        const rb::RunState& state = carrier_->run();
        for (const std::uint32_t n : way.steps) {
            const rb::Node& node = act_.start.graph.nodes[n];
            const rb::StepState& step = state.steps.at(node.id);
            const bool passed =
                step.status == rb::StepStatus::done || step.status == rb::StepStatus::bypassed;
            if (passed && step.ended) end = std::max(end, *step.ended - strikes_.at);
            const bool optional = step.status == rb::StepStatus::failed &&
                                  node.on_failure == plan::OnFailure::carry_on;
            if (!passed && !optional) return std::nullopt;
        }
        return end;
    }

    void measure() {
        const std::size_t count = act_.ways.size();
        back_.assign(count, Duration::zero());
        down_.assign(count, false);
        by_plan_.assign(count, false);
        own_.assign(count, Duration::zero());
        Chance failover = Chance::of(options_.seed, 8);
        static const Pace by_itself = Pace::around(minutes(2), minutes(8));
        for (const std::uint32_t i : act_.in_order) {
            const Way& way = act_.ways[i];
            const bool hit = strikes_.hit[i];
            bool waits = way.touched;
            if (act_.strike == Strike::zone && way.zone_safe && failover.below(3) == 0) {
                down_[i] = true;
                back_[i] = by_itself.draw(failover);
            }
            for (const std::uint32_t need : way.needs) waits = waits || down_[need];
            down_[i] = down_[i] || hit || waits;
            if (!down_[i]) continue;
            if (hit || waits) own_[i] = own_end(way, hit);
            by_plan_[i] = hit && !way.brought;
            back_[i] = own_[i] ? std::optional(std::max(*back_[i], *own_[i])) : std::nullopt;
            for (const std::uint32_t need : way.needs) {
                if (!down_[need]) continue;
                by_plan_[i] = by_plan_[i] || by_plan_[need];
                if (!back_[need]) back_[i].reset();
                if (back_[i]) back_[i] = std::max(*back_[i], *back_[need]);
            }
        }
        for (const Goal& goal : stage_.goals())
            result_.measures.push_back(goal.loss ? measure_loss(goal) : measure_time(goal));
    }

    Measure measure_time(const Goal& goal) const {
        const std::uint32_t i = goal.component;
        if (!down_[i]) return {};
        return {.applies = true,
                .never = !back_[i].has_value(),
                .by_plan = by_plan_[i],
                .value = back_[i].value_or(Duration::zero())};
    }

    Measure measure_loss(const Goal& goal) const {
        const std::uint32_t i = goal.component;
        if (!strikes_.hit[i]) return {};
        const Way& way = act_.ways[i];
        const auto loss = draw_loss(strikes_, i, options_.seed);
        const bool restored = way.data_brought && own_[i].has_value();
        const bool reachable = std::ranges::any_of(
            way.sources, [](const readiness::WayBack& source) { return source.left; });
        return {.applies = true,
                .never = !restored || !loss,
                .by_plan = !way.data_brought || !reachable,
                .value = loss.value_or(Duration::zero())};
    }

    const Stage& stage_;
    const TrialOptions& options_;
    const Strikes strikes_;
    const Act& act_;
    const Weather weather_;
    Hands hands_;
    HandsClock clock_;
    Chance luck_;
    std::unique_ptr<MemoryState> memory_;
    std::unique_ptr<Carrier> carrier_;
    Tale tale_;
    bool is_up_ = true;
    std::uint64_t dies_at_ = 0, steps_ = 0;
    std::vector<Arrival> waiting_;  // people who came while no engine was there
    std::vector<std::optional<Duration>> back_, own_;
    std::vector<bool> down_, by_plan_;
    TrialResult result_;
};

}  // namespace

TrialResult run_trial(const Stage& stage, const TrialOptions& options) {
    return Trial(stage, options).run();
}

}  // namespace lifeboat::engine::sim

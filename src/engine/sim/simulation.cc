#include "engine/sim/simulation.h"

#include <fmt/core.h>

#include "core/runbook/names.h"
#include "engine/sim/carrier.h"
#include "engine/sim/crashing_state.h"
#include "engine/sim/disasters.h"
#include "engine/sim/operators.h"

namespace lifeboat::engine::sim {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint64_t events_max = 40'000;  // of one run: it must end or wait long before
constexpr Duration lease_ttl = seconds(5);
constexpr Duration time_max = hours(24 * 60);  // a run that people look after ends long before

class Simulation {
public:
    explicit Simulation(const SimulationOptions& options)
        : options_(options),
          chance_(options.seed),
          faults_(Faults::draw(chance_)),
          world_(chance_),
          clock_(world_),
          story_(world_, options.story),
          memory_(make_memory_state(clock_)),
          state_(*memory_, chance_, faults_, options.mutant),
          providers_(world_, faults_, invariants_, story_, options.mutant),
          operators_(world_, faults_, providers_, story_),
          start_(options.start != nullptr ? *options.start : draw_run(chance_)) {
        if (options.crash_at != 0) state_.crash_at(options.crash_at, options.crash_before);
        for (const rb::Node& node : start_.graph.nodes)
            if (chance_.percent(30)) world_.dead.insert(node.component);
        // Drawn from streams of their own: what came before keeps its meaning.
        Chance apart = Chance::of(options.seed, 1);
        for (const rb::Node& node : start_.graph.nodes) draw_target(node.component, apart);
        if (!start_.graph.nodes.empty() && chance_.percent(faults_.outage))
            world_.out_of_reach =
                start_.graph.nodes[chance_.below(start_.graph.nodes.size())].component;
    }

    SimulationReport run() {
        operators_.begin();
        if (chance_.percent(faults_.clock_jumps))
            world_.schedule(chance_.between(Duration(0), minutes(20)),
                            ClockJumps{chance_.between(-hours(2), hours(2))});
        if (chance_.percent(faults_.stalls))
            world_.schedule(chance_.between(Duration(0), minutes(20)),
                            EngineStalls{chance_.between(seconds(1), minutes(3))});
        if (chance_.percent(faults_.partition))
            world_.schedule(chance_.between(Duration(0), minutes(20)),
                            NetworkParts{chance_.between(seconds(5), minutes(15))});
        begin_engine();
        while (!is_over()) {
            auto what = world_.next();
            if (!what) break;
            std::visit([&](auto& one) { happen(one); }, *what);
        }
        return finish();
    }

private:
    /// What answers at the component's address, and which points there are of it.
    void draw_target(const std::string& component, Chance& chance) {
        if (component.empty() || world_.points.contains(component)) return;
        if (chance.percent(faults_.stranger)) world_.strangers.insert(component);
        auto& points = world_.points[component];
        Instant at = world_.wall();
        for (std::uint64_t i = chance.below(6); i > 0; --i) {
            at -= chance.between(minutes(1), hours(20));
            const auto verdict = chance.below(10);
            points.push_back({.at = at, .proven = verdict < 4, .bad = verdict >= 8});
        }
    }

    bool is_over() {
        if (world_.monotonic() > time_max)
            invariants_.fail("the run neither ends nor waits for a person");
        if (invariants_.events() > events_max)
            invariants_.fail(fmt::format("more than {} events: the run never ends", events_max));
        return invariants_.violation().has_value();
    }

    // The engine: begins, is fed, dies, and another takes over.
    void begin_engine() {
        ++engine_;
        providers_.serve(engine_);
        auto lease = state_.acquire("run/" + start_.run.value,
                                    Holder{.who = fmt::format("engine {}", engine_),
                                           .host = "sim",
                                           .pid = static_cast<std::int64_t>(engine_),
                                           .start_ticks = engine_,
                                           .boot_id = "sim"},
                                    lease_ttl);
        if (!lease.has_value()) {
            // The wall clock was set back: the dead engine's lease lasts longer than it should.
            story_.tell("engine", "{}", lease.error().message);
            return world_.schedule(minutes(5), EngineReturns{engine_});
        }
        carrier_ = make_carrier(
            state_, providers_, start_.run,
            [this](const rb::RunState& state, const rb::Event& event) { observe(state, event); },
            options_.mutant, chance_);
        if (auto opened = carrier_->open(); !opened.has_value())
            return invariants_.fail("the journal cannot be read: " + opened.error().message);
        catch_up();
        carrier_->use_lease(*lease);
        if (carrier_->version() == 0)
            feed(start_);
        else
            feed(rb::EngineStarted{fmt::format("engine {}", engine_)});
        check_zombie();
        take_requests();
    }

    /// What was durable when the machine died, though the engine never came to know.
    void catch_up() {
        const rb::RunState& now = carrier_->run();
        if (zombie_ != nullptr && seen_ > 0 && zombie_->version() == carrier_->version() &&
            zombie_->run().status != rb::RunStatus::none)
            invariants_.on_replay(zombie_->run(), now);
        auto stored = state_.read(run_stream(start_.run), seen_, events_max * 2);
        if (!stored.has_value()) return invariants_.fail(stored.error().message);
        for (const StoredEvent& one : *stored) {
            auto event = rb::event_from_json(one.type, one.at, one.payload);
            if (!event.has_value()) return invariants_.fail(event.error().message);
            observe(now, *event);
        }
        if (carrier_->version() != seen_) invariants_.fail("the journal is shorter than it was");
        providers_.know(now);
    }

    void observe(const rb::RunState& state, const rb::Event& event) {
        ++seen_;
        story_.event(event);
        invariants_.on_event(state, event);
        operators_.on_event(state, event);
    }

    bool is_up() const { return carrier_ != nullptr; }

    void feed(rb::Body body) { after(carrier_->step(rb::Event{world_.wall(), std::move(body)})); }

    void after(const Result<void>& stepped) {
        if (stepped.has_value()) {
            // Death also comes between two records, when nothing is being written.
            if (options_.crash_at == 0 && crashes_ < 12 && chance_.below(400) < faults_.crash)
                die("at rest");
            return;
        }
        if (!state_.has_crashed())
            return invariants_.fail("the engine gives up: " + stepped.error().message);
        die(stepped.error().kind == ErrorKind::exhausted ? "disk full" : "at a record");
    }

    void die(const char* how) {
        ++crashes_;
        story_.tell("engine", "engine {} dies ({})", engine_, how);
        memory_->crash();
        state_.lose_power();
        // It may not know that it is dead: what it writes later must be refused.
        zombie_ = std::move(carrier_);
        world_.drop_unsent();
        providers_.serve(++engine_);  // nobody: its replies go nowhere
        world_.schedule(
            lease_ttl + chance_.between(seconds(1), chance_.percent(10) ? hours(3) : minutes(2)),
            EngineReturns{engine_});
    }

    void check_zombie() {
        if (zombie_ == nullptr || !is_up()) return;
        const std::uint64_t before = providers_.commands();
        const std::unique_ptr<Carrier> zombie = std::move(zombie_);
        const bool had_crashed = state_.has_crashed();
        if (had_crashed || zombie->version() == 0) return;
        const auto written = zombie->step(rb::Event{world_.wall(), rb::EngineStarted{"zombie"}});
        if (state_.has_crashed()) return die("at a record");
        if (written.has_value() && zombie->run().status != rb::RunStatus::finished)
            invariants_.fail("an engine without the lease writes to the journal");
        if (providers_.commands() != before && options_.mutant != Mutant::effect_before_journal)
            invariants_.fail("an engine without the lease acts");
    }

    void take_requests() {
        while (is_up() && carrier_->run().inbox < inbox_.size()) {
            const std::uint64_t version = carrier_->run().inbox + 1;
            story_.tell("people", "ask: {}", rb::type_name({{}, inbox_[version - 1]}));
            after(carrier_->take_request(version, {world_.wall(), inbox_[version - 1]}));
        }
    }

    // What happens.
    void happen(const Reply& reply) {
        // A call that was stopped before it did anything has nothing to report.
        if (reply.call && !world_.call(*reply.call).acted) return;
        if (world_.is_parted() && chance_.percent(50))
            return story_.tell("world", "a reply gets lost between two networks");
        if (is_stalled(reply)) return;
        if (is_up() && reply.engine == engine_) feed(reply.body);
    }
    void happen(const TimerDue& timer) {
        if (is_stalled(timer)) return;
        if (is_up() && timer.engine == engine_) feed(rb::TimerFired{timer.timer});
    }
    /// Whatever comes while the engine stands still, comes when it goes on: all at once.
    template <class T>
    bool is_stalled(const T& what) {
        if (world_.monotonic() >= stalled_until_) return false;
        world_.schedule(stalled_until_ - world_.monotonic(), what);
        return true;
    }
    void happen(const EngineStalls& stall) {
        story_.tell("engine", "engine {} stands still for {} s", engine_,
                    stall.lasting.count() / 1'000'000);
        stalled_until_ = world_.monotonic() + stall.lasting;
    }
    void happen(const NetworkParts& parted) {
        story_.tell("world", "nothing can be reached for {} s", parted.lasting.count() / 1'000'000);
        world_.parted_until = world_.monotonic() + parted.lasting;
    }
    void happen(const CallActs& call) { providers_.act(call.call); }
    void happen(const OperatorLooks& looks) {
        const Carrier* engine = is_up() ? carrier_.get() : zombie_.get();
        if (engine == nullptr || engine->run().status == rb::RunStatus::none) {
            // Nothing to be seen now: they come back.
            world_.schedule(chance_.between(seconds(30), minutes(10)), looks);
            return;
        }
        if (auto body = operators_.look(engine->run(), looks)) inbox_.push_back(std::move(*body));
        take_requests();
    }
    void happen(const EngineReturns& returns) {
        if (is_up() || returns.engine != engine_) return;
        state_.reopen();
        stalled_until_ = {};
        if (chance_.percent(faults_.skewed))
            world_.jump_wall(chance_.between(-minutes(3), minutes(3)));
        begin_engine();
    }
    void happen(const ClockJumps& jump) {
        story_.tell("world", "the wall clock jumps by {} s", jump.by.count() / 1'000'000);
        world_.jump_wall(jump.by);
    }

    /// Restarts replay; of the runs that had several, not every end needs to be replayed as well.
    void check_replay() {
        if (crashes_ > 1 && chance_.percent(75)) return;
        auto loaded = load_run(state_, start_.run);
        if (!loaded.has_value())
            return invariants_.fail("the journal cannot be read: " + loaded.error().message);
        invariants_.on_replay(carrier_->run(), *loaded);
    }

    SimulationReport finish() {
        SimulationReport report;
        if (!invariants_.violation() && is_up()) {
            invariants_.on_end(world_, carrier_->run());
            check_replay();
            report.status = carrier_->run().status;
            report.outcome = carrier_->run().outcome;
        }
        report.seed = options_.seed;
        report.events = invariants_.events();
        report.appends = state_.appends();
        report.crashes = crashes_;
        report.took = world_.monotonic() - hours(1);
        report.violation = invariants_.violation();
        return report;
    }

    const SimulationOptions& options_;
    Chance chance_;
    Faults faults_;
    World world_;
    WorldClock clock_;
    Story story_;
    std::unique_ptr<MemoryState> memory_;
    CrashingState state_;
    Invariants invariants_;
    Providers providers_;
    Operators operators_;
    rb::RunStarted start_;
    std::unique_ptr<Carrier> carrier_, zombie_;
    std::uint64_t seen_ = 0;       // records that were observed
    std::vector<rb::Body> inbox_;  // what people asked for; survives crashes
    unsigned engine_ = 0;
    unsigned crashes_ = 0;
    Monotonic stalled_until_{};
};

}  // namespace

SimulationReport simulate(const SimulationOptions& options) { return Simulation(options).run(); }

}  // namespace lifeboat::engine::sim

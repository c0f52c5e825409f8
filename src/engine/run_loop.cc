#include "engine/run_loop.h"

#include <fmt/core.h>

#include <set>

#include "engine/evidence.h"
#include "platform/observe/log.h"

namespace lifeboat::engine {
namespace {

namespace rb = runbook;

constexpr std::chrono::seconds lease_ttl{15};
constexpr std::chrono::seconds lease_renewal{4};
constexpr std::chrono::milliseconds tick{50};
constexpr std::size_t queue_max = 100'000;

/// The leases of one run: the run itself and every component that it changes.
class RunLeases {
public:
    explicit RunLeases(State& state) : state_(state) {}
    ~RunLeases() {
        for (const Lease& lease : held_) (void)state_.release(lease);  // Ignored: it expires.
    }
    RunLeases(const RunLeases&) = delete;
    RunLeases& operator=(const RunLeases&) = delete;

    Result<void> take(const std::string& name, const Holder& holder) {
        held_.push_back(TRY(state_.acquire(name, holder, lease_ttl)));
        return ok();
    }
    Result<void> renew(const Context& context) {
        const Monotonic now = context.clock().monotonic();
        if (now - renewed_ < lease_renewal) return ok();
        for (Lease& lease : held_) lease = TRY(state_.renew(lease, lease_ttl));
        renewed_ = now;
        return ok();
    }
    const Lease& first() const { return held_.front(); }

private:
    State& state_;
    std::vector<Lease> held_;
    Monotonic renewed_{};
};

/// Components that the run's steps change: nobody else may change them meanwhile.
std::set<std::string> changed_components(const rb::Graph& graph) {
    std::set<std::string> names;
    for (const rb::Node& node : graph.nodes) {
        if (node.conduct != rb::Conduct::act || !node.mutating) continue;
        if (!node.component.empty()) names.insert(node.component);
        names.insert(node.adopts.begin(), node.adopts.end());
    }
    return names;
}

Result<void> take_leases(RunLeases& leases, Workspace& workspace, const rb::RunStarted& start) {
    const Holder holder = own_holder(
        workspace.environment, fmt::format("recover {} ({})", start.scenario, start.run.value));
    TRY(leases.take("run/" + start.run.value, holder));
    for (const std::string& component : changed_components(start.graph))
        TRY(leases.take("component/" + component, holder));
    return ok();
}

/// One run in this process, from its first event or from its journal to where it rests.
class RunLoop {
public:
    RunLoop(const Context& context, Workspace& workspace, const RunId& run,
            const RunOptions& options)
        : context_(context),
          workspace_(workspace),
          options_(options),
          instances_(workspace),
          leases_(workspace.state),
          events_(queue_max),
          executor_context_(context.clock(), options.abandon),
          executor_(make_real_executor(
              executor_context_, workspace, instances_, events_,
              ExecutorOptions{
                  .on_progress = [this](const LiveProgress& progress) { keep(progress); }})),
          driver_(workspace.state, *executor_, run,
                  [this](const rb::RunState& state, const rb::Event& event) {
                      if (options_.on_event) options_.on_event(state, event);
                  }) {}

    Result<rb::RunState> begin(const rb::RunStarted& start) {
        TRY(take_leases(leases_, workspace_, start));
        TRY(driver_.open());
        if (driver_.version() != 0)
            return conflict(fmt::format("run {} exists already", start.run.value));
        driver_.use_lease(leases_.first());
        TRY(step(start));
        return drive();
    }

    Result<rb::RunState> resume(const rb::Actor& actor) {
        TRY(driver_.open());
        if (driver_.version() == 0) return not_found("there is no such run");
        if (driver_.run().status == rb::RunStatus::finished) return driver_.run();
        TRY(take_leases(leases_, workspace_, driver_.run().start));
        TRY(driver_.open());  // again, under the lease: what another engine wrote meanwhile counts
        driver_.use_lease(leases_.first());
        TRY(step(rb::EngineStarted{leases_.first().holder.who}));
        const rb::RunStatus status = driver_.run().status;
        if (status == rb::RunStatus::paused || status == rb::RunStatus::pausing)
            TRY(step(rb::ResumeRequested{actor}));
        return drive();
    }

private:
    Result<void> step(rb::Body body) {
        return driver_.step(rb::Event{workspace_.now(), std::move(body)});
    }

    bool rests() const {
        switch (driver_.run().status) {
            case rb::RunStatus::finished:
            case rb::RunStatus::paused:
                return true;
            case rb::RunStatus::waiting:
                return !options_.stay_when_waiting;
            default:
                return false;
        }
    }

    Result<rb::RunState> drive() {
        bool pause_asked = false;
        TRY(take_requests());
        while (!rests()) {
            if (options_.abandon.stop_requested()) return left_as_it_stands();
            if (context_.stopped() && !pause_asked) {
                pause_asked = true;
                TRY(step(rb::PauseRequested{
                    rb::Actor{.person = workspace_.environment.processes.own_user(),
                              .proof = {},
                              .host = workspace_.environment.processes.host_name(),
                              .reason = "interrupted"}}));
                continue;
            }
            TRY(leases_.renew(context_));
            TRY(take_one());
            if (options_.abandon.stop_requested()) return left_as_it_stands();
            TRY(take_requests());
            show_progress();
            if (options_.on_tick) options_.on_tick(driver_.run());
        }
        return driver_.run();
    }

    Error left_as_it_stands() const {
        return cancelled(
            "the run was left as it stands",
            fmt::format("Go on with `lifeboat resume {}`.", driver_.run().start.run.value));
    }

    /// Waits at most a tick for an event, then takes all that are there.
    Result<void> take_one() {
        // The loop's own waiting ends by the tick, never by the stop token: a pause must be carried
        // out.
        const Context waiting = Context(context_.clock()).within(tick);
        while (true) {
            auto event = events_.pop(waiting);
            if (!event.has_value()) {
                if (event.error().kind == ErrorKind::timeout) return ok();
                return event.error();
            }
            if (!event->has_value()) return ok();
            // A call that was ended by leaving has no outcome that is worth a record: the next
            // engine looks what became of it.
            if (options_.abandon.stop_requested()) return ok();
            TRY(driver_.step(**event));
            if (rests()) return ok();
        }
    }

    /// What operators asked in the meantime, each considered once.
    Result<void> take_requests() {
        const Monotonic now = context_.clock().monotonic();
        if (now - requests_read_ < std::chrono::milliseconds(200) && requests_read_ != Monotonic{})
            return ok();
        requests_read_ = now;
        const RunId run = driver_.run().start.run;
        const auto asked = TRY(workspace_.state.read(request_stream(run), driver_.run().inbox));
        for (const StoredEvent& stored : asked) {
            auto body = rb::event_from_json(stored.type, stored.at, stored.payload);
            if (body.has_value()) {
                TRY(driver_.step_request(stored.version,
                                         rb::Event{workspace_.now(), std::move(body->body)}));
            } else {
                TRY(step(
                    rb::RequestTaken{.version = stored.version, .refused = body.error().message}));
            }
        }
        return ok();
    }

    void keep(const LiveProgress& progress) {
        if (!options_.on_progress) return;
        MutexLock lock(progress_mutex_);
        progress_[progress.step] = progress;
    }

    void show_progress() {
        if (!options_.on_progress) return;
        std::map<StepId, LiveProgress> fresh;
        {
            MutexLock lock(progress_mutex_);
            fresh.swap(progress_);
        }
        for (const auto& [step, progress] : fresh) {
            const auto state = driver_.run().steps.find(step);
            const bool ended = state != driver_.run().steps.end() && state->second.ended;
            if (!ended) options_.on_progress(driver_.run(), progress);
        }
    }

    Context context_;
    Workspace& workspace_;
    const RunOptions& options_;
    Instances instances_;
    RunLeases leases_;
    EventQueue events_;
    Mutex progress_mutex_;
    std::map<StepId, LiveProgress> progress_ GUARDED_BY(progress_mutex_);
    Context executor_context_;
    std::unique_ptr<Executor> executor_;
    Driver driver_;
    Monotonic requests_read_{};
};

}  // namespace

Result<rb::RunState> begin_run(const Context& context, Workspace& workspace,
                               const rb::RunStarted& start, const RunOptions& options) {
    auto run = RunLoop(context, workspace, start.run, options).begin(start);
    if (run.has_value()) record_run(context, workspace, *run);
    return run;
}

Result<rb::RunState> resume_run(const Context& context, Workspace& workspace, const RunId& run,
                                const rb::Actor& actor, const RunOptions& options) {
    auto resumed = RunLoop(context, workspace, run, options).resume(actor);
    if (resumed.has_value()) record_run(context, workspace, *resumed);
    return resumed;
}

Result<std::uint64_t> request(State& state, const RunId& run, Instant now, const rb::Body& body) {
    const rb::Event event{now, body};
    const NewEvent stored{.type = rb::type_name(event), .payload = rb::to_json(event), .at = now};
    for (int tries = 0; tries < 20; ++tries) {
        const auto before = TRY(state.read(request_stream(run)));
        const std::uint64_t version = before.empty() ? 0 : before.back().version;
        auto appended = state.append(request_stream(run), version, {stored});
        if (appended.has_value() || appended.error().kind != ErrorKind::conflict) return appended;
    }
    return conflict("too many requests to the run at once", "Try again.");
}

}  // namespace lifeboat::engine

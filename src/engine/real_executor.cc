#include "engine/real_executor.h"

#include <fmt/core.h>

#include <map>
#include <utility>

#include "engine/verb_call.h"
#include "platform/observe/log.h"
#include "platform/task/scope.h"

namespace lifeboat::engine {
namespace {

namespace rb = runbook;
using providers::VerbCall;

constexpr std::size_t jobs_max = 10'000;

/// Timers on the monotonic clock; the earliest is waited for.
class Timers {
public:
    void set(Monotonic at, std::string timer) {
        MutexLock lock(mutex_);
        pending_.emplace(at, std::move(timer));
        changed_.notify_all();
    }

    /// Posts each timer as it falls due, until stopped.
    Result<void> serve(const Context& context, const std::function<void(rb::Body)>& post) {
        std::unique_lock lock(mutex_.raw());
        while (!context.stopped()) {
            const Monotonic now = context.clock().monotonic();
            if (!pending_.empty() && pending_.begin()->first <= now) {
                auto node = pending_.extract(pending_.begin());
                lock.unlock();
                post(rb::TimerFired{node.mapped()});
                lock.lock();
                continue;
            }
            // One that falls due before the one that is waited for ends the wait.
            const Monotonic next =
                pending_.empty() ? now + std::chrono::seconds(1) : pending_.begin()->first;
            changed_.wait_for(lock, context.stop_token(), next - now,
                              [&] { return !pending_.empty() && pending_.begin()->first < next; });
        }
        return ok();
    }

private:
    Mutex mutex_;
    std::condition_variable_any changed_;
    std::multimap<Monotonic, std::string> pending_;
};

/// Calls of start() that have not come back, by step: a probe first ends them, so that it never
/// looks at something that is still being made.
class InFlight {
public:
    std::stop_token enter(const StepId& step) {
        MutexLock lock(mutex_);
        return calls_[step].get_token();
    }
    void leave(const StepId& step) {
        MutexLock lock(mutex_);
        calls_.erase(step);
        changed_.notify_all();
    }
    /// Asks the step's call to stop, without waiting.
    void end_soon(const StepId& step) {
        MutexLock lock(mutex_);
        if (const auto found = calls_.find(step); found != calls_.end())
            found->second.request_stop();
    }
    /// Asks the step's call to stop and waits until it has come back. Errors: timeout, cancelled.
    Result<void> end(const Context& context, const StepId& step) {
        std::unique_lock lock(mutex_.raw());
        const auto found = calls_.find(step);
        if (found == calls_.end()) return ok();
        std::stop_source source = found->second;
        lock.unlock();
        source.request_stop();
        lock.lock();
        if (changed_.wait_for(lock, context.stop_token(), end_limit,
                              [&] { return !calls_.contains(step); }))
            return ok();
        return timeout(fmt::format("the call of step {} does not come back", step.value));
    }

private:
    static constexpr std::chrono::seconds end_limit{60};
    Mutex mutex_;
    std::condition_variable_any changed_;
    std::map<StepId, std::stop_source> calls_;
};

class RealExecutor final : public Executor {
public:
    RealExecutor(const Context& context, Workspace& workspace, Instances& instances,
                 EventQueue& events, ExecutorOptions options)
        : workspace_(workspace),
          instances_(instances),
          events_(events),
          options_(std::move(options)),
          context_(context),
          jobs_(jobs_max),
          scope_(context) {
        for (unsigned i = 0; i < options_.threads; ++i)
            scope_.spawn([this](const Context& task) { return work(task); });
        scope_.spawn([this](const Context& task) {
            return timers_.serve(task,
                                 [this, &task](rb::Body body) { post(task, std::move(body)); });
        });
    }

    ~RealExecutor() override {
        jobs_.close();
        scope_.stop();
        (void)scope_.wait();  // Ignored: workers report through events.
    }
    RealExecutor(const RealExecutor&) = delete;
    RealExecutor& operator=(const RealExecutor&) = delete;

    void start(const rb::RunState& state, const rb::Command& command) override {
        if (const auto* timer = std::get_if<rb::SetTimer>(&command)) {
            timers_.set(context_.clock().monotonic() + timer->after, timer->timer);
            return;
        }
        const StepId step = std::visit([](const auto& each) { return step_of(each); }, command);
        const rb::Node* node = state.start.graph.find(step);
        CHECK(node != nullptr);
        auto pushed = jobs_.push(context_, Job{view_of(state, *node), command});
        if (!pushed.has_value())
            log::warning("engine", "a command was not started: {}", pushed.error().message);
    }

private:
    struct Job {
        StepView step;
        rb::Command command;
    };

    template <class C>
    static StepId step_of(const C& command) {
        return command.step;
    }
    static StepId step_of(const rb::SetTimer&) { return {}; }

    Result<void> work(const Context& task) {
        while (true) {
            std::optional<Job> job = TRY(jobs_.pop(task));
            if (!job) return ok();
            carry_out(task, *job);
        }
    }

    void post(const Context& task, rb::Body body) {
        auto posted = events_.push(task, rb::Event{workspace_.now(), std::move(body)});
        if (!posted.has_value()) log::debug("engine", "an event was dropped at the end of the run");
    }

    void carry_out(const Context& task, const Job& job) {
        std::visit([&](const auto& command) { this->carry(task, job.step, command); }, job.command);
    }

    Result<PreparedCall> prepare_call(const StepView& step, unsigned attempt) {
        return prepare(workspace_, instances_, step, attempt);
    }

    static Context bounded(const Context& task, const StepView& step) {
        const Duration limit = step.node.timeout;
        // The machine's own timer decides; the call's limit only makes sure that a thread comes
        // back.
        return limit == Duration::zero() ? task : task.within(limit + limit / 10);
    }

    Result<providers::Started> start_call(const Context& task, const StepView& step,
                                          const rb::StartVerb& command) {
        TRY(adopt(instances_, step));
        PreparedCall prepared = TRY(prepare_call(step, command.attempt));
        const std::stop_token stop = in_flight_.enter(command.step);
        const std::stop_callback stop_with_us(task.stop_token(),
                                              [&] { in_flight_.end_soon(command.step); });
        auto progress = [&](std::uint64_t done, std::uint64_t total, const std::string& unit) {
            if (options_.on_progress) options_.on_progress({command.step, done, total, unit});
        };
        auto started =
            prepared.provider->start(bounded(task, step).with_stop(stop), prepared.call, progress);
        in_flight_.leave(command.step);
        return started;
    }

    void carry(const Context& task, const StepView& step, const rb::StartVerb& command) {
        auto started = start_call(task, step, command);
        if (!started.has_value())
            return post(task, rb::StepFailed{command.step, command.attempt, started.error()});
        if (started->operation)
            return post(task,
                        rb::StepOperating{command.step, command.attempt, *started->operation});
        post(task, rb::StepSucceeded{command.step, command.attempt, started->outputs});
    }

    void carry(const Context& task, const StepView& step, const rb::PollVerb& command) {
        auto prepared = prepare_call(step, command.attempt);
        if (!prepared.has_value())
            return post(task, rb::PollFailed{command.step, command.attempt, prepared.error()});
        auto polled = prepared->provider->poll(task, prepared->call, command.operation);
        if (!polled.has_value())
            return post(task, rb::PollFailed{command.step, command.attempt, polled.error()});
        if (polled->done)
            return post(task, rb::StepSucceeded{command.step, command.attempt, polled->outputs});
        if (options_.on_progress)
            options_.on_progress({command.step, polled->completed, polled->total, polled->unit});
        post(task, rb::StepProgressed{command.step, command.attempt, polled->completed,
                                      polled->total, polled->unit});
    }

    Result<providers::Probed> probe_call(const Context& task, const StepView& step,
                                         const rb::ProbeVerb& command) {
        TRY(in_flight_.end(task, command.step));
        PreparedCall prepared = TRY(prepare_call(step, command.attempt));
        return prepared.provider->probe(bounded(task, step), prepared.call);
    }

    void carry(const Context& task, const StepView& step, const rb::ProbeVerb& command) {
        auto probed = probe_call(task, step, command);
        if (!probed.has_value())
            return post(task, rb::ProbeFailed{command.step, command.attempt, probed.error()});
        post(task, rb::StepProbed{.step = command.step,
                                  .attempt = command.attempt,
                                  .verdict = probed->verdict,
                                  .outputs = probed->outputs,
                                  .operation = probed->operation,
                                  .explanation = probed->explanation,
                                  .probe = command.probe});
    }

    /// Without an operation it is our own call of start() that has to end.
    Result<void> cancel_call(const Context& task, const StepView& step,
                             const rb::CancelVerb& command) {
        TRY(in_flight_.end(task, command.step));
        if (command.operation.empty()) return ok();
        PreparedCall prepared = TRY(prepare_call(step, command.attempt));
        return prepared.provider->cancel(task, prepared.call, command.operation);
    }

    void carry(const Context& task, const StepView& step, const rb::CancelVerb& command) {
        auto cancelled = cancel_call(task, step, command);
        rb::StepCancelled answer{.step = command.step, .attempt = command.attempt, .error = {}};
        if (!cancelled.has_value()) answer.error = cancelled.error();
        post(task, answer);
    }

    void carry(const Context& task, const StepView& step, const rb::RecordCalls& command) {
        rb::StepRecorded answer{.step = command.step, .calls = Json::array()};
        auto prepared = prepare_call(step, 1);
        auto calls = prepared.has_value() ? prepared->provider->preview(task, prepared->call)
                                          : Result<std::vector<providers::Call>>(prepared.error());
        if (calls.has_value()) {
            for (const providers::Call& call : *calls)
                answer.calls.push_back(Json{{"action", call.action},
                                            {"object", call.object},
                                            {"destructive", call.destructive}});
        } else {
            answer.calls.push_back(Json{{"problem", calls.error().message}});
        }
        post(task, answer);
    }

    void carry(const Context&, const StepView&, const rb::SetTimer&) {}

    Workspace& workspace_;
    Instances& instances_;
    EventQueue& events_;
    ExecutorOptions options_;
    Context context_;
    Queue<Job> jobs_;
    Timers timers_;
    InFlight in_flight_;
    TaskScope scope_;  // last: its threads use everything above
};

}  // namespace

std::unique_ptr<Executor> make_real_executor(const Context& context, Workspace& workspace,
                                             Instances& instances, EventQueue& events,
                                             ExecutorOptions options) {
    return std::make_unique<RealExecutor>(context, workspace, instances, events,
                                          std::move(options));
}

}  // namespace lifeboat::engine

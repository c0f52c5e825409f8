#pragma once
/// Carries one run: receives events, journals what follows, applies it, starts the commands.
///
/// step() has no thread, wait or clock of its own. Journal before effect: append() has returned
/// before the executor sees a command. Not thread-safe: one driver per run, under the run's lease.

#include <functional>
#include <memory>
#include <string>

#include "core/runbook/machine.h"
#include "platform/state/state.h"

namespace lifeboat::engine {

/// Takes commands and later posts the events they lead to. Real: a pool of threads; simulated: a
/// queue.
class Executor {
public:
    virtual ~Executor() = default;
    /// Must not block and must not call back into the driver. `state` is the state after the
    /// decision.
    virtual void start(const runbook::RunState& state, const runbook::Command& command) = 0;
};

/// Stream names in `state`.
std::string run_stream(const RunId& run);      ///< "run/<id>"
std::string request_stream(const RunId& run);  ///< "request/<id>": what operators ask of the run

class Driver {
public:
    /// Called after each durable append, for views and tests.
    using Observer = std::function<void(const runbook::RunState&, const runbook::Event&)>;

    Driver(State& state, Executor& executor, RunId run, Observer observer = {});

    /// Replays what is journaled; may be called again, to see what others wrote meanwhile.
    /// Errors: corrupt, unsupported.
    Result<void> open();
    /// Decides, appends (durable), applies, starts commands. Errors: conflict (lease lost or
    /// another writer), exhausted (disk full): nothing was started; the driver must not be used
    /// further. invalid: a run whose arguments hold a secret does not begin.
    Result<void> step(const runbook::Event& event);
    /// The same for an operator's request, `version` of the inbox: considered once, in one
    /// transaction.
    Result<void> step_request(std::uint64_t version, const runbook::Event& request);

    void use_lease(const Lease& lease) { lease_ = lease; }
    const runbook::RunState& run() const { return run_; }
    std::uint64_t version() const { return version_; }

private:
    Result<void> carry_out(const runbook::Decision& decision);
    Result<void> check_usable() const;

    State& state_;
    Executor& executor_;
    RunId id_;
    Observer observer_;
    std::optional<Lease> lease_;
    runbook::RunState run_;
    std::uint64_t version_ = 0;
    bool broken_ = false;  ///< an append failed: what the journal holds is not known
};

/// Replays a run for reading, without a lease. Errors: not_found, corrupt, unsupported.
Result<runbook::RunState> load_run(State& state, const RunId& run);
/// Ids of all runs, newest first (ids begin with the time at which the run began).
Result<std::vector<RunId>> list_runs(State& state);

}  // namespace lifeboat::engine

#pragma once
/// Drives one run in this process: takes its lease, replays, feeds events and operators' requests.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engine/driver.h"
#include "engine/instances.h"
#include "engine/real_executor.h"

namespace lifeboat::engine {

struct RunOptions {
    /// Stay while the run waits for a person (a terminal), or return (a pipe, cron).
    bool stay_when_waiting = false;
    /// The context's stop pauses the run cleanly; this one leaves it as it stands (a second
    /// Ctrl-C).
    std::stop_token abandon;
    std::function<void(const runbook::RunState&, const runbook::Event&)> on_event;
    std::function<void(const runbook::RunState&, const LiveProgress&)> on_progress;
    std::function<void(const runbook::RunState&)> on_tick;  ///< about ten times a second
};

/// A new run of compiled steps. Takes the leases "run/<id>" and "component/<name>" for every
/// component that its steps mutate, before the first event. Errors: conflict (lease held: names the
/// holder).
Result<runbook::RunState> begin_run(const Context& context, Workspace& workspace,
                                    const runbook::RunStarted& start, const RunOptions& options);

/// Opens a run's journal again and goes on: intents without an outcome are probed. A paused run is
/// resumed by `actor`. Errors: not_found, conflict (another engine drives it), corrupt.
Result<runbook::RunState> resume_run(const Context& context, Workspace& workspace, const RunId& run,
                                     const runbook::Actor& actor, const RunOptions& options);

/// Leaves a request for whoever drives the run now or later. Durable. Returns its version.
/// `body` is one of Approved, Denied, RetryRequested, StepSkipped, StepBypassed, PauseRequested,
/// ResumeRequested, AbortRequested.
Result<std::uint64_t> request(State& state, const RunId& run, Instant now,
                              const runbook::Body& body);

}  // namespace lifeboat::engine

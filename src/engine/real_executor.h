#pragma once
/// Carries commands out: a bounded pool of threads that call providers and post what came of it.
///
/// Builds the VerbCall (templates, instances, adoption of candidates) in the worker; nothing here
/// decides. Posts go to a bounded queue that the run loop drains. Destroyed: asks all calls to
/// stop, joins them.

#include <functional>
#include <memory>

#include "engine/driver.h"
#include "engine/instances.h"
#include "platform/task/queue.h"

namespace lifeboat::engine {

/// Live progress of blocking calls, not journaled: for views.
struct LiveProgress {
    StepId step;
    std::uint64_t done = 0, total = 0;
    std::string unit;
};

struct ExecutorOptions {
    unsigned threads = 20;  ///< more than a graph's concurrency_max: probes and cancels need some
    std::function<void(const LiveProgress&)> on_progress;
};

using EventQueue = Queue<runbook::Event>;

/// The executor of real runs. `events` receives what happened, stamped with the clock.
std::unique_ptr<Executor> make_real_executor(const Context& context, Workspace& workspace,
                                             Instances& instances, EventQueue& events,
                                             ExecutorOptions options = {});

}  // namespace lifeboat::engine

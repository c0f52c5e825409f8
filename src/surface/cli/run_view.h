#pragma once
/// A run as people watch it: redrawn in place on a terminal, plain lines in a pipe, JSON lines for
/// machines. Fed by the run loop from one thread.

#include <memory>

#include "engine/recovery.h"
#include "engine/run_loop.h"
#include "surface/cli/output.h"

namespace lifeboat::cli {

class RunView {
public:
    virtual ~RunView() = default;
    virtual void event(const runbook::RunState& run, const runbook::Event& event) = 0;
    virtual void progress(const runbook::RunState& run, const engine::LiveProgress& progress) = 0;
    virtual void tick(const runbook::RunState& run) = 0;
    /// The last picture and the result.
    virtual void finish(const runbook::RunState& run,
                        const std::vector<engine::Measured>& measured) = 0;
};

/// The tightest RTO of what the run recovers: what the clock runs against. Zero: none.
Duration tightest_rto(const plan::Plan& plan, const runbook::Graph& graph);

std::unique_ptr<RunView> make_run_view(const Output& output, const Clock& clock,
                                       Duration objective);

/// The view of a terminal: redrawn in place, within whatever width and height it has.
std::unique_ptr<RunView> make_live_view(const Output& output, const Clock& clock,
                                        Duration objective);

/// From the disaster, or the run's begin, to its end or now.
Duration elapsed_of(const runbook::RunState& run, Instant now);
/// "4.1s of 30s": the clock against the objective (zero: none).
std::string clock_text(Duration elapsed, Duration objective);

/// "done", "waiting for approval by security": what a step's state is called.
std::string describe(const runbook::StepState& state, const runbook::Node& node);
/// One line about an event, or nothing when it is not worth one in a pipe.
std::string describe(const runbook::RunState& run, const runbook::Event& event);
Json to_json(const std::vector<engine::Measured>& measured);
/// The lines "database  RTO 30s  measured 4.1s  met".
void show_measured(const Output& output, const std::vector<engine::Measured>& measured);
bool all_met(const std::vector<engine::Measured>& measured);

}  // namespace lifeboat::cli

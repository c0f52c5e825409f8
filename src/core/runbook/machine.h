#pragma once
/// The run as a state machine: decide() says what follows from an event, apply() is all that replay
/// calls.
///
/// Pure: no clock, thread or file; equal histories give equal states. Invariants, checked by the
/// simulation after every event: an effect has an intent before it and one outcome after it; a step
/// whose outcome is unknown is probed, never blindly repeated; a finished step never acts again; no
/// step begins before what it needs is done, recorded, skipped, bypassed, or failed though
/// optional; a finished run issues no command.

#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/runbook/event.h"

namespace lifeboat::runbook {

enum class StepStatus {
    pending,
    awaiting_approval,
    starting,      ///< intent written, start() called
    operating,     ///< a long operation goes on; polled
    probing,       ///< finding out what happened
    cancelling,    ///< timed out or aborted: cancel() called, a probe follows
    backing_off,   ///< will be tried again when its timer fires
    needs_person,  ///< undecided after a probe, denied, or failed and waiting for retry/skip/bypass
    done,
    recorded,
    skipped,
    bypassed,
    failed,     ///< for good
    cancelled,  ///< the run was aborted before or while it acted
};
constexpr std::size_t step_statuses = 14;
enum class RunStatus { none, running, waiting, pausing, paused, aborting, finished };

struct StepState {
    StepStatus status = StepStatus::pending;
    unsigned attempt = 0;
    std::string operation;
    Json outputs = Json::object();
    std::optional<Error> error;
    std::optional<Instant> began, ended;
    std::vector<Approved> approvals;
    std::string timer;  ///< the one that would wake it
    std::uint64_t done = 0, total = 0;
    std::string unit;

    std::uint32_t node = 0;  ///< its index in the graph
    bool approved = false;   ///< everybody who must has approved
    bool unsure = false;     ///< the last attempt may have acted, or not
    unsigned failures = 0;   ///< attempts that failed or timed out since a person last said `retry`
    unsigned polls = 0;      ///< of the present operation
    unsigned poll_failures = 0, probe_failures = 0;  ///< in a row
    unsigned probes = 0, cancels = 0;
    std::string deadline;  ///< timer that ends the attempt, the cancel or the probe
    std::optional<Instant> timer_due, deadline_due;
    std::optional<Instant> operating_since, progressed_at;

    bool operator==(const StepState&) const = default;
};

/// What decide() would otherwise look up in every step. Made from the events like all else.
struct RunIndex {
    std::vector<std::vector<std::uint32_t>> followers;  ///< by node: those that need it
    std::vector<std::uint32_t> open_needs;              ///< by node: needs that are not met yet
    /// Pending steps whose needs are met: (rank of the priority, node).
    std::set<std::pair<std::uint32_t, std::uint32_t>> ready;
    std::array<std::uint32_t, step_statuses> count{};  ///< steps in each status

    std::uint32_t in(StepStatus status) const { return count[static_cast<std::size_t>(status)]; }
    bool operator==(const RunIndex&) const = default;
};

struct RunState {
    RunStatus status = RunStatus::none;
    std::optional<Outcome> outcome;
    std::string reason;
    RunStarted start;
    std::map<StepId, StepState> steps;
    Instant began{}, ended{}, latest{};
    std::uint64_t inbox = 0;  ///< last request considered
    std::uint64_t timers = 0;
    /// What was made, for cleanup: one entry per step that makes an instance (in a drill: that
    /// changes anything), {token, step, verb, component, site, state: intended|made|absent|undone,
    /// outputs}; and what a step's outputs list under "ledger".
    std::vector<Json> ledger;
    bool rolling_back = false;

    bool pause = false;                   ///< asked for, and not resumed
    std::optional<AbortRequested> abort;  ///< the one that took effect
    bool compensating = false;            ///< the compensations have joined the graph
    bool refused = false;  ///< a step is not allowed in this mode: nothing new begins
    RunIndex index;

    /// The node of a step. Requires: the step exists.
    const Node& node(const StepState& step) const { return start.graph.nodes[step.node]; }
    /// Steps whose command or operation is under way.
    std::uint32_t acting() const;
};
/// Equal in every part.
bool operator==(const RunState& a, const RunState& b);

/// What the shell must do. Each has its intent in the events of the same decision.
struct StartVerb {
    StepId step;
    unsigned attempt = 1;
};
struct PollVerb {
    StepId step;
    unsigned attempt = 1;
    std::string operation;
};
/// A probe must not look while a start() or poll() of the step is still under way: end that first.
struct ProbeVerb {
    StepId step;
    unsigned attempt = 1;
    unsigned probe = 0;
};
/// Ends a start() that has not come back (operation is ""), or the operation; answer StepCancelled
/// only when nothing more of it can act.
struct CancelVerb {
    StepId step;
    unsigned attempt = 1;
    std::string operation;
};
struct SetTimer {
    std::string timer;
    Duration after{};
};
struct RecordCalls {
    StepId step;
};  ///< ask the provider's preview(), answer StepRecorded
using Command = std::variant<StartVerb, PollVerb, ProbeVerb, CancelVerb, SetTimer, RecordCalls>;

struct Decision {
    std::vector<Event> events;  ///< the trigger first
    std::vector<Command> commands;
    std::string refused;  ///< why the trigger has no effect; "" = it has
};

/// What follows from `trigger` in `state`. A trigger that does not fit (late reply, duplicate
/// approval, unknown timer) is recorded where it matters, and otherwise gives no events at all.
Decision decide(const RunState& state, const Event& trigger);

/// The state after the event.
RunState apply(RunState state, const Event& event);

/// The same in place.
void apply_to(RunState& state, const Event& event);
/// decide() without a copy: `state` becomes what apply() of all events of the decision makes of it.
Decision advance(RunState& state, const Event& trigger);
/// An operator's request, version `version` of the inbox: advance(), and RequestTaken in the same
/// decision. Nothing when it was considered before.
Decision advance_request(RunState& state, std::uint64_t version, const Event& request);

/// Text of an argument with its templates filled from outputs; Errors: invalid (names the
/// template).
Result<Json> resolve_templates(const RunState& state, const Json& arguments);

/// The candidate instances that this run has made and not yet given up: component -> outputs of the
/// step that made it.
std::map<std::string, Json> candidates(const RunState& state);

/// The old primary of the node's component was fenced by a step of this run (or by hand), or people
/// approved on record that the step goes on without.
bool is_fenced(const RunState& state, const Node& node);

/// Retry policy by the error's kind: unavailable, timeout, exhausted (disk: no) … Pure function.
bool is_retryable(const Error& error, plan::Safety safety);

}  // namespace lifeboat::runbook

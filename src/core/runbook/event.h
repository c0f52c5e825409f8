#pragma once
/// Everything that can happen to a run, as it stands in the journal.
///
/// The triggering event, the events that follow from it and one intent per command are appended in
/// one transaction before any command starts. Names and JSON are part of the state format: only
/// add.

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/runbook/graph.h"

namespace lifeboat::runbook {

/// Who did something by hand, and how that is known.
struct Actor {
    std::string person;  ///< key of the plan's people, or the OS user when unknown to the plan
    std::string proof;   ///< "os_user:alice", "token:alice"; "" = unproven
    std::string host;
    std::string reason;
    bool operator==(const Actor&) const = default;
};

struct RunStarted {
    RunId run;
    std::string plan, plan_digest, scenario;
    RunMode mode = RunMode::real;
    Graph graph;
    Json parameters = Json::object();  ///< to, incident, although_healthy, …
    Actor actor;
    /// Injected, or the first failing observation: RTO counts from it.
    std::optional<Instant> disaster_at;

    bool operator==(const RunStarted&) const = default;
};
struct StepIntended {  ///< intent: about to call start(); one per attempt
    StepId step;
    unsigned attempt = 1;
};
struct StepOperating {  ///< start() gave a long operation its id
    StepId step;
    unsigned attempt = 1;
    std::string operation;
};
struct PollIntended {
    StepId step;
    unsigned attempt = 1;
};
struct StepProgressed {  ///< a poll's answer, when it is worth keeping
    StepId step;
    unsigned attempt = 1;
    std::uint64_t done = 0, total = 0;
    std::string unit;
};
struct StepSucceeded {
    StepId step;
    unsigned attempt = 1;
    Json outputs = Json::object();
};
struct StepFailed {  ///< kind unknown or timeout: the outcome is not known
    StepId step;
    unsigned attempt = 1;
    Error error;
};
struct ProbeIntended {
    StepId step;
    unsigned attempt = 1;
    unsigned probe = 0;  ///< tells the answer of this probe from that of an earlier one
};
enum class ProbeVerdict {
    done,       ///< it happened: adopt `outputs`
    absent,     ///< it did not happen, and will not: may be tried again
    running,    ///< it goes on under `operation`: poll
    undecided,  ///< cannot be told: a person must look
};
struct StepProbed {
    StepId step;
    unsigned attempt = 1;
    ProbeVerdict verdict = ProbeVerdict::undecided;
    Json outputs = Json::object();
    std::string operation;
    std::string explanation;
    unsigned probe = 0;  ///< echo of the command's; 0 = not told, taken for the newest
};
struct CancelIntended {
    StepId step;
    unsigned attempt = 1;
};
struct StepCancelled {  ///< cancel() came back
    StepId step;
    unsigned attempt = 1;
    std::optional<Error> error;
};
struct TimerSet {
    std::string timer;  ///< unique in the run: "<purpose>/<step>/<number>"
    Duration after{};
};
struct TimerFired {
    std::string timer;
};
struct Approved {
    StepId step;
    Actor actor;
    bool break_glass = false;
    bool operator==(const Approved&) const = default;
};
struct Denied {
    StepId step;
    Actor actor;
};
struct RetryRequested {
    StepId step;
    Actor actor;
    /// The person has made sure that nothing happened: do not probe first. Where no probe is
    /// possible (Safety::once), an unknown outcome is not retried without this word.
    bool surely_absent = false;
    unsigned attempt = 0;  ///< the one that they looked at; 0 = not told
};
struct StepSkipped {
    StepId step;
    Actor actor;
};
struct StepBypassed {  ///< a person did it by hand; outputs are what they say came out
    StepId step;
    Actor actor;
    Json outputs = Json::object();
};
struct PauseRequested {
    Actor actor;
};
struct ResumeRequested {
    Actor actor;
};
struct AbortRequested {
    Actor actor;
    bool roll_back = false;  ///< compensate what was done
    bool by_plan = false;    ///< nobody asked: a step's on_failure, or a refused step, demands it
    bool operator==(const AbortRequested&) const = default;
};
struct StepRecorded {  ///< conduct record: what would have been done
    StepId step;
    Json calls = Json::array();
};
struct EngineStarted {  ///< an engine opened the journal: intents without outcome are unknown
    std::string who;
};
struct RequestTaken {  ///< the operator's request with this version of the inbox was considered
    std::uint64_t version = 0;
    std::string refused;  ///< why it had no effect; "" = it had
};
enum class Outcome { done, partial, failed, aborted, refused };
struct RunFinished {
    Outcome outcome = Outcome::done;
    std::string reason;
};

/// More nodes of the graph: a large graph is journaled in parts, and a rollback adds compensations.
struct GraphExtended {
    std::vector<Node> nodes;
    std::vector<Node> undo;
    bool compensation = false;
};
struct ApprovalAsked {  ///< the step is due and waits for people
    StepId step;
};
struct ApprovalMet {  ///< everybody who must has approved: the step may begin
    StepId step;
};
struct PollFailed {  ///< looking at the operation failed; what it does is not known
    StepId step;
    unsigned attempt = 1;
    Error error;
};
struct ProbeFailed {
    StepId step;
    unsigned attempt = 1;
    Error error;
};
struct StepHeld {  ///< goes no further without a person
    StepId step;
    Error error;
};
struct StepGivenUp {  ///< failed for good: optional, refused in this mode, or the run is being
                      ///< aborted
    StepId step;
    Error error;
};
struct StepAbandoned {  ///< the run was aborted while it acted, and it came to nothing
    StepId step;
};

using Body =
    std::variant<RunStarted, StepIntended, StepOperating, PollIntended, StepProgressed,
                 StepSucceeded, StepFailed, ProbeIntended, StepProbed, CancelIntended,
                 StepCancelled, TimerSet, TimerFired, Approved, Denied, RetryRequested, StepSkipped,
                 StepBypassed, PauseRequested, ResumeRequested, AbortRequested, StepRecorded,
                 EngineStarted, RequestTaken, RunFinished, GraphExtended, ApprovalAsked,
                 ApprovalMet, PollFailed, ProbeFailed, StepHeld, StepGivenUp, StepAbandoned>;

struct Event {
    Instant at{};  ///< recorded time: all that the machine knows of time
    Body body;
};

/// "step_succeeded": the stable name of the event's type.
std::string type_name(const Event& event);
Json to_json(const Event& event);  ///< the payload, without type and time
/// Errors: corrupt, unsupported (an event type of a newer version).
Result<Event> event_from_json(const std::string& type, Instant at, const Json& payload);

}  // namespace lifeboat::runbook

#pragma once
/// For tests of the machine: nodes in one line, and a run that is fed by hand.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/runbook/machine.h"
#include "core/runbook/names.h"

namespace lifeboat::runbook {

// NOLINTBEGIN(readability-identifier-naming): the name is GoogleTest's
inline void PrintTo(StepStatus status, std::ostream* out) { *out << to_string(status); }
inline void PrintTo(RunStatus status, std::ostream* out) { *out << to_string(status); }
inline void PrintTo(Outcome outcome, std::ostream* out) { *out << to_string(outcome); }
// NOLINTEND(readability-identifier-naming)

namespace testing {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

inline Node node(const std::string& id, std::vector<std::string> needs = {}) {
    Node n;
    n.id = StepId(id);
    n.verb = id;
    n.component = "thing";
    n.kind = "test";
    n.token = "lb-1-" + id;
    n.timeout = minutes(10);
    n.backoff_first = milliseconds(500);
    n.backoff_max = seconds(30);
    for (const std::string& need : needs) n.needs.emplace_back(need);
    return n;
}

inline Actor alice() {
    return {.person = "alice", .proof = "os_user:alice", .host = "h", .reason = {}};
}
inline Actor bob() { return {.person = "bob", .proof = "token:bob", .host = "h", .reason = {}}; }

/// A run, its time, and what it has asked the shell to do so far.
class TestRun {
public:
    explicit TestRun(std::vector<Node> nodes, RunMode mode = RunMode::real) {
        start_.run = RunId("run-1");
        start_.scenario = "test";
        start_.mode = mode;
        start_.graph.nodes = std::move(nodes);
    }
    TestRun& begin() {
        send(start_);
        return *this;
    }
    RunStarted& start() { return start_; }

    /// Feeds one trigger; returns the decision. Also checks what must hold of every decision.
    Decision send(Body body) {
        const Event trigger{now, std::move(body)};
        const Decision pure = decide(state, trigger);
        RunState replayed = state;
        Decision decision = advance(state, trigger);
        EXPECT_EQ(pure.events.size(), decision.events.size());
        for (const Event& event : decision.events) {
            auto read = event_from_json(type_name(event), event.at, to_json(event));
            EXPECT_TRUE(read.has_value()) << type_name(event);
            if (read.has_value()) replayed = apply(std::move(replayed), *read);
        }
        EXPECT_TRUE(replayed == state) << "replay must give the state that was decided on";
        EXPECT_TRUE(decision.refused.empty() || decision.events.empty()) << decision.refused;
        events.insert(events.end(), decision.events.begin(), decision.events.end());
        commands = decision.commands;
        return decision;
    }
    Decision succeed(const std::string& id, Json outputs = Json::object()) {
        return send(StepSucceeded{StepId(id), step(id).attempt, std::move(outputs)});
    }
    Decision fail(const std::string& id, Error error) {
        return send(StepFailed{StepId(id), step(id).attempt, std::move(error)});
    }
    Decision probed(const std::string& id, ProbeVerdict verdict, const std::string& operation = "",
                    Json outputs = Json::object()) {
        return send(StepProbed{.step = StepId(id),
                               .attempt = step(id).attempt,
                               .verdict = verdict,
                               .outputs = std::move(outputs),
                               .operation = operation,
                               .explanation = "because",
                               .probe = step(id).probes});
    }
    /// Lets the step's timer (or its deadline) fire when it is due.
    Decision fire(const std::string& id) {
        now = std::max(now, step(id).timer_due.value_or(now));
        return send(TimerFired{step(id).timer});
    }
    Decision fire_deadline(const std::string& id) {
        now = std::max(now, step(id).deadline_due.value_or(now));
        return send(TimerFired{step(id).deadline});
    }

    const StepState& step(const std::string& id) const { return state.steps.at(StepId(id)); }
    StepStatus status(const std::string& id) const { return step(id).status; }

    /// The commands of the last decision that are of this type.
    template <class T>
    std::vector<T> asked() const {
        std::vector<T> found;
        for (const Command& command : commands)
            if (const T* one = std::get_if<T>(&command)) found.push_back(*one);
        return found;
    }
    template <class T>
    std::size_t count() const {
        std::size_t n = 0;
        for (const Event& event : events) n += std::holds_alternative<T>(event.body) ? 1 : 0;
        return n;
    }

    RunState state;
    Instant now = *parse_instant("2026-11-23T12:00:00Z");
    std::vector<Event> events;
    std::vector<Command> commands;

private:
    RunStarted start_;
};

}  // namespace testing
}  // namespace lifeboat::runbook

#include <array>

#include "core/runbook/event_names.h"
#include "core/runbook/names.h"

namespace lifeboat::runbook {
namespace {

void add_text(Json& out, const char* name, const std::string& text) {
    if (!text.empty()) out[name] = text;
}
void add_flag(Json& out, const char* name, bool value) {
    if (value) out[name] = true;
}

Json nodes_json(const std::vector<Node>& nodes) {
    Json list = Json::array();
    for (const Node& node : nodes) list.push_back(to_json(node));
    return list;
}

Json actor_json(const Actor& actor) {
    Json out{{"person", actor.person}};
    add_text(out, "proof", actor.proof);
    add_text(out, "host", actor.host);
    add_text(out, "reason", actor.reason);
    return out;
}

/// One overload per type of event: its payload.
struct Writer {
    static Json of_step(const StepId& step) { return Json{{"step", step.value}}; }
    static Json of_attempt(const StepId& step, unsigned attempt) {
        return Json{{"step", step.value}, {"attempt", attempt}};
    }
    static Json by(const StepId& step, const Actor& actor) {
        return Json{{"step", step.value}, {"actor", actor_json(actor)}};
    }
    template <class T>
    static Json with_error(const T& e) {
        Json out = of_attempt(e.step, e.attempt);
        out["error"] = to_json(e.error);
        return out;
    }

    Json operator()(const RunStarted& e) const {
        Json out{{"run", e.run.value},
                 {"plan", e.plan},
                 {"plan_digest", e.plan_digest},
                 {"scenario", e.scenario},
                 {"mode", to_string(e.mode)}};
        if (!e.parameters.empty()) out["parameters"] = e.parameters;
        out["actor"] = actor_json(e.actor);
        if (e.disaster_at) out["disaster_at"] = format_instant(*e.disaster_at);
        out["graph"] = to_json(e.graph);
        return out;
    }
    Json operator()(const StepIntended& e) const { return of_attempt(e.step, e.attempt); }
    Json operator()(const StepOperating& e) const {
        Json out = of_attempt(e.step, e.attempt);
        out["operation"] = e.operation;
        return out;
    }
    Json operator()(const PollIntended& e) const { return of_attempt(e.step, e.attempt); }
    Json operator()(const StepProgressed& e) const {
        Json out = of_attempt(e.step, e.attempt);
        out["done"] = e.done;
        out["total"] = e.total;
        add_text(out, "unit", e.unit);
        return out;
    }
    Json operator()(const StepSucceeded& e) const {
        Json out = of_attempt(e.step, e.attempt);
        if (!e.outputs.empty()) out["outputs"] = e.outputs;
        return out;
    }
    Json operator()(const StepFailed& e) const { return with_error(e); }
    Json operator()(const ProbeIntended& e) const {
        Json out = of_attempt(e.step, e.attempt);
        out["probe"] = e.probe;
        return out;
    }
    Json operator()(const StepProbed& e) const {
        Json out = of_attempt(e.step, e.attempt);
        out["verdict"] = to_string(e.verdict);
        if (!e.outputs.empty()) out["outputs"] = e.outputs;
        add_text(out, "operation", e.operation);
        add_text(out, "explanation", e.explanation);
        if (e.probe != 0) out["probe"] = e.probe;
        return out;
    }
    Json operator()(const CancelIntended& e) const { return of_attempt(e.step, e.attempt); }
    Json operator()(const StepCancelled& e) const {
        Json out = of_attempt(e.step, e.attempt);
        if (e.error) out["error"] = to_json(*e.error);
        return out;
    }
    Json operator()(const TimerSet& e) const {
        return Json{{"timer", e.timer}, {"after_us", e.after.count()}};
    }
    Json operator()(const TimerFired& e) const { return Json{{"timer", e.timer}}; }
    Json operator()(const Approved& e) const {
        Json out = by(e.step, e.actor);
        add_flag(out, "break_glass", e.break_glass);
        return out;
    }
    Json operator()(const Denied& e) const { return by(e.step, e.actor); }
    Json operator()(const RetryRequested& e) const {
        Json out = by(e.step, e.actor);
        add_flag(out, "surely_absent", e.surely_absent);
        if (e.attempt != 0) out["attempt"] = e.attempt;
        return out;
    }
    Json operator()(const StepSkipped& e) const { return by(e.step, e.actor); }
    Json operator()(const StepBypassed& e) const {
        Json out = by(e.step, e.actor);
        if (!e.outputs.empty()) out["outputs"] = e.outputs;
        return out;
    }
    Json operator()(const PauseRequested& e) const { return Json{{"actor", actor_json(e.actor)}}; }
    Json operator()(const ResumeRequested& e) const { return Json{{"actor", actor_json(e.actor)}}; }
    Json operator()(const AbortRequested& e) const {
        Json out{{"actor", actor_json(e.actor)}};
        add_flag(out, "roll_back", e.roll_back);
        add_flag(out, "by_plan", e.by_plan);
        return out;
    }
    Json operator()(const StepRecorded& e) const {
        Json out = of_step(e.step);
        out["calls"] = e.calls;
        return out;
    }
    Json operator()(const EngineStarted& e) const { return Json{{"who", e.who}}; }
    Json operator()(const RequestTaken& e) const {
        Json out{{"version", e.version}};
        add_text(out, "refused", e.refused);
        return out;
    }
    Json operator()(const RunFinished& e) const {
        Json out{{"outcome", to_string(e.outcome)}};
        add_text(out, "reason", e.reason);
        return out;
    }
    Json operator()(const GraphExtended& e) const {
        Json out{{"nodes", nodes_json(e.nodes)}};
        if (!e.undo.empty()) out["undo"] = nodes_json(e.undo);
        add_flag(out, "compensation", e.compensation);
        return out;
    }
    Json operator()(const ApprovalAsked& e) const { return of_step(e.step); }
    Json operator()(const ApprovalMet& e) const { return of_step(e.step); }
    Json operator()(const PollFailed& e) const { return with_error(e); }
    Json operator()(const ProbeFailed& e) const { return with_error(e); }
    Json operator()(const StepHeld& e) const {
        return Json{{"step", e.step.value}, {"error", to_json(e.error)}};
    }
    Json operator()(const StepGivenUp& e) const {
        return Json{{"step", e.step.value}, {"error", to_json(e.error)}};
    }
    Json operator()(const StepAbandoned& e) const { return of_step(e.step); }
};

}  // namespace

std::string type_name(const Event& event) { return std::string(event_names[event.body.index()]); }

Json to_json(const Event& event) { return std::visit(Writer{}, event.body); }

}  // namespace lifeboat::runbook

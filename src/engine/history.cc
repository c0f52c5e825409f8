// How long things took, from the journals.

#include <algorithm>

#include "engine/evidence.h"
#include "engine/recovery.h"

namespace lifeboat::engine {
namespace {

namespace rb = runbook;
using readiness::History;

constexpr std::size_t runs_max = 200;  ///< the newest: what is older predicts nothing
constexpr std::uint64_t journal_tail = 400;

/// Follows one run through its events. A step counts from its first intent to its success; one that
/// was under way while the engine was dead is left out, for nobody saw how long it took.
class Clockwork {
public:
    Clockwork(const plan::Plan& plan, History& history) : plan_(plan), history_(history) {}

    void see(const rb::Event& event) {
        std::visit([&](const auto& body) { take(event.at, body); }, event.body);
    }

private:
    void take(Instant at, const rb::RunStarted& body) {
        counts_ = body.mode != rb::RunMode::preview;
        add_nodes(body.graph.nodes);
        // A drill begins when its day has come: that says nothing of how soon a disaster is seen.
        if (body.mode == rb::RunMode::real && body.disaster_at && *body.disaster_at <= at)
            history_.add_detection(body.scenario, at - *body.disaster_at);
    }
    void take(Instant, const rb::GraphExtended& body) { add_nodes(body.nodes); }
    void take(Instant, const rb::EngineStarted&) { began_.clear(); }
    void take(Instant at, const rb::StepIntended& body) { began_.emplace(body.step, at); }
    void take(Instant at, const rb::StepSucceeded& body) { done(at, body.step); }
    void take(Instant at, const rb::StepProbed& body) {
        if (body.verdict == rb::ProbeVerdict::done) done(at, body.step);
    }
    void take(Instant, const rb::RetryRequested& body) { began_.erase(body.step); }
    void take(Instant at, const rb::ApprovalAsked& body) { asked_.emplace(body.step, at); }
    void take(Instant at, const rb::ApprovalMet& body) {
        const auto asked = asked_.find(body.step);
        const auto node = nodes_.find(body.step);
        if (counts_ && asked != asked_.end() && asked->second <= at && node != nodes_.end() &&
            node->second.approve)
            history_.add_approval(node->second.approve->by, at - asked->second);
    }
    template <class Body>
    void take(Instant, const Body&) {}  // tells nothing about time

    void add_nodes(const std::vector<rb::Node>& nodes) {
        for (const rb::Node& node : nodes) nodes_.insert_or_assign(node.id, node);
    }

    void done(Instant at, const StepId& step) {
        const auto began = began_.find(step);
        const auto node = nodes_.find(step);
        if (began == began_.end() || node == nodes_.end()) return;
        const Instant from = began->second;
        began_.erase(began);
        const rb::Node& what = node->second;
        if (!counts_ || what.component.empty() || what.conduct != rb::Conduct::act || from > at)
            return;
        const plan::Component* component = plan_.component(what.component);
        const bool at_home = component == nullptr || component->site == what.site;
        history_.add({what.verb, what.component, at_home ? std::string() : what.site}, at - from);
    }

    const plan::Plan& plan_;
    History& history_;
    bool counts_ = false;
    std::map<StepId, rb::Node> nodes_;
    std::map<StepId, Instant> began_, asked_;
};

Result<void> add_run(State& state, const RunId& run, const plan::Plan& plan, History& history) {
    const auto events = TRY(state.read(run_stream(run)));
    Clockwork clockwork(plan, history);
    for (const StoredEvent& stored : events) {
        auto event = rb::event_from_json(stored.type, stored.at, stored.payload);
        // Ignored: a kind of event that a newer version writes; the others still tell their times.
        if (event.has_value()) clockwork.see(*event);
    }
    return ok();
}

Result<void> add_backups(State& state, const plan::Component& component, History& history) {
    const std::string stream = "protection/" + component.name;
    const std::uint64_t newest = TRY(state.version(stream));
    const auto events = TRY(state.read(stream, newest > journal_tail ? newest - journal_tail : 0));
    for (const StoredEvent& event : events) {
        if (event.type != "backup_finished") continue;
        const auto took = parse_duration(string_or(event.payload, "took", ""));
        if (took.has_value()) history.add({"backup", component.name, ""}, *took);
    }
    return ok();
}

}  // namespace

Result<History> load_history(State& state, const plan::Plan& plan) {
    History history;
    auto runs = TRY(list_runs(state));
    runs.resize(std::min(runs.size(), runs_max));
    for (const RunId& run : runs) TRY(add_run(state, run, plan, history));
    for (const plan::Component& component : plan.components)
        if (!component.protect.empty()) TRY(add_backups(state, component, history));
    return history;
}

}  // namespace lifeboat::engine

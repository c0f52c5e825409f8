#include <fmt/core.h>

#include <algorithm>

#include "core/runbook/decider.h"
#include "platform/base/text.h"

namespace lifeboat::runbook {
namespace {

/// Below the limit of one record, with room for what stands around the nodes.
constexpr std::size_t part_size_max = std::size_t{160} << 10U;

Actor the_plan(std::string reason) {
    return Actor{.person = "plan", .proof = {}, .host = {}, .reason = std::move(reason)};
}

std::size_t size_of(const Node& node) {
    constexpr std::size_t fixed = 500;  // names of members, numbers
    std::size_t size = fixed + rough_size(node.arguments) + 2 * node.id.value.size() +
                       node.token.size() + node.note.size();
    for (const StepId& need : node.needs) size += need.value.size() + 3;
    for (const std::string& component : node.adopts) size += component.size() + 3;
    for (const auto& [name, people] : node.approvers)
        for (const std::string& person : people) size += name.size() + person.size() + 8;
    return size;
}

/// Moves the nodes that no longer fit into one record out of `nodes`, into parts that do.
std::vector<std::vector<Node>> split(std::vector<Node>& nodes, std::size_t& used) {
    std::vector<std::vector<Node>> parts;
    std::size_t kept = 0;
    while (kept < nodes.size() && used + size_of(nodes[kept]) <= part_size_max)
        used += size_of(nodes[kept++]);
    std::size_t room = 0;
    for (std::size_t i = kept; i < nodes.size(); ++i) {
        const std::size_t size = size_of(nodes[i]);
        if (size > room) {
            parts.emplace_back();
            room = part_size_max;
        }
        room -= std::min(room, size);
        parts.back().push_back(std::move(nodes[i]));
    }
    nodes.resize(kept);
    return parts;
}

}  // namespace

void Decider::on(const RunStarted& e) {
    if (state_.status != RunStatus::none) return refuse("the run has begun already");
    RunStarted first = e;
    std::size_t used = rough_size(e.parameters);
    auto more = split(first.graph.nodes, used);
    if (!more.empty()) used = part_size_max;
    auto undo = split(first.graph.undo, used);
    emit(std::move(first));
    for (std::vector<Node>& nodes : more)
        emit(GraphExtended{.nodes = std::move(nodes), .undo = {}});
    for (std::vector<Node>& nodes : undo)
        emit(GraphExtended{.nodes = {}, .undo = std::move(nodes)});
}

void Decider::on(const RequestTaken& e) {
    if (e.version <= state_.inbox) return refuse("the request was considered before");
    emit(e);
}

StepState* Decider::current(const StepId& id, unsigned attempt) {
    StepState* step = is_open() ? find_step(state_, id) : nullptr;
    if (step != nullptr && step->attempt == attempt) return step;
    refuse("a reply that nobody waits for");
    return nullptr;
}

StepState* Decider::asked_for(const StepId& id) {
    if (!is_open()) {
        refuse(state_.status == RunStatus::finished ? "the run is finished"
                                                    : "there is no such run");
        return nullptr;
    }
    StepState* step = find_step(state_, id);
    if (step == nullptr) refuse(fmt::format("the run has no step '{}'", id.value));
    return step;
}

void Decider::settle() {
    if (!is_open()) return;
    begin_ready();
    if (state_.refused && !state_.abort && state_.acting() == 0 &&
        state_.index.in(StepStatus::backing_off) == 0)
        begin_abort(AbortRequested{.actor = the_plan("a step is refused in this mode"),
                                   .roll_back = false,
                                   .by_plan = true});
    compensate_when_quiet();
    begin_ready();
    finish_when_settled();
}

bool Decider::may_begin(const StepState& step) const {
    if (state_.abort && state_.node(step).undoes.empty()) return false;
    if (step.attempt > 0) return true;  // goes on, rather than begins
    const bool refused = state_.refused && !state_.abort;
    return !refused && state_.index.in(StepStatus::needs_person) == 0;
}

void Decider::begin_ready() {
    auto& ready = state_.index.ready;
    for (auto next = ready.begin(); next != ready.end();) {
        if (state_.pause || state_.acting() >= state_.start.graph.concurrency_max) return;
        StepState& step = state_.steps.at(state_.start.graph.nodes[next->second].id);
        if (may_begin(step)) {
            begin(step);
            next = ready.begin();  // what it settled may have made others ready
        } else {
            ++next;
        }
    }
}

void Decider::begin(StepState& step) {
    switch (state_.node(step).conduct) {
        case Conduct::skip:
            return emit(StepSkipped{id_of(step), the_plan("not part of this mode")});
        case Conduct::refuse:
            return refuse_step(step);
        case Conduct::record:
            return record(step);
        case Conduct::act:
            return act(step);
    }
}

void Decider::refuse_step(StepState& step) {
    const Node& node = state_.node(step);
    const char* why = state_.start.mode == RunMode::drill ? "it is not allowed in a drill"
                                                          : "the plan's mode is observe";
    emit(StepGivenUp{node.id, denied(fmt::format("step '{}' is refused: {}", node.id.value, why))});
    if (node.on_failure == plan::OnFailure::roll_back && !state_.abort)
        begin_abort(
            AbortRequested{.actor = the_plan(fmt::format("step '{}': {}", node.id.value, why)),
                           .roll_back = true,
                           .by_plan = true});
}

void Decider::record(StepState& step) {
    const Node& node = state_.node(step);
    intend(step);
    if (!is_own_verb(node)) return command(RecordCalls{node.id});
    std::string object = dump(node.arguments);
    if (node.approve) object = join(node.approve->by, ", ");
    emit(StepRecorded{node.id, Json::array({Json{{"action", node.verb},
                                                 {"object", std::move(object)},
                                                 {"destructive", false}}})});
}

void Decider::act(StepState& step) {
    const Node& node = state_.node(step);
    if (ask_for_approval(step)) return;
    intend(step);
    if (!is_own_verb(node)) return command(StartVerb{node.id, step.attempt});
    if (node.verb == "wait") return wait_out(step);
    emit(StepSucceeded{node.id, step.attempt, Json::object()});
}

/// True when the step must wait for people.
bool Decider::ask_for_approval(StepState& step) {
    const Node& node = state_.node(step);
    if (!node.approve || step.approved) return false;
    if (is_approved(node, step.approvals)) {
        emit(ApprovalMet{node.id});
        return false;
    }
    emit(ApprovalAsked{node.id});
    if (node.approve->within) set_timer(step, "approval", *node.approve->within);
    return true;
}

void Decider::intend(StepState& step) {
    const Node& node = state_.node(step);
    emit(StepIntended{node.id, step.attempt + 1});
    if (node.timeout != Duration::zero() && !is_own_verb(node))
        set_timer(step, "timeout", node.timeout);
}

/// `wait:` needs no provider: a timer of the run that goes on after a crash.
void Decider::wait_out(StepState& step) {
    const Node& node = state_.node(step);
    auto duration = parse_duration(string_or(node.arguments, "for", ""));
    if (duration.has_value()) return set_timer(step, "wait", *duration);
    Error error = std::move(duration).error().in(fmt::format("step '{}'", node.id.value));
    emit(StepFailed{node.id, step.attempt, error});
    stop_at(step, std::move(error));
}

void Decider::finish_when_settled() {
    const RunIndex& index = state_.index;
    std::uint32_t settled = 0;
    for (const StepStatus status :
         {StepStatus::done, StepStatus::recorded, StepStatus::skipped, StepStatus::bypassed,
          StepStatus::failed, StepStatus::cancelled})
        settled += index.in(status);
    if (settled < state_.start.graph.nodes.size()) return;

    RunFinished end;
    std::vector<std::string> failed;
    bool skipped = false;
    for (const auto& [id, step] : state_.steps) {
        if (step.status == StepStatus::failed) failed.push_back(id.value);
        const bool by_person = state_.node(step).conduct != Conduct::skip;
        if (step.status == StepStatus::skipped && by_person) skipped = true;
    }
    if (state_.refused) {
        end.outcome = Outcome::refused;
        end.reason = "a step is not allowed in this mode";
    } else if (state_.abort) {
        end.outcome = state_.abort->by_plan ? Outcome::failed : Outcome::aborted;
        end.reason = state_.abort->actor.reason;
    } else if (!failed.empty() || skipped) {
        end.outcome = Outcome::partial;
    }
    if (!failed.empty() && end.reason.empty())
        end.reason = fmt::format("failed: {}", failed.front()) +
                     (failed.size() > 1 ? fmt::format(" and {} more", failed.size() - 1) : "");
    emit(std::move(end));
    // What began in this very decision was ended in it, too.
    decision_.commands.clear();
}

Decision advance(RunState& state, const Event& trigger) {
    Decision decision;
    Decider decider(state, trigger.at, decision);
    std::visit([&](const auto& body) { decider.on(body); }, trigger.body);
    if (!decision.events.empty()) decider.settle();
    return decision;
}

Decision advance_request(RunState& state, std::uint64_t version, const Event& request) {
    Decision decision;
    if (version <= state.inbox) {
        decision.refused = "the request was considered before";
        return decision;
    }
    decision = advance(state, request);
    const Event taken{request.at, RequestTaken{version, decision.refused}};
    apply_to(state, taken);
    decision.events.push_back(taken);
    return decision;
}

Decision decide(const RunState& state, const Event& trigger) {
    RunState copy = state;
    return advance(copy, trigger);
}

}  // namespace lifeboat::runbook

#include <fmt/core.h>

#include <algorithm>

#include "core/runbook/event_names.h"
#include "core/runbook/names.h"

namespace lifeboat::runbook {
namespace {

Json member(const Json& payload, const char* name, Json fallback) {
    const auto found = payload.find(name);
    if (found == payload.end()) return fallback;
    return *found;
}

Actor actor_in(const Json& payload) {
    const auto found = payload.find("actor");
    if (found == payload.end() || !found->is_object()) return {};
    return Actor{.person = string_or(*found, "person", ""),
                 .proof = string_or(*found, "proof", ""),
                 .host = string_or(*found, "host", ""),
                 .reason = string_or(*found, "reason", "")};
}

Error error_in(const Json& payload) { return error_from_json(member(payload, "error", Json())); }

Result<std::vector<Node>> nodes_in(const Json& payload, const char* name) {
    std::vector<Node> nodes;
    const auto found = payload.find(name);
    if (found == payload.end()) return nodes;
    for (const Json& item : *found) {
        Node node = TRY(node_from_json(item));
        nodes.push_back(std::move(node));
    }
    return nodes;
}

/// What most events begin with.
template <class T>
Result<T> read_step(const Json& payload) {
    // Not TRY: GCC 12 loses statement expressions that depend on a template's parameter.
    auto step = get_string(payload, "step");
    if (!step.has_value()) return std::move(step).error();
    T event;
    event.step.value = std::move(*step);
    constexpr bool always_has_attempt = !std::is_same_v<T, RetryRequested>;
    if constexpr (requires { event.attempt; } && always_has_attempt) {
        auto attempt = get_unsigned(payload, "attempt");
        if (!attempt.has_value()) return std::move(attempt).error();
        event.attempt = static_cast<unsigned>(*attempt);
    }
    if constexpr (requires { event.actor; }) event.actor = actor_in(payload);
    if constexpr (std::is_same_v<decltype(event), StepCancelled>) {
        if (payload.contains("error")) event.error = error_in(payload);
    } else if constexpr (requires { event.error; }) {
        event.error = error_in(payload);
    }
    if constexpr (requires { event.outputs; })
        event.outputs = member(payload, "outputs", Json::object());
    if constexpr (requires { event.operation; })
        event.operation = string_or(payload, "operation", "");
    if constexpr (requires { event.probe; })
        event.probe = static_cast<unsigned>(integer_or(payload, "probe", 0));
    return event;
}

template <class T>
Result<T> read(const Json& payload) {
    return read_step<T>(payload);
}

template <>
Result<RunStarted> read(const Json& payload) {
    RunStarted event;
    event.run.value = TRY(get_string(payload, "run"));
    event.plan = string_or(payload, "plan", "");
    event.plan_digest = string_or(payload, "plan_digest", "");
    event.scenario = string_or(payload, "scenario", "");
    const std::string mode_name = TRY(get_string(payload, "mode"));
    const auto mode = run_mode_from(mode_name);
    if (!mode) return corrupt("a run of unknown mode");
    event.mode = *mode;
    event.parameters = member(payload, "parameters", Json::object());
    event.actor = actor_in(payload);
    if (payload.contains("disaster_at"))
        event.disaster_at = TRY(get_instant(payload, "disaster_at"));
    event.graph = TRY(graph_from_json(member(payload, "graph", Json::object())));
    return event;
}

template <>
Result<StepProgressed> read(const Json& payload) {
    auto event = TRY(read_step<StepProgressed>(payload));
    event.done = TRY(get_unsigned(payload, "done"));
    event.total = TRY(get_unsigned(payload, "total"));
    event.unit = string_or(payload, "unit", "");
    return event;
}

template <>
Result<StepProbed> read(const Json& payload) {
    auto event = TRY(read_step<StepProbed>(payload));
    const std::string name = TRY(get_string(payload, "verdict"));
    const auto verdict = probe_verdict_from(name);
    if (!verdict) return corrupt("a probe of unknown verdict");
    event.verdict = *verdict;
    event.explanation = string_or(payload, "explanation", "");
    return event;
}

template <>
Result<TimerSet> read(const Json& payload) {
    TimerSet event;
    event.timer = TRY(get_string(payload, "timer"));
    const std::int64_t after = TRY(get_integer(payload, "after_us"));
    event.after = Duration(after);
    return event;
}

template <>
Result<TimerFired> read(const Json& payload) {
    TimerFired event;
    event.timer = TRY(get_string(payload, "timer"));
    return event;
}

template <>
Result<Approved> read(const Json& payload) {
    auto event = TRY(read_step<Approved>(payload));
    event.break_glass = bool_or(payload, "break_glass", false);
    return event;
}

template <>
Result<RetryRequested> read(const Json& payload) {
    auto event = TRY(read_step<RetryRequested>(payload));
    event.surely_absent = bool_or(payload, "surely_absent", false);
    event.attempt = static_cast<unsigned>(integer_or(payload, "attempt", 0));
    return event;
}

template <>
Result<PauseRequested> read(const Json& payload) {
    return PauseRequested{actor_in(payload)};
}

template <>
Result<ResumeRequested> read(const Json& payload) {
    return ResumeRequested{actor_in(payload)};
}

template <>
Result<AbortRequested> read(const Json& payload) {
    return AbortRequested{.actor = actor_in(payload),
                          .roll_back = bool_or(payload, "roll_back", false),
                          .by_plan = bool_or(payload, "by_plan", false)};
}

template <>
Result<StepRecorded> read(const Json& payload) {
    auto event = TRY(read_step<StepRecorded>(payload));
    event.calls = member(payload, "calls", Json::array());
    return event;
}

template <>
Result<EngineStarted> read(const Json& payload) {
    return EngineStarted{string_or(payload, "who", "")};
}

template <>
Result<RequestTaken> read(const Json& payload) {
    RequestTaken event;
    event.version = TRY(get_unsigned(payload, "version"));
    event.refused = string_or(payload, "refused", "");
    return event;
}

template <>
Result<RunFinished> read(const Json& payload) {
    const std::string name = TRY(get_string(payload, "outcome"));
    const auto outcome = outcome_from(name);
    if (!outcome) return corrupt("a run of unknown outcome");
    return RunFinished{*outcome, string_or(payload, "reason", "")};
}

template <>
Result<GraphExtended> read(const Json& payload) {
    GraphExtended event;
    event.nodes = TRY(nodes_in(payload, "nodes"));
    event.undo = TRY(nodes_in(payload, "undo"));
    event.compensation = bool_or(payload, "compensation", false);
    return event;
}

template <std::size_t I>
Result<Body> read_at(const Json& payload) {
    // Not TRY: GCC 12 loses statement expressions that depend on a template's parameter.
    auto event = read<std::variant_alternative_t<I, Body>>(payload);
    if (!event.has_value()) return std::move(event).error();
    return Body(std::move(*event));
}

template <std::size_t... I>
Result<Body> read_nth(std::size_t n, const Json& payload, std::index_sequence<I...>) {
    using Reader = Result<Body> (*)(const Json&);
    static constexpr std::array<Reader, sizeof...(I)> readers{&read_at<I>...};
    return readers[n](payload);
}

}  // namespace

Result<Event> event_from_json(const std::string& type, Instant at, const Json& payload) {
    const auto found = std::ranges::find(event_names, type);
    if (found == event_names.end())
        return unsupported(fmt::format("the journal holds an event of type '{}'", type),
                           "A newer Lifeboat wrote it: use that one.");
    if (!payload.is_object()) return corrupt(fmt::format("event '{}' holds no object", type));
    auto body = read_nth(static_cast<std::size_t>(found - event_names.begin()), payload,
                         std::make_index_sequence<std::variant_size_v<Body>>());
    if (!body.has_value()) return std::move(body).error().in(fmt::format("event '{}'", type));
    return Event{at, std::move(*body)};
}

}  // namespace lifeboat::runbook

#include "engine/driver.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/runbook/policy.h"
#include "platform/observe/redact.h"

namespace lifeboat::engine {
namespace {

namespace rb = runbook;

constexpr std::string_view run_prefix = "run/";
constexpr std::size_t page = 10'000;

/// Applies the events of `run` after `version` to `state`; `version` becomes that of the last one.
Result<void> replay(State& store, const RunId& run, rb::RunState& state, std::uint64_t& version) {
    while (true) {
        const auto stored = TRY(store.read(run_stream(run), version, page));
        for (const StoredEvent& one : stored) {
            auto event = rb::event_from_json(one.type, one.at, one.payload);
            if (!event.has_value())
                return std::move(event).error().in(
                    fmt::format("run {}, record {}", run.value, one.version));
            rb::apply_to(state, *event);
            version = one.version;
        }
        if (stored.size() < page) return ok();
    }
}

/// Masks secrets in every text. True when there was one.
bool mask(Json& value) {
    if (value.is_string()) {
        auto& text = value.get_ref<std::string&>();
        std::string masked = redact(text);
        if (masked == text) return false;
        text = std::move(masked);
        return true;
    }
    bool found = false;
    if (value.is_structured())
        for (Json& item : value) found = mask(item) || found;
    return found;
}

/// A secret in an argument would be lost with the first crash: better said before anything acts.
Result<void> check_arguments(const rb::Event& event) {
    const auto* start = std::get_if<rb::RunStarted>(&event.body);
    if (start == nullptr) return ok();
    for (const rb::Node& node : start->graph.nodes) {
        Json arguments = node.arguments;
        if (node.conduct == rb::Conduct::act && mask(arguments))
            return invalid(
                fmt::format("step '{}' has a secret in its arguments, which no journal keeps",
                            node.id.value),
                "Give it by a reference (env:NAME, file:PATH) instead of by its value.");
    }
    return ok();
}

/// The event as the journal will hold it: bounded, and without secrets. The live run must decide on
/// the same facts as its replay.
Result<rb::Event> as_journaled(const rb::Event& event) {
    TRY(check_arguments(event));
    rb::Event kept = rb::bounded(event);
    Json payload = rb::to_json(kept);
    if (!mask(payload)) return kept;
    return rb::event_from_json(rb::type_name(kept), kept.at, payload);
}

}  // namespace

std::string run_stream(const RunId& run) { return std::string(run_prefix) + run.value; }
std::string request_stream(const RunId& run) { return "request/" + run.value; }

Driver::Driver(State& state, Executor& executor, RunId run, Observer observer)
    : state_(state), executor_(executor), id_(std::move(run)), observer_(std::move(observer)) {}

Result<void> Driver::open() {
    rb::RunState run;
    std::uint64_t version = 0;
    TRY(replay(state_, id_, run, version));
    run_ = std::move(run);
    version_ = version;
    return ok();
}

Result<void> Driver::check_usable() const {
    if (!broken_) return ok();
    return conflict(
        fmt::format("run {} is not driven any more: its journal could not be written", id_.value),
        fmt::format("Go on with `lifeboat resume {}`.", id_.value));
}

Result<void> Driver::step(const rb::Event& event) {
    TRY(check_usable());
    const rb::Event trigger = TRY(as_journaled(event));
    return carry_out(rb::advance(run_, trigger));
}

Result<void> Driver::step_request(std::uint64_t version, const rb::Event& request) {
    TRY(check_usable());
    const rb::Event trigger = TRY(as_journaled(request));
    return carry_out(rb::advance_request(run_, version, trigger));
}

Result<void> Driver::carry_out(const rb::Decision& decision) {
    if (decision.events.empty()) return ok();
    std::vector<NewEvent> records;
    records.reserve(decision.events.size());
    for (const rb::Event& event : decision.events)
        records.push_back(
            {.type = rb::type_name(event), .payload = rb::to_json(event), .at = event.at});
    auto appended = state_.append(run_stream(id_), version_, records, lease_ ? &*lease_ : nullptr);
    if (!appended.has_value()) {
        // The state in memory is ahead of the journal: show what is durable, and act no more.
        broken_ = true;
        if (!open().has_value()) run_ = {};
        return std::move(appended).error().in(fmt::format("journal of run {}", id_.value));
    }
    version_ = *appended;
    if (observer_)
        for (const rb::Event& event : decision.events) observer_(run_, event);
    for (const rb::Command& command : decision.commands) executor_.start(run_, command);
    return ok();
}

Result<rb::RunState> load_run(State& state, const RunId& run) {
    rb::RunState loaded;
    std::uint64_t version = 0;
    TRY(replay(state, run, loaded, version));
    if (version == 0)
        return not_found(fmt::format("there is no run {}", run.value),
                         "`lifeboat runs` lists them.");
    return loaded;
}

Result<std::vector<RunId>> list_runs(State& state) {
    std::vector<std::string> streams = TRY(state.streams(std::string(run_prefix)));
    std::ranges::sort(streams, std::greater<>());
    std::vector<RunId> runs;
    runs.reserve(streams.size());
    for (const std::string& stream : streams) runs.emplace_back(stream.substr(run_prefix.size()));
    return runs;
}

}  // namespace lifeboat::engine

#include <fmt/core.h>

#include <algorithm>
#include <span>

#include "engine/recovery.h"
#include "surface/cli/commands.h"
#include "surface/cli/run_view.h"
#include "surface/cli/run_words.h"

namespace lifeboat::cli {
namespace {

namespace rb = runbook;

struct RunsOptions {
    std::string run;
    bool events = false;
};

Json summary(const RunId& id, const rb::RunState& run) {
    Json steps = Json::array();
    for (const rb::Node& node : run.start.graph.nodes) {
        const auto found = run.steps.find(node.id);
        if (found == run.steps.end()) continue;
        const rb::StepState& state = found->second;
        Json step{{"id", node.id.value},         {"verb", node.verb},
                  {"component", node.component}, {"status", status_name(state.status)},
                  {"attempt", state.attempt},    {"outputs", state.outputs}};
        if (state.error) step["error"] = lifeboat::to_json(*state.error);
        steps.push_back(std::move(step));
    }
    return Json{{"run", id.value},
                {"scenario", run.start.scenario},
                {"status", status_name(run.status)},
                {"outcome", run.outcome ? Json(outcome_name(*run.outcome)) : Json(nullptr)},
                {"began", format_instant(run.began)},
                {"steps", steps}};
}

std::string state_text(const rb::RunState& run) {
    return std::string(run.outcome ? outcome_name(*run.outcome) : status_name(run.status));
}

Result<ExitCode> list(Session& session) {
    State* state = TRY(session.state());
    const std::vector<RunId> ids = TRY(engine::list_runs(*state));
    const Output& output = session.output();
    Json all = Json::array();
    std::vector<std::vector<std::string>> rows{{"run", "scenario", "began", "took", "state"}};
    bool damaged = false;
    for (const RunId& id : ids) {
        auto run = engine::load_run(*state, id);
        if (!run.has_value()) {
            damaged = true;
            rows.push_back({id.value, "", "", "", output.paint(Tone::bad, run.error().message)});
            all.push_back(Json{{"run", id.value}, {"error", lifeboat::to_json(run.error())}});
            continue;
        }
        const bool ended = run->status == rb::RunStatus::finished;
        rows.push_back({id.value, run->start.scenario, format_instant(run->began),
                        ended ? human_duration(run->ended - run->began) : "", state_text(*run)});
        all.push_back(summary(id, *run));
    }
    if (output.json()) {
        output.document(all);
    } else if (ids.empty()) {
        output.line("no runs yet");
    } else {
        output.table(rows);
    }
    return damaged ? ExitCode::finding : ExitCode::done;
}

Result<ExitCode> show(Session& session, const RunsOptions& options) {
    State* state = TRY(session.state());
    const RunId id = TRY(find_run(*state, options.run));
    const rb::RunState run = TRY(engine::load_run(*state, id));
    const Output& output = session.output();
    if (options.events) {
        const auto events = TRY(state->read(engine::run_stream(id)));
        for (const StoredEvent& event : events) {
            if (output.json()) {
                output.event(Json{{"version", event.version},
                                  {"at", format_instant(event.at)},
                                  {"type", event.type},
                                  {"payload", event.payload},
                                  {"hash", event.hash}});
            } else {
                output.line(fmt::format("{:>4}  {}  {:<18} {}", event.version,
                                        format_instant(event.at), event.type, dump(event.payload)));
            }
        }
        return ExitCode::done;
    }
    if (output.json()) {
        output.document(summary(id, run));
        return ExitCode::done;
    }
    output.line(fmt::format("{}  {}  {}", output.paint(Tone::strong, id.value), run.start.scenario,
                            state_text(run)));
    std::vector<std::vector<std::string>> rows;
    for (const rb::Node& node : run.start.graph.nodes) {
        const auto found = run.steps.find(node.id);
        if (found == run.steps.end()) continue;
        const rb::StepState& step = found->second;
        std::string took;
        if (step.began && step.ended) took = human_duration(*step.ended - *step.began);
        rows.push_back({"  " + node.id.value, std::string(status_name(step.status)), took,
                        describe(step, node)});
    }
    output.table(rows);
    if (!run.reason.empty()) output.line(run.reason);
    return ExitCode::done;
}

}  // namespace

Result<RunId> find_run(State& state, const std::string& text) {
    const std::vector<RunId> ids = TRY(engine::list_runs(state));
    if (ids.empty()) return not_found("there are no runs", "See `lifeboat runs`.");
    if (text.empty() || text == "latest") return ids.front();
    for (const RunId& id : ids)
        if (id.value == text || id.value.ends_with("-" + text)) return id;
    return not_found(fmt::format("no run '{}'", text), "See `lifeboat runs`.");
}

Result<RunId> find_open_run(State& state, const std::string& text) {
    constexpr std::size_t looked_at = 50;  // an open run is not older than that many others
    if (!text.empty() && text != "latest") return find_run(state, text);
    const std::vector<RunId> ids = TRY(engine::list_runs(state));
    for (const RunId& id : std::span(ids).first(std::min(ids.size(), looked_at)))
        if (TRY(engine::load_run(state, id)).status != rb::RunStatus::finished) return id;
    return find_run(state, text);
}

Command runs_command() {
    CommandOf<RunsOptions> command("runs", "Recovery", "List runs, or show one");
    command.option("RUN", "RUN", "The run to show: its id, its last part, or 'latest'",
                   &command.values->run, false, "run");
    command.option("--events", "", "Show its journal, event by event", &command.values->events);
    return std::move(command).run(
        [](Session& session, const RunsOptions& options) -> Result<ExitCode> {
            if (options.run.empty() && !options.events) return list(session);
            return show(session, options);
        });
}

}  // namespace lifeboat::cli

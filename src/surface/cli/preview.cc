#include "surface/cli/preview.h"

#include <fmt/core.h>

#include "engine/verb_call.h"

namespace lifeboat::cli {
namespace {

namespace rb = runbook;

struct Previewed {
    const rb::Node* node;
    std::vector<providers::Call> calls;
    std::string problem;
};

/// What one step would call. Outputs of earlier steps do not exist yet: a template that needs one
/// is said so instead of guessed.
Previewed preview_one(Session& session, engine::Workspace& workspace, engine::Instances& instances,
                      const rb::RunState& run, const rb::Node& node) {
    Previewed previewed{.node = &node, .calls = {}, .problem = {}};
    auto prepared = engine::prepare(workspace, instances, engine::view_of(run, node), 1);
    if (!prepared.has_value()) {
        previewed.problem = prepared.error().message;
        return previewed;
    }
    auto calls = prepared->provider->preview(session.context().within(std::chrono::seconds(10)),
                                             prepared->call);
    if (calls.has_value()) {
        previewed.calls = *std::move(calls);
    } else {
        previewed.problem = calls.error().message;
    }
    return previewed;
}

void show_text(const Output& output, const engine::Proposal& proposal,
               const std::vector<Previewed>& steps) {
    output.line(fmt::format("{} {}", output.paint(Tone::strong, "scenario:"), proposal.scenario));
    for (const std::string& line : proposal.because) output.line("seen: " + line);
    for (const engine::Prospect& prospect : proposal.prospects) {
        output.line(fmt::format(
            "point: {}: as of {} {}{}", prospect.component, format_instant(prospect.point.at),
            prospect.point.position,
            prospect.loss ? ", expected loss " + human_duration(*prospect.loss) : std::string()));
    }
    for (const Previewed& step : steps) {
        std::string needs;
        for (const StepId& need : step.node->needs)
            needs += (needs.empty() ? "" : ", ") + need.value;
        output.line(
            fmt::format("\n{}{}", output.paint(Tone::strong, step.node->id.value),
                        needs.empty() ? "" : output.paint(Tone::faint, "  after " + needs)));
        if (step.node->approve) output.line("    needs approval");
        for (const providers::Call& call : step.calls) {
            output.line(fmt::format("    {}{}{}",
                                    call.destructive ? output.paint(Tone::bad, "! ") : "",
                                    call.action, call.object.empty() ? "" : "  → " + call.object));
        }
        if (!step.problem.empty()) output.line("    " + output.paint(Tone::warning, step.problem));
    }
    for (const std::string& problem : proposal.problems)
        output.line(fmt::format("\n{} {}", output.paint(Tone::bad, "problem:"), problem));
    output.line("\npreview: nothing was done");
}

Json to_json(const engine::Proposal& proposal, const std::vector<Previewed>& steps) {
    Json rows = Json::array();
    for (const Previewed& step : steps) {
        Json calls = Json::array();
        for (const providers::Call& call : step.calls)
            calls.push_back(Json{{"action", call.action},
                                 {"object", call.object},
                                 {"destructive", call.destructive}});
        Json needs = Json::array();
        for (const StepId& need : step.node->needs) needs.push_back(need.value);
        rows.push_back(Json{{"step", step.node->id.value},
                            {"verb", step.node->verb},
                            {"component", step.node->component},
                            {"needs", needs},
                            {"calls", calls},
                            {"problem", step.problem}});
    }
    return Json{{"scenario", proposal.scenario},
                {"because", proposal.because},
                {"problems", proposal.problems},
                {"steps", rows}};
}

}  // namespace

Result<ExitCode> show_preview(Session& session, engine::Instances& instances,
                              const engine::Proposal& proposal, const RunId& id) {
    engine::Workspace& workspace = *TRY(session.workspace());
    rb::RunStarted start;
    start.run = id;
    start.scenario = proposal.scenario;
    start.mode = rb::RunMode::preview;
    start.graph = proposal.graph;
    // The run as it would begin, of which no journal knows.
    const rb::RunState run = rb::apply({}, rb::Event{workspace.now(), start});
    std::vector<Previewed> steps;
    for (const rb::Node& node : proposal.graph.nodes)
        steps.push_back(preview_one(session, workspace, instances, run, node));
    if (session.output().json()) {
        session.output().document(to_json(proposal, steps));
    } else {
        show_text(session.output(), proposal, steps);
    }
    return proposal.problems.empty() ? ExitCode::done : ExitCode::finding;
}

}  // namespace lifeboat::cli

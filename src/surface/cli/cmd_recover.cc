#include <fmt/core.h>
#include <unistd.h>

#include "core/readiness/run_time.h"
#include "engine/evidence.h"
#include "engine/recovery.h"
#include "platform/base/size.h"
#include "platform/base/text.h"
#include "surface/cli/commands.h"
#include "surface/cli/drive.h"
#include "surface/cli/preview.h"
#include "surface/cli/run_words.h"

namespace lifeboat::cli {
namespace {

namespace rb = runbook;

struct RecoverOptions {
    std::string scenario;
    std::string to;
    std::string although_healthy;
    std::string disaster_at;
    std::string reason;
    bool preview = false, yes = false;
};

/// How long it will take until service is back, and what that rests on. A history that cannot be
/// read only makes the words more careful: the recovery must not wait for it.
std::string time_words(engine::Workspace& workspace, const engine::Proposal& proposal) {
    const plan::Scenario* scenario = workspace.plan.scenario(proposal.scenario);
    if (scenario == nullptr) return {};
    const auto history = engine::load_history(workspace.state, workspace.plan);
    const readiness::RunTime time = readiness::run_time(
        workspace.plan, history.value_or(readiness::History()), scenario->steps, proposal.graph);
    if (time.total.p50 == Duration::zero()) return {};
    const std::string typical = human_duration(time.total.p50);
    const std::string bound = human_duration(time.total.p95);
    if (time.measured < time.steps)
        return fmt::format("about {}, up to {}: {} of {} steps are estimates{}", typical, bound,
                           time.steps - time.measured, time.steps,
                           time.measured == 0 ? ", nothing like it has run here" : "");
    if (time.samples < readiness::enough_samples)
        return fmt::format(
            "about {}, up to {}: measured only {} time{} here, too little history "
            "to predict from",
            typical, bound, time.samples, time.samples == 1 ? "" : "s");
    return fmt::format("{}, up to {} (p50 and p95, every step measured {} times here or more)",
                       typical, bound, time.samples);
}

/// What is known before anything is touched: seen, chosen, lost, done to what.
void show(const Output& output, engine::Workspace& workspace, const engine::Proposal& proposal) {
    for (const std::string& line : proposal.because)
        output.line(fmt::format("{} {}", output.paint(Tone::warning, "seen:"), line));
    output.line(fmt::format("{} {}", output.paint(Tone::strong, "scenario:"), proposal.scenario));
    for (const engine::Prospect& prospect : proposal.prospects) {
        std::string text = fmt::format("{} {}: as of {}", output.paint(Tone::strong, "point:"),
                                       prospect.component, format_instant(prospect.point.at));
        if (!prospect.point.position.empty()) text += " at " + prospect.point.position;
        if (prospect.loss) text += ", expected loss " + human_duration(*prospect.loss);
        if (prospect.loss && prospect.objective)
            text += *prospect.loss <= *prospect.objective
                        ? output.paint(Tone::good,
                                       " (allowed " + human_duration(*prospect.objective) + ")")
                        : output.paint(Tone::bad,
                                       " (allowed " + human_duration(*prospect.objective) + ")");
        output.line(text);
    }
    if (const std::string words = time_words(workspace, proposal); !words.empty())
        output.line(fmt::format("{} {}", output.paint(Tone::strong, "time:"), words));
    for (const rb::Node& node : proposal.graph.nodes) {
        if (!node.destructive) continue;
        const auto instance = proposal.look.instances.find(node.component);
        output.line(fmt::format(
            "{} {} {}{}", output.paint(Tone::bad, "destructive:"), node.verb, node.component,
            instance == proposal.look.instances.end() || instance->second.endpoint.empty()
                ? std::string()
                : " (" + instance->second.endpoint + ", " + dump(instance->second.identity) + ")"));
    }
    for (const std::string& problem : proposal.problems)
        output.line(fmt::format("{} {}", output.paint(Tone::bad, "problem:"), problem));
}

/// The guards before a recovery: health, problems, a person's yes.
Result<void> pass_guards(Session& session, const RecoverOptions& options,
                         const engine::Proposal& proposal) {
    if (!proposal.healthy.empty() && options.although_healthy.empty())
        return conflict(
            fmt::format("{} is healthy: not recovering it", join(proposal.healthy, ", ")),
            "If you mean it, say --although-healthy REASON.");
    if (!proposal.problems.empty())
        return conflict(fmt::format("{} cannot be carried out: {}", proposal.scenario,
                                    proposal.problems.front()),
                        "See `lifeboat points` and `lifeboat status`.");
    if (options.yes) return ok();
    if (isatty(STDIN_FILENO) == 0)
        return conflict("not asked for: nobody is at a terminal to say yes", "Add --yes.");
    if (confirm(session, "Recover now?")) return ok();
    if (session.context().stopped()) return cancelled("interrupted; nothing was done");
    return conflict("not confirmed; nothing was done");
}

Result<ExitCode> recover(Session& session, const RecoverOptions& options) {
    engine::Workspace& workspace = *TRY(session.workspace());
    engine::Instances instances(workspace);
    engine::ProposalRequest request;
    request.scenario = options.scenario;
    if (!options.to.empty()) request.to = options.to;
    if (!options.disaster_at.empty()) request.disaster_at = TRY(parse_instant(options.disaster_at));
    request.run = engine::make_run_id(session.environment());
    if (options.preview) request.mode = rb::RunMode::preview;
    engine::Proposal proposal =
        TRY(engine::propose(session.context(), workspace, instances, request));
    if (options.preview) return show_preview(session, instances, proposal, request.run);

    if (!session.output().json()) show(session.output(), workspace, proposal);
    TRY(pass_guards(session, options, proposal));
    rb::RunStarted start;
    start.run = request.run;
    start.plan = workspace.plan.name;
    start.plan_digest = workspace.plan.digest;
    start.scenario = proposal.scenario;
    start.mode = rb::RunMode::real;
    start.graph = std::move(proposal.graph);
    start.disaster_at = proposal.disaster_at;
    start.parameters = Json{{"to", options.to},
                            {"although_healthy", options.although_healthy},
                            {"because", proposal.because}};
    start.actor = engine::own_actor(session.environment(), workspace.plan, options.reason);
    return drive_new(session, start);
}

}  // namespace

Command recover_command() {
    CommandOf<RecoverOptions> command("recover", "Recovery",
                                      "Carry out a scenario: look, ask, restore, switch, verify");
    auto& values = *command.values;
    command
        .option("SCENARIO", "SCENARIO", "Which; left out: the one that matches what is seen",
                &values.scenario, false, "scenario")
        .option("--to", "TIME|LSN|POINT", "Go back to this; default: the newest usable point",
                &values.to, false, "point")
        .option("--preview", "", "Show every call that would be made, and make none",
                &values.preview)
        .option("--yes", "", "Do not ask; needed in a pipe", &values.yes)
        .option("--although-healthy", "REASON", "Recover components that look healthy",
                &values.although_healthy)
        .option("--disaster-at", "TIME", "When it happened; the RTO counts from then",
                &values.disaster_at)
        .option("--reason", "TEXT", "Why, for the record", &values.reason);
    command.command.details =
        "Looks first: a healthy component stops it. Shows target identities, point, expected loss, "
        "time\n"
        "and the destructive steps, then asks. Ctrl-C pauses the run cleanly; a second one leaves "
        "it as\n"
        "it stands; `lifeboat resume` goes on either way, also after kill -9.\n"
        "With --json: one JSON object a line; the last has type \"result\".";
    return std::move(command).run(recover);
}

Command resume_command() {
    struct Options {
        std::string run, reason;
    };
    CommandOf<Options> command("resume", "Recovery",
                               "Go on with a run that was paused, left or killed");
    command
        .option("RUN", "RUN", "Its id, its last part; left out: the newest", &command.values->run,
                false, "run")
        .option("--reason", "TEXT", "Why, for the record", &command.values->reason);
    command.command.details =
        "Steps that were under way when it stopped are looked at first: what happened is adopted, "
        "what\n"
        "did not is done; nothing acts twice.";
    return std::move(command).run([](Session& session, const Options& options) -> Result<ExitCode> {
        engine::Workspace& workspace = *TRY(session.workspace());
        const RunId run = TRY(find_open_run(workspace.state, options.run));
        const rb::Actor actor =
            engine::own_actor(session.environment(), workspace.plan, options.reason);
        return drive_on(session, run, actor);
    });
}

}  // namespace lifeboat::cli

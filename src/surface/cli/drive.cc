#include "surface/cli/drive.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>

#include "platform/base/text.h"
#include "surface/cli/aside.h"
#include "surface/cli/run_view.h"
#include "surface/cli/run_words.h"

namespace lifeboat::cli {
namespace {

namespace rb = runbook;

engine::RunOptions options_for(Session& session, RunView& view) {
    engine::RunOptions options;
    options.stay_when_waiting = session.output().live();
    options.abandon = session.abandon();
    options.on_event = [&](const rb::RunState& run, const rb::Event& event) {
        view.event(run, event);
    };
    options.on_progress = [&](const rb::RunState& run, const engine::LiveProgress& progress) {
        view.progress(run, progress);
    };
    options.on_tick = [&](const rb::RunState& run) { view.tick(run); };
    return options;
}

/// The run goes on whatever becomes of the terminal; at its end all that was shown is written.
Result<rb::RunState> beside_its_view(Session& session, const auto& drive) {
    const Aside aside(session.output());
    return drive();
}

/// What the person can do about a run that rests without being over.
void tell_how_to_go_on(const Output& output, const rb::RunState& run) {
    const std::string& id = run.start.run.value;
    if (run.status == rb::RunStatus::paused) {
        output.note(fmt::format("paused; go on with: lifeboat resume {}", id));
        return;
    }
    for (const rb::Node& node : run.start.graph.nodes) {
        const auto step = run.steps.find(node.id);
        if (step == run.steps.end()) continue;
        if (step->second.status == rb::StepStatus::awaiting_approval)
            output.note(fmt::format("step {} waits for approval: lifeboat approve {} {}",
                                    node.id.value, id, node.id.value));
        if (step->second.status == rb::StepStatus::needs_person)
            output.note(fmt::format("step {} needs a person: lifeboat retry|skip|bypass {} {}",
                                    node.id.value, id, node.id.value));
    }
    output.note(fmt::format("then: lifeboat resume {}", id));
}

ExitCode status_of(const rb::RunState& run, const std::vector<engine::Measured>& measured) {
    if (run.status != rb::RunStatus::finished) return ExitCode::waiting;
    switch (run.outcome.value_or(rb::Outcome::failed)) {
        case rb::Outcome::done:
            return all_met(measured) ? ExitCode::done : ExitCode::finding;
        case rb::Outcome::partial:
            return ExitCode::partial;
        case rb::Outcome::refused:
            return ExitCode::refused;
        default:
            return ExitCode::failed;
    }
}

Result<ExitCode> conclude(Session& session, RunView& view, const rb::RunState& run) {
    std::vector<engine::Measured> measured;
    if (run.status == rb::RunStatus::finished) {
        const plan::Plan& plan = *TRY(session.plan());
        measured = engine::measure(plan, run);
    }
    view.finish(run, measured);
    if (run.status != rb::RunStatus::finished) tell_how_to_go_on(session.output(), run);
    return status_of(run, measured);
}

}  // namespace

Result<ExitCode> drive_new(Session& session, const rb::RunStarted& start) {
    engine::Workspace& workspace = *TRY(session.workspace());
    auto view = make_run_view(session.output(), session.environment().clock,
                              tightest_rto(workspace.plan, start.graph));
    const auto run = TRY(beside_its_view(session, [&] {
        return engine::begin_run(session.context(), workspace, start, options_for(session, *view));
    }));
    return conclude(session, *view, run);
}

Result<ExitCode> drive_on(Session& session, const RunId& id, const rb::Actor& actor) {
    engine::Workspace& workspace = *TRY(session.workspace());
    const rb::RunState before = TRY(engine::load_run(workspace.state, id));
    if (before.status == rb::RunStatus::finished)
        session.output().note(
            fmt::format("run {} is over: {}; nothing is left to do", id.value,
                        before.outcome ? outcome_name(*before.outcome) : "finished"));
    auto view = make_run_view(session.output(), session.environment().clock,
                              tightest_rto(workspace.plan, before.start.graph));
    const auto run = TRY(beside_its_view(session, [&] {
        return engine::resume_run(session.context(), workspace, id, actor,
                                  options_for(session, *view));
    }));
    return conclude(session, *view, run);
}

bool confirm(Session& session, std::string_view question) {
    if (isatty(STDIN_FILENO) == 0) return false;
    (void)std::fprintf(stderr, "%s [yes/no] ", std::string(question).c_str());
    (void)std::fflush(stderr);
    std::string answer;
    char byte = 0;
    // Read by hand: a blocked stdio read would not see Ctrl-C, which arrives as a stop token.
    while (!session.context().stopped()) {
        fd_set ready;
        FD_ZERO(&ready);
        FD_SET(STDIN_FILENO, &ready);
        timeval wait{.tv_sec = 0, .tv_usec = 100'000};
        if (select(STDIN_FILENO + 1, &ready, nullptr, nullptr, &wait) <= 0) continue;
        if (read(STDIN_FILENO, &byte, 1) != 1 || byte == '\n') break;
        answer += byte;
    }
    return trim(answer) == "yes" || trim(answer) == "y";
}

}  // namespace lifeboat::cli

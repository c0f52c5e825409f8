/// The commands by which people take part in a run that some process drives, now or later.

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>

#include "engine/recovery.h"
#include "platform/base/text.h"
#include "surface/cli/commands.h"
#include "surface/cli/run_words.h"

namespace lifeboat::cli {
namespace {

namespace rb = runbook;

struct OperateOptions {
    std::string run, step;
    std::string reason;
    std::string token;
    std::vector<std::string> outputs;
    bool break_glass = false, deny = false, roll_back = false, surely_absent = false;
};

/// A file that a person names is relative to where they stand, not to the plan.
std::string from_here(const std::string& reference) {
    constexpr std::string_view file = "file:";
    if (!reference.starts_with(file)) return reference;
    std::error_code problem;
    const Path path = std::filesystem::absolute(reference.substr(file.size()), problem);
    return problem ? reference : std::string(file) + path.string();
}

/// Who is asking: the OS user, or whoever holds the token.
Result<rb::Actor> actor_of(Session& session, const OperateOptions& options) {
    const plan::Plan& plan = *TRY(session.plan());
    rb::Actor actor = engine::own_actor(session.environment(), plan, options.reason);
    if (options.token.empty()) return actor;
    const Secret given = TRY(session.secrets().resolve(from_here(options.token)));
    for (const plan::Person& person : plan.people) {
        if (person.token.empty()) continue;
        auto known = session.secrets().resolve(person.token);
        if (!known.has_value() || known->use() != given.use()) continue;
        actor.person = person.name;
        actor.proof = "token:" + person.name;
        return actor;
    }
    return denied("the token is nobody's of the plan", "See `people:` in the plan.");
}

Result<StepId> find_step(const rb::RunState& run, const std::string& text) {
    for (const rb::Node& node : run.start.graph.nodes)
        if (node.id.value == text) return node.id;
    return not_found(fmt::format("run {} has no step '{}'", run.start.run.value, text),
                     fmt::format("See `lifeboat runs {}`.", run.start.run.value));
}

/// The only step that waits, when none was named.
Result<StepId> step_or_only(const rb::RunState& run, const std::string& text,
                            rb::StepStatus waiting) {
    if (!text.empty()) return find_step(run, text);
    std::optional<StepId> only;
    for (const auto& [id, step] : run.steps) {
        if (step.status != waiting) continue;
        if (only) return invalid("several steps wait: name one");
        only = id;
    }
    if (!only)
        return not_found(fmt::format("no step of run {} waits for that", run.start.run.value));
    return *only;
}

Result<ExitCode> ask(Session& session, const OperateOptions& options,
                     const std::function<Result<rb::Body>(const rb::RunState&, rb::Actor)>& make) {
    State* state = TRY(session.state());
    const RunId id = TRY(find_open_run(*state, options.run));
    const rb::RunState run = TRY(engine::load_run(*state, id));
    if (run.status == rb::RunStatus::finished)
        return conflict(fmt::format("run {} is over: {}", id.value,
                                    run.outcome ? outcome_name(*run.outcome) : "finished"));
    rb::Actor actor = TRY(actor_of(session, options));
    const rb::Body body = TRY(make(run, actor));
    (void)TRY(engine::request(*state, id, session.environment().clock.now(), body));
    const auto driver = TRY(state->find_lease("run/" + id.value));
    const Output& output = session.output();
    if (output.json()) {
        output.document(Json{{"run", id.value},
                             {"asked", rb::type_name(rb::Event{{}, body})},
                             {"driven_by", driver ? Json(driver->holder.who) : Json(nullptr)}});
        return ExitCode::done;
    }
    if (driver) {
        output.line(fmt::format("asked; the run is driven by {}", driver->holder.who));
    } else {
        output.line(
            fmt::format("recorded; nobody drives the run now: `lifeboat resume {}`", id.value));
    }
    return ExitCode::done;
}

/// An approval that helps nobody is said at once, not found out by waiting.
void tell_whom_it_satisfies(const Output& output, const rb::RunState& run, const StepId& step,
                            const rb::Actor& actor) {
    const rb::Node* node = run.start.graph.find(step);
    if (node == nullptr || !node->approve || node->approve->by.empty()) return;
    for (const std::string& name : node->approve->by) {
        const auto people = node->approvers.find(name);
        if (!actor.proof.empty() && people != node->approvers.end() &&
            std::ranges::find(people->second, actor.person) != people->second.end())
            return;
    }
    output.note(fmt::format("this satisfies no one of {}: {} is {}", join(node->approve->by, ", "),
                            actor.person, actor.proof.empty() ? "unproven" : "none of them"));
}

CommandOf<OperateOptions> operate(std::string name, std::string summary, bool with_step) {
    CommandOf<OperateOptions> command(std::move(name), "Recovery", std::move(summary));
    command.option("RUN", "RUN", "Its id, its last part, or 'latest'", &command.values->run, true,
                   "run");
    if (with_step)
        command.option("STEP", "STEP", "The step's id; may be left out when only one waits",
                       &command.values->step, false, "step");
    command.option("--reason", "TEXT", "Why, for the record", &command.values->reason);
    command.option("--token", "REFERENCE", "Prove who you are: env:NAME or file:PATH",
                   &command.values->token);
    return command;
}

}  // namespace

Command approve_command() {
    auto command = operate("approve", "Approve a step that waits for it, or deny it", true);
    command.option("--deny", "", "Deny instead", &command.values->deny);
    command.option("--break-glass", "",
                   "Go through without the people named; needs --reason; alarmed",
                   &command.values->break_glass);
    command.command.details =
        "An approval records the person, how that is known (the OS user or a token of the plan's\n"
        "people) and the host. An unproven one satisfies no `by:`.";
    return std::move(command).run([](Session& session,
                                     const OperateOptions& o) -> Result<ExitCode> {
        if (o.break_glass && o.reason.empty()) return invalid("--break-glass needs --reason TEXT");
        return ask(session, o, [&](const rb::RunState& run, rb::Actor actor) -> Result<rb::Body> {
            const StepId step = TRY(step_or_only(run, o.step, rb::StepStatus::awaiting_approval));
            if (o.deny) return rb::Body(rb::Denied{step, actor});
            if (!o.break_glass) tell_whom_it_satisfies(session.output(), run, step, actor);
            return rb::Body(rb::Approved{step, actor, o.break_glass});
        });
    });
}

Command retry_command() {
    auto command = operate("retry", "Try a step again that waits for a person", true);
    command.option("--surely-absent", "",
                   "You have made sure that its last attempt did nothing: do not look first",
                   &command.values->surely_absent);
    return std::move(command).run([](Session& session,
                                     const OperateOptions& o) -> Result<ExitCode> {
        return ask(session, o, [&](const rb::RunState& run, rb::Actor actor) -> Result<rb::Body> {
            const StepId step = TRY(step_or_only(run, o.step, rb::StepStatus::needs_person));
            // What they have seen is this attempt, and no later one.
            const unsigned seen = o.surely_absent ? run.steps.at(step).attempt : 0;
            return rb::Body(rb::RetryRequested{step, actor, o.surely_absent, seen});
        });
    });
}

Command skip_command() {
    return operate("skip", "Leave a step out; what needs it goes on without it", true)
        .run([](Session& session, const OperateOptions& o) -> Result<ExitCode> {
            if (o.reason.empty()) return invalid("skipping a step needs --reason TEXT");
            return ask(session, o,
                       [&](const rb::RunState& run, rb::Actor actor) -> Result<rb::Body> {
                           const StepId step =
                               TRY(step_or_only(run, o.step, rb::StepStatus::needs_person));
                           return rb::Body(rb::StepSkipped{step, actor});
                       });
        });
}

Command bypass_command() {
    auto command = operate("bypass", "Tell that a step was done by hand", true);
    command.option("--output", "NAME=VALUE", "What came out of it; may be repeated",
                   &command.values->outputs);
    return std::move(command).run([](Session& session,
                                     const OperateOptions& o) -> Result<ExitCode> {
        if (o.reason.empty()) return invalid("bypassing a step needs --reason TEXT");
        Json outputs = Json::object();
        for (const std::string& output : o.outputs) {
            const auto at = output.find('=');
            if (at == std::string::npos || at == 0)
                return invalid(fmt::format("'{}' is not NAME=VALUE", output));
            auto value = parse_json(output.substr(at + 1));
            outputs[output.substr(0, at)] =
                value.has_value() ? *value : Json(output.substr(at + 1));
        }
        return ask(session, o, [&](const rb::RunState& run, rb::Actor actor) -> Result<rb::Body> {
            const StepId step = TRY(step_or_only(run, o.step, rb::StepStatus::needs_person));
            return rb::Body(rb::StepBypassed{step, actor, outputs});
        });
    });
}

Command pause_command() {
    return operate("pause", "Begin no further step; what runs is finished", false)
        .run([](Session& session, const OperateOptions& o) -> Result<ExitCode> {
            return ask(session, o, [](const rb::RunState&, rb::Actor actor) -> Result<rb::Body> {
                return rb::Body(rb::PauseRequested{actor});
            });
        });
}

Command abort_command() {
    auto command = operate("abort", "End a run for good", false);
    command.option("--roll-back", "", "Take back what can be taken back, in reverse order",
                   &command.values->roll_back);
    return std::move(command).run(
        [](Session& session, const OperateOptions& o) -> Result<ExitCode> {
            if (o.reason.empty()) return invalid("aborting a run needs --reason TEXT");
            return ask(session, o, [&](const rb::RunState&, rb::Actor actor) -> Result<rb::Body> {
                return rb::Body(rb::AbortRequested{actor, o.roll_back});
            });
        });
}

}  // namespace lifeboat::cli

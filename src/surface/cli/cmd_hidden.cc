/// Commands that other programs call: the completion scripts, and the maker of docs/commands.md.

#include <fmt/core.h>

#include "engine/recovery.h"
#include "surface/cli/commands.h"

namespace lifeboat::cli {
namespace {

struct CompleteOptions {
    std::string what;
};

Result<std::vector<std::string>> plan_names(Session& session, bool scenarios) {
    const plan::Parsed& read = *TRY(session.parsed());  // one with mistakes has names, too
    std::vector<std::string> names;
    if (scenarios)
        for (const plan::Scenario& scenario : read.plan.scenarios) names.push_back(scenario.name);
    else
        for (const plan::Component& component : read.plan.components)
            names.push_back(component.name);
    return names;
}

Result<std::vector<std::string>> run_names(Session& session) {
    (void)TRY(session.parsed());  // the default directory of the state bears the plan's name
    State* state = TRY(session.state());
    std::vector<std::string> names{"latest"};
    const std::vector<RunId> runs = TRY(engine::list_runs(*state));
    for (const RunId& run : runs) names.push_back(run.value);
    return names;
}

Result<std::vector<std::string>> point_names(Session& session) {
    vault::Vault* vault = TRY(session.vault());
    std::vector<std::string> names;
    const std::vector<vault::Point> points = TRY(vault->points(""));
    for (const vault::Point& point : points) names.push_back(point.id.value);
    return names;
}

Result<std::vector<std::string>> names_of(Session& session, const std::string& what) {
    if (what == "scenario") return plan_names(session, true);
    if (what == "component") return plan_names(session, false);
    if (what == "run") return run_names(session);
    if (what == "point") return point_names(session);
    return invalid(fmt::format("nothing is known about '{}'", what),
                   "There are: scenario, component, run, point.");
}

}  // namespace

Command complete_command() {
    CommandOf<CompleteOptions> command("complete", "", "Names that a shell may offer");
    command.option("WHAT", "WHAT", "scenario, component, run or point", &command.values->what,
                   true);
    command.command.hidden = true;
    return std::move(command).run(
        [](Session& session, const CompleteOptions& options) -> Result<ExitCode> {
            const std::vector<std::string> names = TRY(names_of(session, options.what));
            if (session.output().json()) {
                session.output().document(Json(names));
                return ExitCode::done;
            }
            for (const std::string& name : names) session.output().line(name);
            return ExitCode::done;
        });
}

Command commands_page_command() {
    struct NoOptions {};
    CommandOf<NoOptions> command("commands-page", "", "What docs/commands.md says of the commands");
    command.command.hidden = true;
    return std::move(command).run([](Session& session, const NoOptions&) -> Result<ExitCode> {
        session.output().line(commands_markdown());
        return ExitCode::done;
    });
}

}  // namespace lifeboat::cli

#include <fmt/core.h>

#include "surface/cli/check_report.h"
#include "surface/cli/commands.h"
#include "surface/cli/surroundings.h"

namespace lifeboat::cli {
namespace {

struct CheckOptions {
    std::string file;
    bool sarif = false;
    bool all = false;
};

Result<ExitCode> check(Session& session, const CheckOptions& options) {
    if (!options.file.empty()) session.globals.plan_file = options.file;
    const plan::Parsed& read = *TRY(session.parsed());
    const ReadinessInput input = readiness_input_or_note(session);
    CheckReport report;
    make_report(report, read, session.catalog(), input, session.environment().clock.now(),
                surroundings_of(session, read.plan));
    const Output& output = session.output();
    if (options.sarif)
        output.document(to_sarif(report, LIFEBOAT_VERSION));
    else if (output.json())
        output.document(to_json(report));
    else
        show(output, report, session.globals.plan_file, options.all);
    if (read.has_errors()) return ExitCode::invalid_plan;
    return report.errors > 0 ? ExitCode::finding : ExitCode::done;
}

struct NoOptions {};

}  // namespace

Command check_command() {
    CommandOf<CheckOptions> command(
        "check", "Plan", "Name every mistake, and every promise that the plan cannot keep");
    command.option("PLAN", "FILE", "The plan file; the same as --plan", &command.values->file,
                   false, "file");
    command.option("--all", "", "Show every scenario, not only the worst of each objective",
                   &command.values->all);
    command.option("--sarif", "", "Print what was found as SARIF 2.1.0, for code review and CI",
                   &command.values->sarif);
    command.command.details =
        "Per component and scenario: the worst loss and the time to recover that the plan can "
        "reach, and each contradiction with its line. Exit status 1 if a promise cannot be kept, 3 "
        "if the plan is missing, cannot be read or has mistakes. A warning does not fail the "
        "check. The rules: docs/rules.md.";
    return std::move(command).run(check);
}

Command schema_command() {
    return CommandOf<NoOptions>("schema", "Plan", "Print the JSON Schema of the plan file")
        .run([](Session& session, const NoOptions&) -> Result<ExitCode> {
            session.output().document(plan::schema(session.catalog()));
            return ExitCode::done;
        });
}

Command version_command() {
    return CommandOf<NoOptions>("version", "Help", "Print the version and what this build can do")
        .run([](Session& session, const NoOptions&) -> Result<ExitCode> {
            Json kinds = Json::array();
            for (const auto& [name, kind] : session.catalog().kinds())
                if (kind.available && !name.empty()) kinds.push_back(name);
            if (session.output().json()) {
                session.output().document(
                    Json{{"version", LIFEBOAT_VERSION}, {"plan_format", 1}, {"kinds", kinds}});
                return ExitCode::done;
            }
            std::string names;
            for (const Json& name : kinds) names += " " + name.get<std::string>();
            session.output().line(
                fmt::format("lifeboat {}\nplan format 1\nkinds:{}", LIFEBOAT_VERSION, names));
            return ExitCode::done;
        });
}

Command completion_command() {
    struct Options {
        std::string shell;
    };
    CommandOf<Options> command("completion", "Help", "Print a completion script for a shell");
    command.option("SHELL", "bash|zsh|fish", "Which shell", &command.values->shell, true);
    command.command.details = "For bash: eval \"$(lifeboat completion bash)\"";
    return std::move(command).run([](Session& session, const Options& options) -> Result<ExitCode> {
        const std::string script = TRY(completion_script(options.shell));
        if (session.output().json())
            session.output().document(Json{{"shell", options.shell}, {"script", script}});
        else
            session.output().line(script);
        return ExitCode::done;
    });
}

}  // namespace lifeboat::cli

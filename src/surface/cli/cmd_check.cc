#include <fmt/core.h>

#include "surface/cli/commands.h"

namespace lifeboat::cli {
namespace {

struct CheckOptions {
    std::string file;
};

std::string plural(std::size_t count, std::string_view noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

Json report(const plan::Parsed& read, std::size_t errors, std::size_t warnings) {
    Json diagnostics = Json::array();
    for (const plan::Diagnostic& diagnostic : read.diagnostics)
        diagnostics.push_back(plan::to_json(diagnostic, read.sources));
    return Json{{"plan", read.plan.name},
                {"digest", read.plan.digest},
                {"components", read.plan.components.size()},
                {"scenarios", read.plan.scenarios.size()},
                {"errors", errors},
                {"warnings", warnings},
                {"diagnostics", diagnostics}};
}

Result<ExitCode> check(Session& session, const CheckOptions& options) {
    if (!options.file.empty()) session.globals.plan_file = options.file;
    const plan::Parsed& read = *TRY(session.parsed());
    const Output& output = session.output();
    std::size_t errors = 0;
    std::size_t warnings = 0;
    for (const plan::Diagnostic& diagnostic : read.diagnostics) {
        (diagnostic.level == plan::DiagnosticLevel::error ? errors : warnings)++;
        if (!output.json()) output.line(plan::render(diagnostic, read.sources));
    }
    if (output.json()) {
        output.document(report(read, errors, warnings));
    } else {
        output.line(fmt::format("{}: {}, {}, {}", session.globals.plan_file,
                                plural(read.plan.components.size(), "component"),
                                plural(read.plan.scenarios.size(), "scenario"),
                                plural(read.plan.drills.size(), "drill")));
        output.line(fmt::format(
            "{}, {}", output.paint(errors > 0 ? Tone::bad : Tone::good, plural(errors, "error")),
            output.paint(warnings > 0 ? Tone::warning : Tone::good, plural(warnings, "warning"))));
    }
    return errors > 0 ? ExitCode::invalid_plan : ExitCode::done;
}

struct NoOptions {};

}  // namespace

Command check_command() {
    CommandOf<CheckOptions> command("check", "Plan", "Read the plan and name every mistake in it");
    command.option("PLAN", "FILE", "The plan file; the same as --plan", &command.values->file,
                   false, "file");
    command.command.details =
        "Every mistake is named with its line, all of them at once. A warning does not fail the "
        "check.";
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

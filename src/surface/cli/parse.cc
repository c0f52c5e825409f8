#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <algorithm>

#include "platform/observe/log.h"
#include "surface/cli/command.h"
#include "surface/cli/notices.h"

namespace lifeboat::cli {
namespace {

constexpr const char* exit_statuses =
    "Exit status: 0 done, objectives met; 1 a finding, or an objective missed; 2 usage; 3 invalid\n"
    "plan; 4 partial; 5 refused by a guard; 6 waiting for a person, or paused; 7 lease held by\n"
    "another; 8 failed, or its output could not be written; 130 interrupted.";

constexpr const char* for_all =
    "Every command also takes --plan, --state, --json, --verbose, --log-json and --color:\n"
    "see `lifeboat --help`.";

void add_option(CLI::App& app, const Option& option) {
    CLI::Option* added = nullptr;
    if (const auto* flag = std::get_if<bool*>(&option.target)) {
        added = app.add_flag(option.name, **flag, option.help);
    } else if (const auto* text = std::get_if<std::string*>(&option.target)) {
        added = app.add_option(option.name, **text, option.help);
    } else {
        auto& list = *std::get<std::vector<std::string>*>(option.target);
        added = app.add_option(option.name, list, option.help);
        if (option.name.starts_with("-")) added->allow_extra_args(false);
    }
    if (!option.value.empty()) added->type_name(option.value == option.name ? "" : option.value);
    if (option.required) added->required();
}

void add_globals(CLI::App& app, Globals& globals) {
    app.add_option("--plan", globals.plan_file, "The plan file")
        ->type_name("FILE")
        ->envname("LIFEBOAT_PLAN");
    app.add_option("--state", globals.state_directory, "Where runs and records are kept")
        ->type_name("DIR")
        ->envname("LIFEBOAT_STATE");
    app.add_flag("--json", globals.json, "Answer in JSON on standard output");
    app.add_flag("-v,--verbose", globals.verbose, "Log what is done on standard error");
    app.add_flag("--log-json", globals.log_json, "Log in JSON, one line a message");
    app.add_option("--color", globals.colour, "Colours: auto, always or never")
        ->type_name("WHEN")
        ->check(CLI::IsMember({"auto", "always", "never"}));
}

/// Adds the command and its subcommands; the one that was given is left in `chosen`.
void add_command(CLI::App& parent, const Command& command, const Command** chosen) {
    CLI::App* app = parent.add_subcommand(command.name, command.summary);
    app->fallthrough();  // global options may stand behind the command
    app->group(command.hidden ? "" : command.group.empty() ? "Commands" : command.group);
    for (const Option& option : command.options) add_option(*app, option);
    app->footer((command.details.empty() ? "" : command.details + "\n\n") + for_all + "\n\n" +
                exit_statuses);
    if (command.subcommands.empty()) {
        app->callback([chosen, &command] { *chosen = &command; });
        return;
    }
    if (command.run) {
        // It does something by itself, too: `lifeboat evidence` beside `lifeboat evidence export`.
        app->require_subcommand(0, 1);
        app->callback([app, chosen, &command] {
            if (app->get_subcommands().empty()) *chosen = &command;
        });
    } else {
        app->require_subcommand(1);
    }
    for (const Command& child : command.subcommands) add_command(*app, child, chosen);
}

void join_in(std::vector<Command>& commands, Command&& command) {
    for (Command& known : commands) {
        if (known.name != command.name) continue;
        for (Command& child : command.subcommands) known.subcommands.push_back(std::move(child));
        return;
    }
    commands.push_back(std::move(command));
}

/// Log lines go to standard error, for people or for machines.
void start_log(Session& session) {
    log::configure(session.globals.verbose ? log::Level::debug : log::Level::warning,
                   session.globals.log_json ? log::to_standard_error_json : show_notice,
                   session.environment().clock);
}

/// A failed `--json` command still answers in JSON, also when the parser did not get that far.
ExitCode report(Session& session, const std::vector<Command>& commands,
                const std::vector<std::string>& words, const CLI::ParseError& error) {
    if (std::ranges::find(words, "--json") != words.end()) session.globals.json = true;
    session.output().error(explain_usage(commands, words, error.what()));
    return ExitCode::usage;
}

ExitCode parse_and_run(int argc, const char* const* argv, Session& session,
                       std::vector<Command> more) {
    std::vector<Command> commands = all_commands();
    for (Command& command : more) join_in(commands, std::move(command));
    const Command* chosen = nullptr;
    CLI::App app(
        "Lifeboat: one plan file says what must survive; Lifeboat proves that it can, keeps it\n"
        "true, and does it when the day comes.");
    app.name("lifeboat");
    app.get_formatter()->label("SUBCOMMAND", "COMMAND");
    app.get_formatter()->label("Positionals", "Arguments");
    app.require_subcommand(1);
    app.footer(exit_statuses);
    add_globals(app, session.globals);
    for (const Command& command : commands) add_command(app, command, &chosen);
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        session.output().line(app.help());
        return ExitCode::done;
    } catch (const CLI::ParseError& error) {
        const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
        if (words.empty()) {
            session.output().line(app.help());
            return ExitCode::usage;
        }
        return report(session, commands, words, error);
    }
    start_log(session);
    return chosen->run(session);
}

}  // namespace

int run_command_line(int argc, const char* const* argv, Session& session,
                     std::vector<Command> more) {
    const ExitCode code = parse_and_run(argc, argv, session, std::move(more));
    return static_cast<int>(session.output().finish(code));
}

}  // namespace lifeboat::cli

#pragma once
/// Commands as data: name, help, options, and what they do. The parser, the help pages, shell
/// completion and docs/commands.md all come from the same list.

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "surface/cli/exit_code.h"
#include "surface/cli/session.h"

namespace lifeboat::cli {

struct Option {
    std::string name;   ///< "--to"; a positional argument has none of the dashes: "SCENARIO"
    std::string value;  ///< placeholder of its value, "TIME|LSN|POINT"; "" for a flag
    std::string help;   ///< one sentence
    std::variant<bool*, std::string*, std::vector<std::string>*> target;
    bool required = false;
    std::string
        completes;  ///< "scenario", "component", "run", "point", "file": what completion offers
};

struct Command {
    std::string name;
    std::string group;    ///< heading in the overview
    std::string summary;  ///< one line
    std::string details;  ///< paragraphs and examples below the options
    std::vector<Option> options;
    std::function<ExitCode(Session&)> run;
    std::vector<Command> subcommands;
    std::shared_ptr<void> values = {};  ///< keeps alive what the options write to
    bool hidden = false;  ///< for programs that call us back: in no overview, no completion
};

/// All commands, in the order of the overview. The one list.
std::vector<Command> all_commands();

/// Parses and runs. Returns the exit status. `more` are commands whose doing lies outside this
/// module: they join the list, or the subcommands of the command of their name.
int run_command_line(int argc, const char* const* argv, Session& session,
                     std::vector<Command> more = {});

/// Completion script for a shell ("bash", "zsh", "fish"). Errors: invalid.
Result<std::string> completion_script(const std::string& shell);
/// What docs/commands.md says of the commands.
std::string commands_markdown();

/// What is wrong with these words, which the parser has refused with `message`: names the unknown
/// command or option and the one that was probably meant.
Error explain_usage(const std::vector<Command>& commands, const std::vector<std::string>& words,
                    const std::string& message);

/// The options that every command takes: name, whether it has a value.
struct GlobalOption {
    std::string_view name;
    bool has_value = false;
};
std::span<const GlobalOption> global_options();

}  // namespace lifeboat::cli

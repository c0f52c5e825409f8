#include <fmt/core.h>

#include "surface/cli/command.h"

namespace lifeboat::cli {
namespace {

/// "recover", "vault init", … with the words that may follow each.
struct Words {
    std::string path;
    std::vector<std::string> words;
};

void collect(const std::vector<Command>& commands, const std::string& path,
             std::vector<Words>& all) {
    Words here{.path = path, .words = {}};
    for (const Command& command : commands) {
        here.words.push_back(command.name);
        const std::string below = path.empty() ? command.name : path + " " + command.name;
        if (!command.subcommands.empty()) {
            collect(command.subcommands, below, all);
            continue;
        }
        Words options{.path = below, .words = {"--help"}};
        for (const Option& option : command.options)
            if (option.name.starts_with("-")) options.words.push_back(option.name);
        all.push_back(std::move(options));
    }
    all.push_back(std::move(here));
}

constexpr std::string_view globals = "--plan --state --json --verbose --log-json --color --help";

/// Both shells: the longest known command path decides which words are offered. Names of scenarios,
/// components and runs are asked of the program itself, which reads the plan.
std::string cases(const std::vector<Words>& all) {
    std::string text;
    for (const Words& words : all) {
        std::string list;
        for (const std::string& word : words.words) list += word + " ";
        text += fmt::format("    \"{}\") words=\"{}{}\" ;;\n", words.path, list, globals);
    }
    return text;
}

std::string bash(const std::vector<Words>& all) {
    return fmt::format(R"sh(# bash completion of lifeboat
_lifeboat() {{
  local word path="" words="" current="${{COMP_WORDS[COMP_CWORD]}}" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="${{COMP_WORDS[i]}}"
    case "$word" in -*) continue ;; esac
    [ "$path" = "" ] && path="$word" || {{ [ "$path" = vault ] && path="vault $word"; }}
    [ "$path" = "vault key" ] && [ "$word" = test ] && path="vault key test"
  done
  case "$path" in
{0}  esac
  case "$path" in
    recover) words="$words $(lifeboat complete scenario 2>/dev/null)" ;;
    backup|points|protect|status) words="$words $(lifeboat complete component 2>/dev/null)" ;;
    runs|resume|approve|retry|skip|bypass|pause|abort) words="$words $(lifeboat complete run 2>/dev/null)" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ ${{#COMPREPLY[@]}} -eq 0 ] && COMPREPLY=($(compgen -f -- "$current"))
}}
complete -F _lifeboat lifeboat
)sh",
                       cases(all));
}

std::string fish(const std::vector<Words>& all) {
    std::string text = "# fish completion of lifeboat\n";
    for (const Words& words : all) {
        for (const std::string& word : words.words) {
            if (word.starts_with("--")) {
                text +=
                    fmt::format("complete -c lifeboat -n '__fish_seen_subcommand_from {}' -l {}\n",
                                words.path, word.substr(2));
            } else if (words.path.empty()) {
                text += fmt::format("complete -c lifeboat -n __fish_use_subcommand -a {}\n", word);
            } else {
                text +=
                    fmt::format("complete -c lifeboat -n '__fish_seen_subcommand_from {}' -a {}\n",
                                words.path, word);
            }
        }
    }
    return text;
}

}  // namespace

Result<std::string> completion_script(const std::string& shell) {
    std::vector<Words> all;
    collect(all_commands(), "", all);
    if (shell == "bash") return bash(all);
    if (shell == "zsh") return "autoload -U +X bashcompinit && bashcompinit\n" + bash(all);
    if (shell == "fish") return fish(all);
    return invalid(fmt::format("no completion for the shell '{}'", shell),
                   "There is one for bash, zsh and fish.");
}

namespace {

void describe(const Command& command, const std::string& path, std::string& text) {
    const std::string name = path + " " + command.name;
    if (!command.subcommands.empty()) {
        for (const Command& child : command.subcommands) describe(child, name, text);
        return;
    }
    text += fmt::format("\n## `{}`\n\n{}.\n", name, command.summary);
    if (!command.options.empty()) text += "\n| option | meaning |\n|---|---|\n";
    for (const Option& option : command.options) {
        const bool positional = !option.name.starts_with("-");
        text += fmt::format("| `{}{}` | {}{} |\n", option.name,
                            positional || option.value.empty() ? "" : " " + option.value,
                            option.help, option.required ? " (required)" : "");
    }
    if (!command.details.empty()) text += "\n" + command.details + "\n";
}

}  // namespace

std::string commands_markdown() {
    std::string text =
        "# Commands\n\nGenerated from the list that the program itself uses: `./dev docs`.\n\n"
        "Every command takes `--plan FILE` (`$LIFEBOAT_PLAN`), `--state DIR` (`$LIFEBOAT_STATE`), "
        "`--json`,\n"
        "`--verbose`, `--log-json`, `--color WHEN`, `--help`.\n\n"
        "Exit status: 0 done, objectives met · 1 a finding, or an objective missed · 2 usage · 3 "
        "invalid\n"
        "plan · 4 partial · 5 refused by a guard · 6 waiting for a person, or paused · 7 lease "
        "held by\n"
        "another · 8 failed · 130 interrupted.\n";
    for (const Command& command : all_commands()) describe(command, "lifeboat", text);
    return text;
}

}  // namespace lifeboat::cli

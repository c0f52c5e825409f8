/// Completion scripts, from the list of commands. Names of scenarios, components, runs and points
/// are asked of the program itself (`lifeboat complete`), which reads plan, state and vault.

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "surface/cli/command.h"

namespace lifeboat::cli {
namespace {

/// "recover", "vault init", …: what may follow each.
struct Place {
    std::string path;
    std::vector<std::string> words;
    std::string ask;  ///< what its argument names
    std::vector<std::pair<std::string, std::string>>
        options;  ///< with a value: name, what it names
};

void add_options(const Command& command, Place& place) {
    for (const Option& option : command.options) {
        if (!option.name.starts_with("-")) {
            if (place.ask.empty()) place.ask = option.completes;
            continue;
        }
        place.words.push_back(option.name);
        if (!option.value.empty()) place.options.emplace_back(option.name, option.completes);
    }
}

/// What may follow `here`, and in `all` what may follow each command below it.
void collect(const std::vector<Command>& commands, Place here, std::vector<Place>& all) {
    for (const Command& command : commands) {
        if (command.hidden) continue;
        here.words.push_back(command.name);
        Place below{.path = here.path.empty() ? command.name : here.path + " " + command.name,
                    .words = {},
                    .ask = {},
                    .options = {}};
        add_options(command, below);
        collect(command.subcommands, std::move(below), all);
    }
    all.push_back(std::move(here));
}

std::string global_words() {
    std::string text;
    for (const GlobalOption& option : global_options())
        if (option.name.starts_with("--")) text += fmt::format(" {}", option.name);
    return text;
}

/// Options whose next word is their value, wherever they stand.
std::set<std::string> valued(const std::vector<Place>& all) {
    std::set<std::string> names;
    for (const GlobalOption& option : global_options())
        if (option.has_value) names.emplace(option.name);
    for (const Place& place : all)
        for (const auto& [name, completes] : place.options) names.insert(name);
    return names;
}

std::string alternatives(const std::set<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : "|") + name;
    return text;
}

/// The lines of `case "$path:$word"` that know which words are commands.
std::string steps(const std::vector<Place>& all) {
    std::set<std::string> known;
    for (const Place& place : all) {
        if (place.path.empty()) continue;
        const auto at = place.path.rfind(' ');
        known.insert(at == std::string::npos ? "\":" + place.path + "\""
                                             : "\"" + place.path.substr(0, at) + ":" +
                                                   place.path.substr(at + 1) + "\"");
    }
    return alternatives(known);
}

std::string places(const std::vector<Place>& all) {
    std::string text;
    for (const Place& place : all) {
        std::string list;
        for (const std::string& word : place.words) list += (list.empty() ? "" : " ") + word;
        text +=
            fmt::format("    \"{}\") words=\"{}\" ask=\"{}\" ;;\n", place.path, list, place.ask);
    }
    return text;
}

std::string values(const std::vector<Place>& all) {
    std::string text;
    for (const Place& place : all)
        for (const auto& [name, completes] : place.options)
            text += fmt::format("    \"{}:{}\") words=\"\" ask=\"{}\" ;;\n", place.path, name,
                                completes.empty() ? "nothing" : completes);
    return text;
}

std::string bash(const std::vector<Place>& all) {
    return fmt::format(R"sh(# bash completion of lifeboat
_lifeboat() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}"
  local path="" words="" ask="" word i
  local -a where=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="${{COMP_WORDS[i]}}"
    case "$word" in
      --plan|--state)
        ((i + 1 < COMP_CWORD)) && where+=("$word" "${{COMP_WORDS[i+1]}}")
        ((i++)); continue ;;
      {0}) ((i++)); continue ;;
      -*) continue ;;
    esac
    case "$path:$word" in
      {1}) path="${{path:+$path }}$word" ;;
    esac
  done
  case "$path" in
{2}  esac
  case "$path:$previous" in
    *:--plan|*:--state) words="" ask="file" ;;
    *:--color) words="auto always never" ask="" ;;
{3}    *) words="$words{4}" ;;
  esac
  case "$ask" in
    ""|nothing|file) ;;
    *) words="$words $("${{COMP_WORDS[0]}}" complete "$ask" "${{where[@]}}" 2>/dev/null)" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ "$ask" = file ] && COMPREPLY+=($(compgen -f -- "$current"))
  return 0
}}
complete -o filenames -F _lifeboat lifeboat
)sh",
                       alternatives(valued(all)), steps(all), places(all), values(all),
                       global_words());
}

/// fish's condition for standing behind the words of a path.
std::string behind(const std::string& path) {
    if (path.empty()) return "__fish_use_subcommand";
    std::string text;
    std::size_t from = 0;
    while (from != std::string::npos) {
        const std::size_t to = path.find(' ', from);
        text += (text.empty() ? "" : "; and ") + std::string("__fish_seen_subcommand_from ") +
                path.substr(from, to == std::string::npos ? to : to - from);
        from = to == std::string::npos ? to : to + 1;
    }
    return text;
}

std::string fish(const std::vector<Place>& all) {
    std::string text = "# fish completion of lifeboat\ncomplete -c lifeboat -f\n";
    const std::string ask = "lifeboat complete ";
    for (const GlobalOption& option : global_options())
        if (option.name.starts_with("--"))
            text += fmt::format("complete -c lifeboat -l {}{}\n", option.name.substr(2),
                                option.has_value ? " -r -F" : "");
    for (const Place& place : all) {
        const std::string condition = behind(place.path);
        for (const std::string& word : place.words) {
            if (!word.starts_with("--")) {
                text += fmt::format("complete -c lifeboat -n '{}' -a {}\n", condition, word);
                continue;
            }
            const auto value =
                std::ranges::find(place.options, word, &std::pair<std::string, std::string>::first);
            std::string takes;
            if (value != place.options.end())
                takes = value->second.empty() || value->second == "file"
                            ? " -r -F"
                            : fmt::format(" -x -a '({}{})'", ask, value->second);
            text += fmt::format("complete -c lifeboat -n '{}' -l {}{}\n", condition, word.substr(2),
                                takes);
        }
        if (place.ask == "file")
            text += fmt::format("complete -c lifeboat -n '{}' -F\n", condition);
        else if (!place.ask.empty())
            text += fmt::format("complete -c lifeboat -n '{}' -a '({}{})'\n", condition, ask,
                                place.ask);
    }
    return text;
}

}  // namespace

Result<std::string> completion_script(const std::string& shell) {
    std::vector<Place> all;
    collect(all_commands(), {}, all);
    if (shell == "bash") return bash(all);
    if (shell == "zsh") return "autoload -U +X bashcompinit && bashcompinit\n" + bash(all);
    if (shell == "fish") return fish(all);
    return invalid(fmt::format("no completion for the shell '{}'", shell),
                   "There is one for bash, zsh and fish.");
}

}  // namespace lifeboat::cli

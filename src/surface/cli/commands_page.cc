/// docs/commands.md, from the list of commands.

#include <fmt/core.h>

#include <algorithm>

#include "surface/cli/command.h"

namespace lifeboat::cli {
namespace {

/// A `|` would end the cell of a table.
std::string cell(std::string_view text) {
    std::string safe;
    for (const char c : text) {
        if (c == '|') safe += '\\';
        safe += c;
    }
    return safe;
}

std::string usage(const Command& command, const std::string& name) {
    std::string text = name;
    for (const Option& option : command.options) {
        const bool list = std::holds_alternative<std::vector<std::string>*>(option.target);
        if (option.name.starts_with("-")) continue;
        const std::string word = option.name + (list ? "…" : "");
        text += option.required ? " " + word : " [" + word + "]";
    }
    const bool has_options = std::ranges::any_of(
        command.options, [](const Option& option) { return option.name.starts_with("-"); });
    return has_options ? text + " [OPTION…]" : text;
}

void describe(const Command& command, const std::string& path, const std::string& group,
              std::string& text) {
    const std::string name = path + " " + command.name;
    if (command.hidden) return;
    if (!command.run) {
        for (const Command& child : command.subcommands) describe(child, name, group, text);
        return;
    }
    text += fmt::format("\n### {}\n\n`{}`\n\n{}.\n", name, usage(command, name), command.summary);
    if (!command.options.empty()) text += "\n| | |\n|---|---|\n";
    for (const Option& option : command.options) {
        const bool positional = !option.name.starts_with("-");
        text += fmt::format("| `{}{}` | {}{} |\n", option.name,
                            positional || option.value.empty() ? "" : " " + cell(option.value),
                            cell(option.help), option.required ? " (required)" : "");
    }
    if (!command.details.empty()) text += "\n" + command.details + "\n";
    for (const Command& child : command.subcommands) describe(child, name, group, text);
}

}  // namespace

std::string commands_markdown() {
    const std::vector<Command> commands = all_commands();
    std::vector<std::string> groups;
    for (const Command& command : commands)
        if (!command.hidden && std::ranges::find(groups, command.group) == groups.end())
            groups.push_back(command.group);
    std::string text;
    for (const std::string& group : groups) {
        text += fmt::format("\n## {}\n", group);
        for (const Command& command : commands)
            if (command.group == group) describe(command, "lifeboat", group, text);
    }
    return text;
}

}  // namespace lifeboat::cli

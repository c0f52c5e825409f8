/// What is wrong with a command line, in words that help: the parser only says that it is wrong.

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "platform/base/text.h"
#include "surface/cli/command.h"

namespace lifeboat::cli {
namespace {

constexpr std::array<GlobalOption, 9> globals{{{.name = "--plan", .has_value = true},
                                               {.name = "--state", .has_value = true},
                                               {.name = "--json"},
                                               {.name = "--verbose"},
                                               {.name = "-v"},
                                               {.name = "--log-json"},
                                               {.name = "--color", .has_value = true},
                                               {.name = "--help"},
                                               {.name = "-h"}}};

/// How far the words lead into the tree of commands.
struct Walk {
    std::string path = "lifeboat";
    const std::vector<Command>* choices = nullptr;  ///< commands that may follow here
    const Command* command = nullptr;               ///< the innermost that was named
};

std::vector<std::string> names_of(const std::vector<Command>& commands) {
    std::vector<std::string> names;
    for (const Command& command : commands)
        if (!command.hidden) names.push_back(command.name);
    return names;
}

const Command* find(const std::vector<Command>& commands, const std::string& name) {
    const auto found = std::ranges::find(commands, name, &Command::name);
    return found == commands.end() ? nullptr : &*found;
}

/// Whether the option is known here and takes a value; nothing when it is not known.
std::optional<bool> takes_value(const Command* command, const std::string& name) {
    for (const GlobalOption& option : globals)
        if (option.name == name) return option.has_value;
    if (command == nullptr) return std::nullopt;
    for (const Option& option : command->options)
        if (option.name == name) return !std::holds_alternative<bool*>(option.target);
    return std::nullopt;
}

std::string meant(const std::string& word, const std::vector<std::string>& known,
                  const std::string& path) {
    const std::string all = fmt::format("`{} --help` lists what there is.", path);
    if (const auto close = nearest(word, known))
        return fmt::format("Did you mean '{}'? {}", *close, all);
    return all;
}

Error unknown_option(const Walk& walk, const std::string& name) {
    std::vector<std::string> known;
    for (const GlobalOption& option : globals) known.emplace_back(option.name);
    if (walk.command != nullptr)
        for (const Option& option : walk.command->options)
            if (option.name.starts_with("-")) known.push_back(option.name);
    return invalid(fmt::format("unknown option '{}' of `{}`", name, walk.path),
                   meant(name, known, walk.path));
}

/// The parser's words in the voice of ours: "RUN is required", "a subcommand is required".
std::string voiced(std::string message) {
    const bool word =
        message.size() > 1 && std::isupper(static_cast<unsigned char>(message[1])) == 0;
    if (word) message[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(message[0])));
    if (message.ends_with('.')) message.pop_back();
    return message;
}

}  // namespace

std::span<const GlobalOption> global_options() { return globals; }

Error explain_usage(const std::vector<Command>& commands, const std::vector<std::string>& words,
                    const std::string& message) {
    Walk walk{.choices = &commands};
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (word == "--") break;
        if (word.size() > 1 && word.starts_with('-')) {
            const std::string name = word.substr(0, word.find('='));
            const auto value = takes_value(walk.command, name);
            if (!value) return unknown_option(walk, name);
            if (*value && name == word) ++i;
            continue;
        }
        if (walk.choices == nullptr) continue;
        const Command* next = find(*walk.choices, word);
        if (next == nullptr)
            return invalid(fmt::format("unknown command '{}' of `{}`", word, walk.path),
                           meant(word, names_of(*walk.choices), walk.path));
        walk.command = next;
        walk.path += " " + word;
        walk.choices = next->subcommands.empty() ? nullptr : &next->subcommands;
    }
    const std::string help = fmt::format("See `{} --help`.", walk.path);
    if (walk.choices != nullptr)
        return invalid(
            fmt::format("`{}` needs a command: {}", walk.path, join(names_of(*walk.choices), ", ")),
            help);
    return invalid(fmt::format("`{}`: {}", walk.path, voiced(message)), help);
}

}  // namespace lifeboat::cli

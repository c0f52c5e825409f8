#include <fmt/core.h>

#include "platform/base/text.h"
#include "providers/probe/check_kinds.h"

namespace lifeboat::probe {
namespace {

constexpr std::size_t output_max = std::size_t{64} << 10U;

std::vector<std::string> arguments_of(const plan::Check& check) {
    const Json value = check.settings.contains("value") ? check.settings["value"] : Json();
    if (!value.is_array()) return {"/bin/sh", "-c", argument(check)};
    std::vector<std::string> arguments;
    for (const Json& one : value)
        arguments.push_back(one.is_string() ? one.get<std::string>() : dump(one));
    return arguments;
}

}  // namespace

Result<Seen> look_exec(const Context& context, Environment& environment, const plan::Check& check,
                       const Place& place) {
    Command command;
    command.arguments = arguments_of(check);
    if (command.arguments.empty() || argument(check).empty())
        return invalid("exec: no command", "Write `{exec: \"test -e /srv/data\"}`.");
    command.directory = place.directory;
    command.output_limit = output_max;
    if (place.port != 0) {
        command.environment["LIFEBOAT_HOST"] = place.host;
        command.environment["LIFEBOAT_PORT"] = std::to_string(place.port);
    }
    const Exit exit = TRY(environment.processes.run(context, command));
    Seen seen;
    seen.value = std::string(trim(exit.output));
    seen.raw = Json(seen.value);
    if (exit.code != 0) {
        const std::string_view said = trim(exit.error);
        return unavailable(
            fmt::format("exit code {}{}{}", exit.code, said.empty() ? "" : ": ", said));
    }
    if (seen.value.empty()) seen.detail = "exit code 0";
    return seen;
}

}  // namespace lifeboat::probe

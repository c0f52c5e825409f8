#include "providers/process/unit.h"

#include <fmt/core.h>

#include "platform/base/text.h"

namespace lifeboat::providers::process {
namespace {

constexpr std::chrono::seconds limit{90};  // systemd's own for a stop

/// The directory exists exactly where systemd is the running init (sd_booted(3)).
Result<void> is_booted(Environment& environment, const Service& service) {
    if (environment.files.status("/run/systemd/system").has_value()) return ok();
    return unsupported(fmt::format("{} is the unit '{}', and systemd does not run here",
                                   service.name(), service.unit),
                       "Give the component a `command:` instead of `unit:`.");
}

Result<Exit> systemctl(const Context& context, Environment& environment,
                       std::vector<std::string> arguments) {
    Command command;
    command.arguments = {"systemctl", "--no-pager", "--no-ask-password"};
    command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
    return environment.processes.run(context.within(limit), command);
}

}  // namespace

Result<UnitState> unit_state(const Context& context, Environment& environment,
                             const Service& service) {
    TRY(is_booted(environment, service));
    const Exit exit = TRY(systemctl(
        context, environment, {"show", "--property=ActiveState,MainPID", "--", service.unit}));
    if (exit.code != 0)
        return unavailable(fmt::format("systemctl show {}: {}", service.unit, trim(exit.error)));
    UnitState state;
    for (const std::string_view line : split(exit.output, '\n')) {
        if (line.starts_with("ActiveState=")) state.active = line.substr(12);
        if (line.starts_with("MainPID=")) state.pid = parse_integer(line.substr(8)).value_or(0);
    }
    return state;
}

Result<void> control_unit(const Context& context, Environment& environment, const Service& service,
                          const std::string& action) {
    TRY(is_booted(environment, service));
    const Exit exit = TRY(systemctl(context, environment, {action, "--", service.unit}));
    if (exit.code == 0) return ok();
    const std::string message =
        fmt::format("systemctl {} {}: {}", action, service.unit, trim(exit.error));
    if (exit.error.contains("ccess denied") || exit.error.contains("authentication"))
        return denied(message, "Run Lifeboat as root, or give its user the right by polkit.");
    return unavailable(message, fmt::format("Look at `journalctl -u {}`.", service.unit));
}

}  // namespace lifeboat::providers::process

#include "providers/process/service.h"

#include <fmt/core.h>

#include "platform/base/size.h"
#include "platform/base/text.h"
#include "platform/observe/redact.h"

namespace lifeboat::providers::process {
namespace {

constexpr std::chrono::seconds stop_default{10};
constexpr std::chrono::seconds ready_default{30};
constexpr std::uint64_t log_limit_default = std::uint64_t{16} << 20U;
constexpr std::int64_t replicas_max = 100;

Result<Duration> duration_setting(const Json& settings, const char* name, Duration fallback) {
    const std::string text = string_or(settings, name, "");
    if (text.empty()) return fallback;
    auto parsed = parse_duration(text);
    if (!parsed.has_value()) return std::move(parsed).error().in(name);
    return parsed;
}

Result<std::uint16_t> port_of(const Json& value) {
    const auto number = value.is_number_integer()
                            ? std::optional(value.get<std::int64_t>())
                            : parse_integer(value.is_string() ? value.get<std::string>() : "");
    if (!number || *number < 1 || *number > 65535)
        return invalid(fmt::format("{} is not a port", dump(value)),
                       "Write `ports: [15510, 15511]` or `ports: auto`.");
    return static_cast<std::uint16_t>(*number);
}

Result<void> read_ports(Service& service) {
    // Of a drill nothing may stand where the real one stands.
    const bool drill = !service.scope.empty();
    const Json given = service.settings.contains("ports")  ? service.settings["ports"]
                       : service.settings.contains("port") ? service.settings["port"]
                                                           : Json();
    if (given.is_null()) return ok();
    if (drill || given == Json("auto")) {
        service.ports_automatic = true;
        return ok();
    }
    const Json list = given.is_array() ? given : Json::array({given});
    for (const Json& port : list) service.ports.push_back(TRY(port_of(port)));
    if (service.ports.size() < service.replicas)
        return invalid(fmt::format("{} has {} ports for {} replicas", service.name(),
                                   service.ports.size(), service.replicas),
                       "Give each replica a port, or write `ports: auto`.");
    return ok();
}

Result<Service> read(const Services& services, const plan::Plan& plan,
                     const plan::Component& component, const std::string& site,
                     const std::string& scope) {
    Service service;
    service.component = &component;
    service.site = TRY(local_site(plan, site, services.plan_directory));
    service.scope = scope;
    service.settings = settings_at(component, site);
    const std::string folder = scope.empty() ? component.name : component.name + "@" + scope;
    service.directory = service.site.directory / "run" / folder;
    service.logs = service.site.directory / "log";
    const auto replicas = integer_or(service.settings, "replicas", 1);
    if (replicas < 0 || replicas > replicas_max)
        return invalid(fmt::format("{}: {} replicas", service.name(), replicas),
                       fmt::format("Use 0 to {}.", replicas_max));
    service.replicas = static_cast<unsigned>(replicas);
    service.unit = string_or(service.settings, "unit", "");
    TRY(read_ports(service));
    service.stop_timeout = TRY(duration_setting(service.settings, "stop_timeout", stop_default));
    service.ready_within = TRY(duration_setting(service.settings, "ready_within", ready_default));
    service.log_limit = log_limit_default;
    if (const std::string text = string_or(service.settings, "log_limit", ""); !text.empty())
        service.log_limit = TRY(parse_size(text));
    service.values.insert_or_assign(
        "site", template_scope(
                    "site", Json{{"name", site}, {"directory", service.site.directory.string()}}));
    return service;
}

Result<Path> working_directory(const Services& services, const Service& service, unsigned replica,
                               std::uint16_t port) {
    const Json given =
        TRY(fill(service, service.settings.value("working_directory", Json("")), replica, port));
    std::error_code ignored;  // absolute() only fails without a working directory
    return std::filesystem::absolute(
               services.plan_directory /
                   (given.is_string() ? given.get<std::string>() : dump(given)),
               ignored)
        .lexically_normal();
}

/// The program and its arguments. A relative path with a slash starts at the plan's folder.
Result<std::vector<std::string>> arguments_of(const Services& services, const Service& service,
                                              unsigned replica, std::uint16_t port) {
    const Json command =
        TRY(fill(service, service.settings.value("command", Json()), replica, port));
    if (command.is_string() && !command.get<std::string>().empty())
        return std::vector<std::string>{"/bin/sh", "-c", command.get<std::string>()};
    std::vector<std::string> arguments;
    if (command.is_array())
        for (const Json& one : command)
            arguments.push_back(one.is_string() ? one.get<std::string>() : dump(one));
    if (arguments.empty())
        return invalid(fmt::format("{} has no command", service.name()),
                       "Give it `command:`, a list or a text for the shell.");
    std::string& program = arguments.front();
    if (program.contains('/') && !program.starts_with('/'))
        program = (services.plan_directory / program).lexically_normal().string();
    return arguments;
}

std::string percent_encoded(std::string_view text) {
    std::string out;
    for (const char each : text) {
        const auto byte = static_cast<unsigned char>(each);
        const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                           (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '.' ||
                           byte == '_' || byte == '~';
        if (plain)
            out += each;
        else
            out += fmt::format("%{:02X}", byte);
    }
    return out;
}

/// One value of the environment. A reference becomes its secret, also when a template brings it
/// into a longer text (`redis://:{{ cache.password }}@…`): then it is encoded where that is a URL.
Result<std::string> environment_value(const Services& services, const Service& service,
                                      const Json& given, unsigned replica, std::uint16_t port) {
    if (!given.is_string()) return dump(given);
    const auto text = given.get<std::string>();
    const bool is_url = text.contains("://");
    std::string out;
    std::size_t at = 0;
    while (true) {
        const std::size_t begin = text.find("{{", at);
        const std::size_t end = begin == std::string::npos ? begin : text.find("}}", begin);
        if (end == std::string::npos) break;
        const std::string piece = text.substr(begin, end + 2 - begin);
        const Json filled = TRY(fill(service, Json(piece), replica, port));
        std::string value = filled.is_string() ? filled.get<std::string>() : dump(filled);
        const bool whole = begin == 0 && end + 2 == text.size();
        if (!whole && is_secret_reference(value)) {
            value = TRY(reveal(services.secrets, value));
            if (is_url) value = percent_encoded(value);
        }
        out.append(text, at, begin - at);
        out += value;
        at = end + 2;
    }
    out.append(text, at);
    return reveal(services.secrets, out);
}

}  // namespace

std::string Service::name() const {
    std::string text = component->name + " at " + site.name;
    if (!scope.empty()) text += " (" + scope + ")";
    return text;
}

std::string Service::port_token(unsigned replica) const {
    return fmt::format("process/{}/{}", directory.filename().string(), replica);
}

Path Service::log(unsigned replica) const {
    return logs / fmt::format("{}-{}.log", directory.filename().string(), replica);
}

Result<Service> service_of(const Services& services, const VerbCall& call) {
    if (call.component == nullptr) return invalid(fmt::format("'{}' needs a component", call.verb));
    Service service =
        TRY(read(services, call.plan, *call.component, acting_site(call), call.scope));
    for (const auto& [name, instance] : call.instances) service.values.emplace(name, instance);
    service.values.insert_or_assign("run", template_scope("run", Json{{"id", call.run.value}}));
    return service;
}

Result<Service> service_of(const Services& services, const Target& target) {
    return read(services, target.plan, target.component, target.instance.site,
                string_or(target.instance.settings, "scope", ""));
}

Result<Json> fill(const Service& service, const Json& value, unsigned replica, std::uint16_t port) {
    Json self = service.settings;
    self.erase("environment");
    self["host"] = "127.0.0.1";
    self["replica"] = replica;
    self["port"] = port;
    auto values = service.values;
    values.insert_or_assign("self", template_scope("self", std::move(self)));
    auto filled = resolve_settings(value, values);
    if (!filled.has_value()) return std::move(filled).error().in(service.name());
    return filled;
}

Result<Launch> launch_of(const Services& services, const Service& service, unsigned replica,
                         std::uint16_t port) {
    Launch launch;
    Command& command = launch.command;
    command.arguments = TRY(arguments_of(services, service, replica, port));
    command.directory = TRY(working_directory(services, service, replica, port));
    command.clear_environment = true;  // what Lifeboat itself was given is nobody else's business
    const Json environment = service.settings.value("environment", Json::object());
    for (const auto& [name, value] : environment.items()) {
        auto filled = environment_value(services, service, value, replica, port);
        if (!filled.has_value())
            return std::move(filled).error().in(fmt::format("environment {}", name));
        command.environment[name] = *std::move(filled);
    }
    const std::string user = string_or(service.settings, "run_as", "");
    if (!user.empty()) {
        auto found = services.environment.processes.user(user);
        if (!found.has_value()) return std::move(found).error().in(service.name());
        command.run_as = *found;
    }
    launch.configuration = dump_canonical(Json{{"arguments", command.arguments},
                                               {"directory", command.directory.string()},
                                               {"environment", command.environment},
                                               {"run_as", user}});
    return launch;
}

std::string shown_command(const Service& service, unsigned replica, std::uint16_t port) {
    const auto shown = [&](const Json& value) {
        const auto filled = fill(service, value, replica, port);
        const Json& best = filled.has_value() ? *filled : value;  // not made yet: the template
        return best.is_string() ? best.get<std::string>() : dump(best);
    };
    std::string text;
    const Json environment = service.settings.value("environment", Json::object());
    for (const auto& [name, value] : environment.items())
        text += fmt::format("{}={} ", name, shown(value));
    return redact(text + shown(service.settings.value("command", Json(""))));
}

}  // namespace lifeboat::providers::process

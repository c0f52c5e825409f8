#include "providers/contract/local_site.h"

#include <fmt/core.h>

#include "platform/base/text.h"

namespace lifeboat::providers {
namespace {

constexpr std::string_view hint_ports = "Write `ports: 15500-15599`.";

Result<std::uint16_t> parse_port(std::string_view text, const std::string& site) {
    const auto number = parse_integer(trim(text));
    if (!number || *number < 1 || *number > 65535)
        return invalid(fmt::format("site '{}': '{}' is not a port", site, trim(text)),
                       std::string(hint_ports));
    return static_cast<std::uint16_t>(*number);
}

Result<void> read_ports(const Json& local, LocalSite& site) {
    const Json given = local.contains("ports") ? local["ports"] : Json();
    if (given.is_number_integer()) {
        site.port_first = TRY(parse_port(dump(given), site.name));
        site.port_last = site.port_first;
        return ok();
    }
    if (!given.is_string())
        return invalid(fmt::format("site '{}' on this machine has no range of ports", site.name),
                       std::string(hint_ports));
    const auto text = given.get<std::string>();
    const auto parts = split(text, '-');
    if (parts.size() > 2)
        return invalid(fmt::format("site '{}': '{}' is not a range of ports", site.name, text),
                       std::string(hint_ports));
    site.port_first = TRY(parse_port(parts.front(), site.name));
    site.port_last = TRY(parse_port(parts.back(), site.name));
    if (site.port_last < site.port_first)
        return invalid(
            fmt::format("site '{}': the range of ports '{}' runs backwards", site.name, text),
            std::string(hint_ports));
    return ok();
}

void add_port(const Json& value, std::set<std::uint16_t>& ports) {
    if (!value.is_number_integer()) return;
    const auto port = value.get<std::int64_t>();
    if (port > 0 && port <= 65535) ports.insert(static_cast<std::uint16_t>(port));
}

void add_ports(const Json& settings, std::set<std::uint16_t>& ports) {
    if (settings.contains("port")) add_port(settings["port"], ports);
    if (settings.contains("ports") && settings["ports"].is_array())
        for (const Json& port : settings["ports"]) add_port(port, ports);
}

/// What the plan gives to components, at whatever site: sites of one machine share its ports.
std::set<std::uint16_t> planned_ports(const plan::Plan& plan) {
    std::set<std::uint16_t> ports;
    for (const plan::Component& component : plan.components) {
        add_ports(component.settings, ports);
        for (const auto& [site, settings] : component.at_site) add_ports(settings, ports);
    }
    return ports;
}

}  // namespace

Result<LocalSite> local_site(const plan::Plan& plan, const std::string& site,
                             const Path& plan_directory) {
    const plan::Site* declared = plan.site(site);
    if (declared == nullptr)
        return invalid(fmt::format("the plan has no site '{}'", site),
                       "Declare it under `sites:`.");
    if (!declared->platforms.contains("local") || !declared->platforms["local"].is_object())
        return invalid(fmt::format("site '{}' is not on this machine", site),
                       "Give it `local: {directory: …, ports: 15500-15599}`.");
    const Json& local = declared->platforms["local"];
    LocalSite found;
    found.name = site;
    const std::string directory = string_or(local, "directory", "");
    if (directory.empty())
        return invalid(fmt::format("site '{}' on this machine has no directory", site),
                       "Give it `local: {directory: …}`.");
    std::error_code ignored;  // absolute() only fails without a working directory
    found.directory =
        std::filesystem::absolute(plan_directory / directory, ignored).lexically_normal();
    TRY(read_ports(local, found));
    found.run_as = string_or(local, "run_as", "");
    found.planned = planned_ports(plan);
    return found;
}

std::string acting_site(const VerbCall& call) {
    const std::string named = string_or(call.arguments, "site", "");
    if (!named.empty()) return named;
    return call.subject().site.empty() ? call.site : call.subject().site;
}

Json settings_at(const plan::Component& component, const std::string& site) {
    Json settings = component.settings;
    if (const auto found = component.at_site.find(site);
        found != component.at_site.end() && found->second.is_object())
        settings.update(found->second);
    return settings;
}

Result<std::string> reveal(const SecretResolver& secrets, const std::string& value) {
    if (!is_secret_reference(value)) return value;
    const Secret secret = TRY(secrets.resolve(value));
    return secret.use();
}

Result<void> make_durable_directory(Files& files, const Path& directory,
                                    std::uint32_t permissions) {
    Path known = directory;
    std::vector<Path> parents;  // of all that is new
    while (known.has_relative_path() && !files.status(known).has_value()) {
        known = known.parent_path();
        parents.push_back(known);
    }
    if (parents.empty()) return ok();
    TRY(files.make_directories(directory, permissions));
    for (const Path& parent : parents) TRY(files.sync_directory(parent));
    return ok();
}

Result<void> make_site_directory(Environment& environment, const LocalSite& site) {
    auto made = make_durable_directory(environment.files, site.directory);
    if (!made.has_value())
        return std::move(made).error().in(fmt::format("directory of site '{}'", site.name));
    return ok();
}

}  // namespace lifeboat::providers

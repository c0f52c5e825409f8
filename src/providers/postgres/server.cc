#include "providers/postgres/server.h"

#include <fmt/core.h>

#include <charconv>

#include "platform/base/size.h"
#include "platform/base/text.h"

namespace lifeboat::postgres {
namespace {

/// A setting as text, whatever type it was given in; "" when absent.
std::string text_of(const Json& settings, const char* key) {
    const auto found = settings.find(key);
    if (found == settings.end() || found->is_null()) return {};
    return found->is_string() ? found->get<std::string>() : dump(*found);
}

Error bad(const Instance& instance, const char* key, const std::string& value,
          const std::string& wanted) {
    return invalid(
        fmt::format("component '{}': {} '{}' is not {}", instance.component, key, value, wanted));
}

/// Like every path of a plan: relative ones start at the plan's folder.
Path path_of(const Services& services, const std::string& text) {
    return (services.plan_directory / text).lexically_normal();
}

void read_paths(const Services& services, const Instance& instance, Server& server) {
    const Json& settings = instance.settings;
    if (const auto text = text_of(settings, "data_directory"); !text.empty())
        server.data_directory = path_of(services, text);
    if (const auto text = text_of(settings, "bin_directory"); !text.empty())
        server.bin_directory = path_of(services, text);
    if (const auto text = text_of(settings, "config_file"); !text.empty())
        server.config_file = path_of(services, text);
}

Result<void> read_limits(const Instance& instance, Server& server) {
    const Json& settings = instance.settings;
    const std::string accept = text_of(settings, "accept_unbounded_slot");
    server.accept_unbounded_slot = accept == "true" || accept == "yes";
    if (const auto text = text_of(settings, "rate"); !text.empty()) {
        const auto rate = parse_rate(text);
        if (!rate.has_value()) return bad(instance, "rate", text, "a rate such as 50MiB/s");
        server.rate = *rate;
    }
    server.start_timeout = std::chrono::minutes(10);
    if (const auto text = text_of(settings, "start_timeout"); !text.empty()) {
        const auto limit = parse_duration(text);
        if (!limit.has_value())
            return bad(instance, "start_timeout", text, "a duration such as 10m");
        server.start_timeout = *limit;
    }
    return ok();
}

}  // namespace

std::string Server::endpoint() const { return to_string(Endpoint{host, port}); }

std::string Server::describe() const { return fmt::format("{} at {}", component, endpoint()); }

ConnectOptions Server::connect_options(bool replication) const {
    ConnectOptions options;
    options.host = host;
    options.port = port;
    options.database = database;
    options.user = user;
    options.password = password;
    // A name of its own, so that synchronous_standby_names does not pick us by accident.
    options.application_name = slot;
    options.replication = replication;
    return options;
}

std::optional<std::uint64_t> pinned_identifier(const Instance& instance) {
    const std::string text = text_of(instance.identity, "system_identifier");
    std::uint64_t pinned = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pinned);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return pinned;
}

std::string default_slot(const std::string& component) {
    std::string slot = "lifeboat_";
    for (const char c : to_lower(component))
        slot += (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '_';
    return slot.substr(0, 63);
}

Result<Server> server_of(const Services& services, const plan::Plan& plan,
                         const Instance& instance) {
    Server server;
    const Json& settings = instance.settings;
    server.component = instance.component;
    server.name = instance.name;
    server.site = instance.site;
    if (const auto text = text_of(settings, "host"); !text.empty()) server.host = text;
    const std::string port = text_of(settings, "port");
    const auto number = parse_integer(port);
    if (!number || *number < 1 || *number > 65535) return bad(instance, "port", port, "a port");
    server.port = static_cast<std::uint16_t>(*number);
    if (const auto text = text_of(settings, "database"); !text.empty()) server.database = text;
    if (const auto text = text_of(settings, "user"); !text.empty()) server.user = text;
    server.password_reference = text_of(settings, "password");
    if (!server.password_reference.empty())
        server.password = TRY(providers::reveal(services.secrets, server.password_reference));
    server.run_as = text_of(settings, "run_as");
    if (server.run_as.empty())
        if (const auto site = providers::local_site(plan, instance.site, services.plan_directory);
            site.has_value())
            server.run_as = site->run_as;
    server.slot = text_of(settings, "slot");
    if (server.slot.empty()) server.slot = default_slot(instance.component);
    read_paths(services, instance, server);
    TRY(read_limits(instance, server));
    server.pinned = pinned_identifier(instance);
    return server;
}

Result<std::optional<RunAs>> run_as_user(Environment& environment, const Server& server) {
    if (environment.processes.own_uid() != 0) return std::optional<RunAs>();
    const RunAs user =
        TRY(environment.processes.user(server.run_as.empty() ? "postgres" : server.run_as));
    return std::optional<RunAs>(user);
}

Result<Path> find_programs(Environment& environment, const Server& server, int major) {
    std::vector<Path> places;
    if (server.bin_directory) {
        places.push_back(*server.bin_directory);
    } else {
        places = {fmt::format("/usr/lib/postgresql/{}/bin", major),
                  fmt::format("/usr/pgsql-{}/bin", major),
                  fmt::format("/opt/postgresql/{}/bin", major)};
    }
    std::vector<std::string> tried;
    for (const Path& place : places) {
        if (environment.files.status(place / "postgres").has_value()) return place;
        tried.push_back(place.string());
    }
    return not_found(fmt::format("no PostgreSQL {} programs in {}", major, join(tried, ", ")),
                     fmt::format("Install PostgreSQL {} here, or set `bin_directory`.", major));
}

Result<int> major_of(Environment& environment, const Path& data_directory) {
    const Bytes text = TRY(read_file(environment.files, data_directory / "PG_VERSION", 64));
    const auto major = parse_integer(trim(as_text(text)));
    if (!major)
        return corrupt(fmt::format("'{}' is no version", (data_directory / "PG_VERSION").string()));
    return static_cast<int>(*major);
}

}  // namespace lifeboat::postgres

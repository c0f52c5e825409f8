#include "providers/redis/server.h"

#include <fmt/core.h>

#include "platform/base/text.h"
#include "providers/contract/health.h"

namespace lifeboat::redis {
namespace {

using providers::Instance;
using providers::Services;

std::string value_of(const std::map<std::string, std::string>& info, const char* name) {
    const auto found = info.find(name);
    return found == info.end() ? std::string() : found->second;
}

/// The same place, whatever links lead there. A directory that is gone is its own name.
Path real_path(const Path& path) {
    std::error_code error;
    const Path real = std::filesystem::weakly_canonical(path, error);
    return error ? path.lexically_normal() : real;
}

}  // namespace

Result<Address> address_of(const Services& services, const Instance& instance) {
    Address address;
    address.host = string_or(instance.settings, "host", "127.0.0.1");
    const auto port = integer_or(instance.settings, "port", 0);
    if (port < 1 || port > 65535)
        return invalid(fmt::format("{} has no port", instance.component),
                       "Give the component `port:`.");
    address.port = static_cast<std::uint16_t>(port);
    address.user = string_or(instance.settings, "user", "");
    address.password =
        TRY(providers::reveal(services.secrets, string_or(instance.settings, "password", "")));
    return address;
}

Json Presence::identity() const {
    Json identity{{"run_id", run_id}, {"replication_id", replication_id}};
    if (!directory.empty()) identity["data_id"] = directory;
    return identity;
}

Result<Presence> look_at(const Context& context, Client& client) {
    Presence presence;
    presence.info = TRY(client.info(context));
    presence.run_id = value_of(presence.info, "run_id");
    presence.replication_id = value_of(presence.info, "master_replid");
    presence.version = value_of(presence.info, "redis_version");
    presence.role = value_of(presence.info, "role");
    presence.loading = value_of(presence.info, "loading") == "1";
    presence.pid = parse_integer(value_of(presence.info, "process_id")).value_or(0);
    const auto directory = client.config(context, "dir");
    if (directory) presence.directory = real_path(*directory).string();
    return presence;
}

Path data_directory(const Services& services, const Json& settings) {
    const std::string text = string_or(settings, "data_directory", "");
    if (text.empty()) return {};
    return real_path((services.plan_directory / text).lexically_normal());
}

Result<void> prove(const Services& services, const Instance& instance, const Presence& presence) {
    std::string expected = data_directory(services, instance.settings).string();
    if (expected.empty()) expected = string_or(instance.identity, "data_id", "");
    const std::string who = instance.component + " on " + instance.endpoint;
    if (presence.directory.empty())
        return denied(fmt::format("{} does not say where its files lie", who),
                      "Lifeboat's user needs `+config|get`: identity is proven by `dir`.");
    if (expected.empty())
        return denied(fmt::format("nothing is known to prove the identity of {} with", who),
                      "Give the component `data_directory:`.");
    if (presence.directory == expected) return ok();
    return conflict(fmt::format("another Redis answers for {}: its files lie in {}, not in {}", who,
                                presence.directory, expected),
                    "Find out what listens there; nothing was changed.");
}

Checked run_checks(const Context& context, const Services& services,
                   const std::vector<plan::Check>& checks, const Address& address,
                   std::int64_t planned_port) {
    Checked checked;
    probe::Place place{.host = address.host,
                       .port = address.port,
                       .user = address.user,
                       .password = address.password,
                       .directory = services.plan_directory};
    for (plan::Check check : checks) {
        // A check that names the planned port means this component, wherever it runs now.
        if (check.type == "tcp" && check.settings.contains("value") &&
            check.settings["value"] == Json(planned_port))
            check.settings["value"] = address.port;
        const auto result = probe::run_check(context, services.environment, check, place);
        checked.last = fmt::format("{}: {}", result.name, result.detail);
        if (!result.passed) {
            checked.trouble = checked.last;
            checked.health = providers::health_of(result);
            return checked;
        }
        ++checked.passed;
    }
    return checked;
}

}  // namespace lifeboat::redis

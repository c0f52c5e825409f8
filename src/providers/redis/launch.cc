#include "providers/redis/launch.h"

#include <fmt/core.h>

#include "platform/base/text.h"
#include "platform/observe/redact.h"
#include "providers/contract/marks.h"

namespace lifeboat::redis {
namespace {

using providers::LocalSite;
using providers::Services;

constexpr std::chrono::milliseconds look_again{20};
constexpr std::chrono::seconds stop_grace{20};
constexpr std::chrono::seconds close_patience{5};

/// What tells this server's process from whatever else the same step has started.
std::string mark_of(const Marker& marker) { return "redis/" + marker.component; }

std::string in_quotes(std::string_view text) {
    std::string out = "\"";
    for (const char each : text) {
        const auto byte = static_cast<unsigned char>(each);
        if (each == '"' || each == '\\')
            out += fmt::format("\\{}", each);
        else if (byte < 0x20 || byte > 0x7e)
            out += fmt::format("\\x{:02x}", byte);
        else
            out += each;
    }
    return out + '"';
}

std::string last_words(Files& files, const Path& log) {
    const auto bytes = read_file(files, log);
    if (!bytes.has_value()) return {};
    const std::string_view text = trim(as_text(*bytes));
    return ": " + redact(text.substr(text.rfind('\n') + 1));  // npos + 1 is 0: the only line
}

bool is_local(const std::string& host) {
    return host.starts_with("127.") || host == "localhost" || host == "::1";
}

}  // namespace

Result<std::optional<ProcessIdentity>> find_server(const Services& services, const Marker& marker) {
    if (marker.server && services.environment.processes.is_alive(*marker.server))
        return marker.server;
    // A crash may have come between the start and its record.
    const auto marked = TRY(providers::marked_processes(services.environment));
    for (const providers::MarkedProcess& one : marked)
        if (one.token == marker.token && one.service == mark_of(marker))
            return std::optional(one.identity);
    return std::optional<ProcessIdentity>();
}

Result<std::optional<RunAs>> server_user(const Services& services, const Json& settings,
                                         const LocalSite& site) {
    Processes& processes = services.environment.processes;
    const std::string named = string_or(settings, "run_as", site.run_as);
    if (!named.empty()) {
        const RunAs found = TRY(processes.user(named));
        return std::optional(found);
    }
    if (processes.own_uid() != 0) return std::optional<RunAs>();
    for (const char* usual : {"redis", "postgres"})
        if (const auto found = processes.user(usual); found.has_value())
            return std::optional(*found);
    return std::optional<RunAs>();
}

Result<std::string> configuration(const Services& services, const Json& settings, const Json& kept,
                                  const Path& folder, std::uint16_t port) {
    const Json source = kept.value("settings", Json::object());
    std::string text = fmt::format(
        "# Written by Lifeboat for a restored server.\nbind 127.0.0.1\nport {}\n"
        "dir {}\ndbfilename dump.rdb\nappendonly no\ndaemonize no\n"
        "protected-mode yes\nset-proc-title no\n",  // a title would overwrite our mark
        port, in_quotes((folder / "data").string()));
    for (const auto& [name, value] : source.items()) {
        if (name == "appendonly" || !value.is_string()) continue;
        const auto plain = value.get<std::string>();
        // `save` takes its numbers as words, everything else is one word.
        text += name == "save" && !plain.empty() ? fmt::format("save {}\n", plain)
                                                 : fmt::format("{} {}\n", name, in_quotes(plain));
    }
    if (kept.contains("users")) {
        for (const Json& line : kept["users"])
            if (line.is_string()) text += line.get<std::string>() + "\n";
        return text;
    }
    if (!bool_or(kept, "needs_password", false)) return text;
    const std::string password =
        TRY(providers::reveal(services.secrets, string_or(settings, "password", "")));
    return text + "requirepass " + in_quotes(password) + "\n";
}

Result<Client> launch(const Context& context, const Services& services, const Json& settings,
                      const Path& folder, Marker& marker, const Address& address,
                      const std::optional<RunAs>& user) {
    Environment& environment = services.environment;
    const Path log = folder / "server.log";
    const auto running = TRY(find_server(services, marker));
    if (running) {
        marker.server = running;
    } else {
        const bool free = TRY(environment.network.is_free(Endpoint{address.host, address.port}));
        if (!free)
            return conflict(fmt::format("port {} is taken by somebody else", address.port),
                            fmt::format("Find out who listens there (`ss -ltnp 'sport = :{}'`).",
                                        address.port));
        Command command;
        command.arguments = {string_or(settings, "bin", "redis-server"),
                             (folder / "redis.conf").string()};
        command.directory = folder / "data";
        command.clear_environment = true;
        command.environment[providers::mark_token] = marker.token;
        command.environment[providers::mark_service] = mark_of(marker);
        command.run_as = user;
        marker.server = TRY(environment.processes.start_daemon(
            context, Daemon{.command = std::move(command), .log = log}));
    }
    TRY(save_marker(environment.files, folder, marker));
    while (true) {
        TRY(context.check("waiting for a restored Redis to load its data"));
        if (!environment.processes.is_alive(*marker.server))
            return unavailable(fmt::format("the restored Redis on port {} ended{}", address.port,
                                           last_words(environment.files, log)),
                               fmt::format("Look into {}.", log.string()));
        auto client = Client::connect(context, address);
        if (client.has_value()) {
            const auto presence = look_at(context, *client);
            if (presence.has_value() && !presence->loading) return client;
        } else if (client.error().kind == ErrorKind::denied) {
            return client;
        }
        TRY(context.sleep(look_again));
    }
}

Result<void> prove_closed(const Context& context, const Services& services,
                          const Address& address) {
    const Context patient = context.within(close_patience);
    const Endpoint endpoint{address.host, address.port};
    while (true) {
        const auto reached = services.environment.network.probe_tcp(patient, endpoint);
        if (!reached.has_value() && reached.error().kind == ErrorKind::unavailable) return ok();
        auto slept = patient.sleep(look_again);
        if (slept.has_value()) continue;
        TRY(context.check("waiting for a port to close"));
        return conflict(fmt::format("somebody still listens on {}", to_string(endpoint)),
                        "A service manager may have started it again: stop it there.");
    }
}

Result<void> end(const Context& context, const Services& services, const Address& address,
                 const Presence& presence) {
    if (!is_local(address.host))
        return unsupported(fmt::format("Redis on {} runs on another machine", address.host),
                           "Stop it there by a `run` step.");
    Processes& processes = services.environment.processes;
    auto identity = processes.identify(presence.pid);
    if (!identity.has_value()) return std::move(identity).error().in("the Redis server");
    TRY(processes.stop_group(context, *identity, stop_grace));
    return prove_closed(context, services, address);
}

}  // namespace lifeboat::redis

#include "providers/postgres/power.h"

#include <fmt/core.h>

#include "platform/base/text.h"
#include "providers/postgres/instance_directory.h"
#include "providers/postgres/server_process.h"

namespace lifeboat::postgres {
namespace {

using namespace std::chrono_literals;
constexpr const char* down_file = "lifeboat.down";

Error not_here(const Server& server) {
    return unsupported(
        fmt::format("{} has no data_directory in the plan: its process cannot be told from others",
                    server.describe()),
        "Set `data_directory`, or do it by hand and record that with `lifeboat bypass`.");
}

/// The directory's cluster is the one that is meant. Success when the directory is gone.
Result<void> require_own_directory(const Services& services, const Server& server) {
    const auto found = identifier_of(services.environment, *server.data_directory);
    if (!found.has_value()) {
        if (found.error().kind == ErrorKind::not_found) return ok();
        return found.error();
    }
    if (!server.pinned || *server.pinned == *found) return ok();
    return conflict(
        fmt::format("{} holds another cluster: its system identifier is {}, that of {} is {}",
                    server.data_directory->string(), *found, server.component, *server.pinned),
        "Nothing was touched. Correct data_directory in the plan.");
}

Path log_of(Files& files, const Path& data) {
    // A server that was restored logs beside its data; any other in it.
    if (files.status(marker_path(data.parent_path())).has_value())
        return data.parent_path() / "server.log";
    return data / "lifeboat-server.log";
}

Result<Identity> wait_until_it_answers(const Context& context, const Services& services,
                                       const Server& server, const ProcessIdentity& postmaster,
                                       const Path& log) {
    const Context bounded = context.within(server.start_timeout);
    while (true) {
        auto identity = prove_identity(bounded.within(5s), services.environment, server);
        if (identity.has_value()) return identity;
        const ErrorKind kind = identity.error().kind;
        if (kind == ErrorKind::conflict || kind == ErrorKind::denied) return identity;
        if (!services.environment.processes.is_alive(postmaster))
            return unavailable(
                fmt::format("{} ended: {}", server.describe(), log_tail(services.environment, log)),
                fmt::format("Its log is {}.", log.string()));
        const auto slept = bounded.sleep(50ms);
        if (slept.has_value()) continue;
        TRY(context.check(fmt::format("waiting for {}", server.describe())));
        return timeout(fmt::format("{} does not answer within {}: {}", server.describe(),
                                   human_duration(server.start_timeout), identity.error().message));
    }
}

}  // namespace

Result<std::optional<ProcessIdentity>> living_postmaster(const Services& services,
                                                         const Server& server,
                                                         const Instance& instance) {
    if (instance.identity.contains("postmaster")) {
        const auto recorded = process_from_json(instance.identity["postmaster"]);
        if (recorded && services.environment.processes.is_alive(*recorded)) return recorded;
    }
    if (!server.data_directory) return std::optional<ProcessIdentity>();
    return find_postmaster(services.environment, *server.data_directory);
}

std::string kept_down(Files& files, const Path& data_directory) {
    const auto text = read_file(files, data_directory / down_file, 4096);
    return text.has_value() ? std::string(trim(as_text(*text))) : std::string();
}

Result<void> keep_down(const Services& services, const Server& server, const std::string& verb,
                       const std::string& token) {
    Files& files = services.environment.files;
    if (!files.status(*server.data_directory).has_value()) return ok();
    const auto owner = TRY(run_as_user(services.environment, server));
    const std::string text = fmt::format("{} by {} at {}\n", verb, token,
                                         format_instant(services.environment.clock.now()));
    return write_owned(files, *server.data_directory / down_file, as_bytes(text), owner);
}

Result<Json> start_instance(const Context& context, const Services& services,
                            const plan::Plan& plan, const Instance& instance,
                            const providers::ProgressSink&) {
    const Server server = TRY(server_of(services, plan, instance));
    if (!server.data_directory) return not_here(server);
    Environment& environment = services.environment;
    const Path& data = *server.data_directory;
    if (const std::string down = kept_down(environment.files, data); !down.empty())
        return conflict(
            fmt::format("{} must not be started: {}", data.string(), down),
            fmt::format("Remove {} by hand if it may come back.", (data / down_file).string()));
    TRY(require_own_directory(services, server));
    const int major = TRY(major_of(environment, data));
    auto postmaster = TRY(find_postmaster(environment, data));
    if (!postmaster) {
        StartOptions options;
        options.programs = TRY(find_programs(environment, server, major));
        options.data_directory = data;
        options.log = log_of(environment.files, data);
        options.config_file = server.config_file;
        options.port = server.port;
        options.run_as = TRY(run_as_user(environment, server));
        postmaster = TRY(start_server(context, environment, options));
    }
    const Identity identity = TRY(wait_until_it_answers(context, services, server, *postmaster,
                                                        log_of(environment.files, data)));
    Instance started = instance;
    started.identity.update(to_json(identity, server));
    started.identity["postmaster"] = to_json(*postmaster);
    if (started.endpoint.empty()) started.endpoint = server.endpoint();
    return Json{{"instance", providers::to_json(started)}, {"endpoint", started.endpoint}};
}

Result<std::string> stop_instance(const Context& context, const Services& services,
                                  const plan::Plan& plan, const Instance& instance) {
    const Server server = TRY(server_of(services, plan, instance));
    if (!server.data_directory) return not_here(server);
    TRY(require_own_directory(services, server));
    const auto postmaster = TRY(living_postmaster(services, server, instance));
    if (postmaster) TRY(stop_server(context, services.environment, *postmaster));
    const Death death = TRY(prove_dead(context, services.environment, server, instance.identity));
    if (death.proven) return death.why;
    return conflict(fmt::format("{} cannot be proven dead: {}", server.describe(), death.why),
                    "Look at the processes of this machine and at that port.");
}

}  // namespace lifeboat::postgres

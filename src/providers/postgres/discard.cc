#include <fmt/core.h>

#include <csignal>

#include "providers/postgres/identity.h"
#include "providers/postgres/prove.h"
#include "providers/postgres/restore.h"

namespace lifeboat::postgres {
namespace {

using namespace std::chrono_literals;
constexpr int tries_max = 5;
constexpr Duration try_again = 200ms;
constexpr Duration quit_time = 10s;

/// Nothing of it shall last: no checkpoint, no waiting for sessions.
Result<void> end_server(const Context& context, Environment& environment,
                        const ProcessIdentity& postmaster) {
    const auto sent = environment.processes.signal(postmaster, SIGQUIT);
    if (!sent.has_value() && sent.error().kind != ErrorKind::not_found) return sent;
    const Monotonic until = context.clock().monotonic() + quit_time;
    while (environment.processes.is_alive(postmaster) && context.clock().monotonic() < until)
        TRY(context.sleep(20ms));
    return environment.processes.stop_group(context, postmaster, 0s);
}

/// The marker's word, or nothing where a crash came before there was one.
Result<std::optional<Marker>> own_marker(const Services& services, const Path& directory,
                                         const std::string& token) {
    auto marker = load_marker(services.environment.files, directory);
    if (!marker.has_value()) {
        const bool unwritten = marker.error().kind == ErrorKind::not_found;
        if (unwritten) return std::optional<Marker>();
        return marker.error();
    }
    if (marker->token == token && marker->is_aside) return std::optional<Marker>(*marker);
    return conflict(fmt::format("{} is no copy of this verification", directory.string()),
                    "Nothing was touched: look at it, and remove it by hand if it is not needed.");
}

}  // namespace

Result<void> discard(const Context& context, const Services& services,
                     const providers::ProofCall& call) {
    Environment& environment = services.environment;
    const providers::LocalSite site =
        TRY(providers::local_site(call.plan, call.current.site, services.plan_directory));
    const Path directory = instance_directory(site, call.component.name, call.token);
    Result<void> removed;
    // A server that was just being started when we died may still be writing its first files.
    for (int i = 0; i < tries_max; ++i) {
        if (!environment.files.status(directory).has_value()) break;
        const auto marker = TRY(own_marker(services, directory, call.token));
        if (marker && marker->postmaster)
            TRY(end_server(context, environment, *marker->postmaster));
        const auto running = TRY(find_postmaster(environment, directory / "data"));
        if (running) TRY(end_server(context, environment, *running));
        removed = environment.files.remove_tree(directory);
        if (removed.has_value()) continue;  // and look again whether somebody has written meanwhile
        TRY(context.sleep(try_again));
    }
    TRY(std::move(removed));
    return providers::release_port(environment, site, call.token);
}

}  // namespace lifeboat::postgres

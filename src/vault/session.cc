#include "vault/session.h"

#include <fmt/core.h>

#include "vault/sealed.h"

namespace lifeboat::vault {

Result<std::unique_ptr<Session>> Session::begin(Access& access, const std::string& kind) {
    const std::string stem = fmt::format("sessions/{}-{}", kind, access.environment.random.hex(8));
    auto session = std::unique_ptr<Session>(new Session(access, stem));
    TRY(session->publish());
    return session;
}

Session::~Session() {
    // Ignored: a session that stays is dead after session_timeout.
    if (!object_.empty()) (void)access_.store.remove(object_);
}

Result<void> Session::publish() {
    const std::string next = fmt::format("{}-{}", stem_, count_ + 1);
    const Environment& environment = access_.environment;
    const std::string text =
        fmt::format("host {} pid {} user {}", environment.processes.host_name(),
                    environment.processes.own_pid(), environment.processes.own_user());
    // Deferred: others on this machine see it at once, and a machine that fails has no writers
    // left.
    TRY(access_.store.put(next, seal_object(access_, next, as_bytes(text)), true));
    const std::string previous = std::exchange(object_, next);
    ++count_;
    renewed_ = environment.clock.monotonic();
    if (previous.empty()) return ok();
    auto removed = access_.store.remove(previous);
    if (!removed.has_value() && removed.error().kind != ErrorKind::not_found) return removed;
    if (removed.has_value()) return ok();
    return conflict("this session was given up by a prune",
                    "It was silent for an hour. Make the backup again.");
}

Result<void> Session::renew() {
    if (access_.environment.clock.monotonic() - renewed_ < session_renewal) return ok();
    return publish();
}

Result<void> Session::check() {
    auto found = access_.store.status(object_);
    if (found.has_value()) return ok();
    if (found.error().kind != ErrorKind::not_found) return std::move(found).error();
    return conflict("this session was given up by a prune",
                    "It was silent for an hour. Make the backup again.");
}

Result<std::vector<SessionInfo>> list_sessions(Access& access) {
    const auto objects = TRY(access.store.list("sessions/"));
    const Instant now = access.environment.clock.now();
    std::vector<SessionInfo> sessions;
    for (const ObjectInfo& object : objects) {
        SessionInfo session{.object = object.name, .kind = {}, .alive = {}};
        const std::size_t begin = std::string_view("sessions/").size();
        session.kind = object.name.substr(begin, object.name.find('-') - begin);
        // One from the future, after a jump of the clock, counts as alive.
        session.alive = now - object.modified < session_timeout;
        sessions.push_back(std::move(session));
    }
    return sessions;
}

}  // namespace lifeboat::vault

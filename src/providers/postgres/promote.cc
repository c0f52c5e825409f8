#include "providers/postgres/promote.h"

#include <fmt/core.h>

#include <csignal>

#include "providers/postgres/replay.h"
#include "providers/postgres/stream.h"

namespace lifeboat::postgres {
namespace {

using namespace std::chrono_literals;
constexpr Duration question_time = 30s;
constexpr unsigned promotion_seconds = 300;

/// The server that is promoted: proven, with the record of its restore.
struct Candidate {
    Server server;
    Path directory;
    Marker marker;
    Identity identity;
    std::unique_ptr<Connection> connection;
};

Result<Candidate> find_candidate(const Context& context, const Services& services,
                                 const providers::VerbCall& call) {
    const Instance& subject = call.subject();
    Candidate candidate;
    candidate.server = TRY(server_of(services, call.plan, subject));
    if (!candidate.server.data_directory)
        return unsupported(
            fmt::format("{} has no data_directory on this machine", candidate.server.describe()),
            "Promote it by hand and record that with `lifeboat bypass`.");
    candidate.directory = candidate.server.data_directory->parent_path();
    auto marker = load_marker(services.environment.files, candidate.directory);
    if (!marker.has_value()) {
        if (marker.error().kind != ErrorKind::not_found) return marker.error();
        return conflict(
            fmt::format("{} was not restored by lifeboat: nobody can say where it should stand",
                        candidate.server.describe()),
            "Run `restore` first, or promote it by hand and record that with `lifeboat bypass`.");
    }
    candidate.marker = std::move(*marker);
    auto connection = TRY(
        Connection::open(context.within(question_time), candidate.server.connect_options(false)));
    candidate.connection = std::move(connection);
    candidate.identity =
        TRY(identify(context, services.environment, candidate.server, *candidate.connection));
    TRY(require_pinned(candidate.server, candidate.identity.system_identifier));
    if (candidate.identity.system_identifier != candidate.marker.system_identifier)
        return conflict(
            fmt::format("{} is cluster {}, restored was {}", candidate.server.describe(),
                        candidate.identity.system_identifier, candidate.marker.system_identifier));
    return candidate;
}

Result<void> require_at_target(const Context& context, const Candidate& candidate) {
    const Rows rows = TRY(candidate.connection->query(context.within(question_time),
                                                      "SELECT pg_last_wal_replay_lsn()"));
    const Lsn replayed = parse_lsn(rows.first()).value_or(0);
    if (replayed == candidate.marker.target) return ok();
    return conflict(fmt::format("{} stands at {}, its target is {}", candidate.server.describe(),
                                format_lsn(replayed), format_lsn(candidate.marker.target)),
                    "Run `restore` again: it goes on where it was.");
}

/// Without the right to call pg_promote(): what `pg_ctl promote` does.
Result<void> promote_by_signal(const Context& context, const Services& services,
                               const Candidate& candidate) {
    const auto owner = TRY(run_as_user(services.environment, candidate.server));
    const auto postmaster =
        TRY(find_postmaster(services.environment, *candidate.server.data_directory));
    if (!postmaster)
        return unavailable(fmt::format("{} does not run", candidate.server.describe()));
    TRY(write_owned(services.environment.files, *candidate.server.data_directory / "promote", {},
                    owner));
    TRY(services.environment.processes.signal(*postmaster, SIGUSR1));
    const Context bounded = context.within(std::chrono::seconds(promotion_seconds));
    while (true) {
        const Rows rows = TRY(candidate.connection->query(bounded, "SELECT pg_is_in_recovery()"));
        if (rows.first() == "f") return ok();
        TRY(bounded.sleep(20ms));
    }
}

Result<void> end_recovery(const Context& context, const Services& services,
                          const Candidate& candidate) {
    const auto promoted = candidate.connection->execute(
        context, fmt::format("SELECT pg_promote(true, {})", promotion_seconds));
    if (promoted.has_value() && promoted->first() == "t") return ok();
    if (!promoted.has_value() && promoted.error().kind == ErrorKind::denied)
        return promote_by_signal(context, services, candidate);
    if (!promoted.has_value()) {
        // An attempt that was killed has asked before us, and the server was just carrying it out.
        const auto look = candidate.connection->query(context, "SELECT pg_is_in_recovery()");
        if (look.has_value() && look->first() == "f") return ok();
        return promoted.error();
    }
    return unknown(fmt::format("{} did not end its recovery within {}s",
                               candidate.server.describe(), promotion_seconds));
}

/// What is true of the server now, as the instance that everybody resolves through.
Json outputs_of(const providers::VerbCall& call, const Candidate& candidate, const Identity& now,
                Lsn switched, const std::string& old_primary) {
    Instance instance = call.subject();
    instance.identity.update(to_json(now, candidate.server));
    return Json{{"instance", providers::to_json(instance)},
                {"endpoint", instance.endpoint},
                {"timeline", now.timeline},
                {"switch_lsn", format_lsn(switched)},
                {"old_primary", old_primary}};
}

/// History into the vault, recovery settings out of the configuration.
Result<Json> settle(const Context& context, const Services& services,
                    const providers::VerbCall& call, const Candidate& candidate,
                    const std::string& old_primary) {
    const Context bounded = context.within(question_time);
    const Identity now =
        TRY(identify(bounded, services.environment, candidate.server, *candidate.connection));
    if (now.in_recovery)
        return unknown(
            fmt::format("{} was promoted, and is still in recovery", candidate.server.describe()));
    if (now.timeline <= candidate.marker.timeline)
        return corrupt(fmt::format("{} is writable on timeline {}, which is not a new one",
                                   candidate.server.describe(), now.timeline));
    auto replication = TRY(Connection::open(bounded, candidate.server.connect_options(true)));
    const std::string text = TRY(fetch_history(bounded, *replication, now.timeline));
    const History history = TRY(parse_history(now.timeline, text));
    // A drill's timeline is thrown away with its server: the vault must not count with it.
    if (call.mode != runbook::RunMode::drill && services.vault != nullptr) {
        const SystemInfo system = TRY(identify_system(bounded, *replication));
        TRY(store_histories(bounded, *replication, *services.vault, candidate.marker.component,
                            system));
    }
    TRY(write_server_config(services, candidate.server, candidate.directory, candidate.marker,
                            false));
    // By signal: pg_reload_conf() asks for a right that a replication user need not have.
    if (candidate.marker.postmaster)
        TRY(services.environment.processes.signal(*candidate.marker.postmaster, SIGHUP));
    if (history.begin() != candidate.marker.target)
        return corrupt(fmt::format("{} left its old timeline at {}, not at the target {}",
                                   candidate.server.describe(), format_lsn(history.begin()),
                                   format_lsn(candidate.marker.target)));
    return outputs_of(call, candidate, now, history.begin(), old_primary);
}

}  // namespace

Result<std::string> prove_no_other_primary(const Context& context, const Services& services,
                                           const providers::VerbCall& call) {
    if (call.mode == runbook::RunMode::drill) return std::string("a drill: the copy stands apart");
    if (call.fenced) return std::string("fenced");
    if (!call.candidate || call.candidate->endpoint == call.current.endpoint)
        return conflict(
            fmt::format("nobody can say which primary '{}' would replace", call.component->name),
            "Fence the old primary, or approve the promotion on record.");
    const Server old = TRY(server_of(services, call.plan, call.current));
    const Death death = TRY(prove_dead(context, services.environment, old, call.current.identity));
    if (death.proven) return death.why;
    return conflict(
        fmt::format("the old primary, {}, may still be alive: {}", old.describe(), death.why),
        "Put a `fence` step before, or approve the promotion on record that it is dead.");
}

Result<Json> promote(const Context& context, const Services& services,
                     const providers::VerbCall& call) {
    Candidate candidate = TRY(find_candidate(context, services, call));
    const std::string old_primary = TRY(prove_no_other_primary(context, services, call));
    if (!candidate.identity.in_recovery)
        return settle(context, services, call, candidate, old_primary);
    TRY(require_at_target(context, candidate));
    if (services.vault != nullptr)
        TRY(spool_histories(services, candidate.server, candidate.directory, candidate.marker));
    // First the record: from here on nothing may clean this directory.
    candidate.marker.state = Marker::State::promoted;
    TRY(save_marker(services.environment.files, candidate.directory, candidate.marker));
    TRY(end_recovery(context, services, candidate));
    return settle(context, services, call, candidate, old_primary);
}

Result<std::optional<Json>> find_promotion(const Context& context, const Services& services,
                                           const providers::VerbCall& call) {
    Candidate candidate = TRY(find_candidate(context, services, call));
    if (candidate.identity.in_recovery || candidate.identity.timeline <= candidate.marker.timeline)
        return std::optional<Json>();
    // Promoted, but done only when what belongs to it is done too: running the step again completes
    // it.
    const Bytes config = TRY(
        read_file(services.environment.files, candidate.directory / "data" / "postgresql.conf"));
    if (as_text(config).find("\nrestore_command") != std::string_view::npos)
        return std::optional<Json>();
    return std::optional<Json>(outputs_of(call, candidate, candidate.identity,
                                          candidate.marker.target, "see the journal"));
}

}  // namespace lifeboat::postgres

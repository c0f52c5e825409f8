#include "providers/postgres/identity.h"

#include <fmt/core.h>

#include <charconv>

#include "platform/base/text.h"
#include "providers/postgres/control_file.h"

namespace lifeboat::postgres {
namespace {

constexpr const char* identity_question = R"(
SELECT (SELECT system_identifier FROM pg_control_system()) AS system_identifier,
       CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id FROM pg_control_checkpoint())
            ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int
       END AS timeline,
       current_setting('server_version_num')::int / 10000 AS major,
       pg_is_in_recovery() AS in_recovery,
       (SELECT setting FROM pg_settings WHERE name = 'data_directory') AS data_directory)";

bool is_here(Environment& environment, const std::string& host) {
    return host == "localhost" || host == "::1" || host.starts_with("127.") ||
           host.starts_with("/") || host == environment.processes.host_name();
}

/// True when the process works in this directory; nothing when we may not see that.
std::optional<bool> works_in(Environment& environment, std::int64_t pid, const Path& directory) {
    const auto link = environment.files.read_symlink(fmt::format("/proc/{}/cwd", pid));
    if (!link.has_value()) {
        if (link.error().kind == ErrorKind::denied) return std::nullopt;
        return false;
    }
    std::string text = link->string();
    constexpr std::string_view gone = " (deleted)";
    if (text.ends_with(gone)) text.resize(text.size() - gone.size());
    std::error_code ignored;  // a path that cannot be resolved is compared as it stands
    const Path resolved = std::filesystem::weakly_canonical(directory, ignored);
    return text == directory.lexically_normal().string() || text == resolved.string();
}

std::string command_of(Environment& environment, std::int64_t pid) {
    const auto text = read_file(environment.files, fmt::format("/proc/{}/comm", pid), 4096);
    return text.has_value() ? std::string(trim(as_text(*text))) : std::string();
}

/// A process that works in the data directory, or why none can be excluded; "" when there is
/// certainly none.
Result<std::string> who_works_in(Environment& environment, const Path& directory) {
    const std::vector<std::string> names = TRY(environment.files.list("/proc"));
    for (const std::string& name : names) {
        const auto pid = parse_integer(name);
        if (!pid || !environment.processes.identify(*pid).has_value()) continue;
        const auto works = works_in(environment, *pid, directory);
        if (works && *works) return fmt::format("process {} works in {}", *pid, directory.string());
        if (!works && command_of(environment, *pid).starts_with("postgres"))
            return fmt::format("process {} may be of this cluster, and we may not look", *pid);
    }
    return std::string();
}

/// Like who_works_in(), but lets the children of a postmaster that is gone end: they notice within
/// moments that it died, and until they did they may still write.
Result<std::string> who_still_works_in(const Context& context, Environment& environment,
                                       const Path& data_directory) {
    constexpr std::chrono::seconds notice_time(10);
    const Context bounded = context.within(notice_time);
    while (true) {
        std::string worker = TRY(who_works_in(environment, data_directory));
        if (worker.empty() || TRY(find_postmaster(environment, data_directory))) return worker;
        if (!bounded.sleep(std::chrono::milliseconds(20)).has_value()) break;
    }
    TRY(context.check("waiting for the processes of a dead server to end"));
    return who_works_in(environment, data_directory);
}

}  // namespace

Result<Identity> identify(const Context& context, Environment& environment, const Server& server,
                          Connection& connection) {
    const Rows rows =
        TRY(connection.query(context.within(std::chrono::seconds(10)), identity_question));
    Identity identity;
    const auto number = [&](const char* column) {
        return parse_integer(rows.text(0, column)).value_or(0);
    };
    // The catalog shows the identifier as a signed number.
    identity.system_identifier = static_cast<std::uint64_t>(number("system_identifier"));
    identity.timeline = static_cast<Timeline>(number("timeline"));
    identity.major = static_cast<int>(number("major"));
    identity.in_recovery = rows.text(0, "in_recovery") == "t";
    identity.data_directory = rows.text(0, "data_directory");
    if (server.data_directory && is_here(environment, server.host)) {
        auto postmaster = find_postmaster(environment, *server.data_directory);
        if (postmaster.has_value()) identity.postmaster = *postmaster;
    }
    return identity;
}

Result<void> require_pinned(const Server& server, std::uint64_t found) {
    if (!server.pinned || *server.pinned == found) return ok();
    return conflict(
        fmt::format("another cluster listens at {}: its system identifier is {}, that of {} is {}",
                    server.endpoint(), found, server.component, *server.pinned),
        "Nothing was touched. Correct host and port in the plan, or stop that server.");
}

Result<Identity> prove_identity(const Context& context, Environment& environment,
                                const Server& server) {
    auto connection = TRY(Connection::open(context, server.connect_options(false)));
    Identity identity = TRY(identify(context, environment, server, *connection));
    TRY(require_pinned(server, identity.system_identifier));
    return identity;
}

Json to_json(const ProcessIdentity& process) {
    return Json{
        {"pid", process.pid}, {"start_ticks", process.start_ticks}, {"boot_id", process.boot_id}};
}

std::optional<ProcessIdentity> process_from_json(const Json& value) {
    const auto pid = get_integer(value, "pid");
    const auto ticks = get_unsigned(value, "start_ticks");
    const auto boot = get_string(value, "boot_id");
    if (!pid.has_value() || !ticks.has_value() || !boot.has_value()) return std::nullopt;
    return ProcessIdentity{*pid, *ticks, *boot};
}

Json to_json(const Identity& identity, const Server& server) {
    Json json{{"system_identifier", fmt::format("{}", identity.system_identifier)},
              {"timeline", identity.timeline},
              {"major", identity.major},
              {"data_directory", identity.data_directory},
              {"host", server.host},
              {"port", server.port}};
    if (identity.data_directory.empty() && server.data_directory)
        json["data_directory"] = server.data_directory->string();
    if (identity.postmaster) json["postmaster"] = to_json(*identity.postmaster);
    return json;
}

Result<std::optional<ProcessIdentity>> find_postmaster(Environment& environment,
                                                       const Path& data_directory) {
    const auto text = read_file(environment.files, data_directory / "postmaster.pid", 4096);
    if (!text.has_value()) {
        if (text.error().kind == ErrorKind::not_found) return std::optional<ProcessIdentity>();
        return text.error();
    }
    const auto lines = split(as_text(*text), '\n');
    const auto pid = parse_integer(trim(lines.front()));
    if (!pid || *pid <= 0) return std::optional<ProcessIdentity>();
    auto found = environment.processes.identify(*pid);
    if (!found.has_value()) return std::optional<ProcessIdentity>();
    if (!works_in(environment, *pid, data_directory).value_or(true))
        return std::optional<ProcessIdentity>();
    return std::optional<ProcessIdentity>(*found);
}

Result<std::uint64_t> identifier_of(Environment& environment, const Path& data_directory) {
    const Bytes bytes =
        TRY(read_file(environment.files, data_directory / "global" / "pg_control", 1U << 20U));
    const ControlFile control = TRY(parse_control_file(bytes));
    return control.system_identifier;
}

Result<Death> prove_dead(const Context& context, Environment& environment, const Server& server,
                         const Json& recorded) {
    if (!is_here(environment, server.host))
        return Death{false, fmt::format("{} is another machine", server.host)};
    std::optional<ProcessIdentity> postmaster;
    if (recorded.contains("postmaster")) postmaster = process_from_json(recorded["postmaster"]);
    if (postmaster && environment.processes.is_alive(*postmaster))
        return Death{false, fmt::format("its postmaster, process {}, is alive", postmaster->pid)};
    if (!server.data_directory)
        return Death{
            false,
            "its data_directory is not in the plan, so nobody can say which processes are its"};
    const std::string worker =
        TRY(who_still_works_in(context, environment, *server.data_directory));
    if (!worker.empty()) return Death{false, worker};

    const auto connection = Connection::open(context, server.connect_options(false));
    if (!connection.has_value()) {
        TRY(context.check("proving that a server is dead"));
        const auto open = environment.network.probe_tcp(context.within(std::chrono::seconds(3)),
                                                        {server.host, server.port});
        if (open.has_value())
            return Death{false,
                         fmt::format("something listens at {} and does not say what it is: {}",
                                     server.endpoint(), connection.error().message)};
    } else {
        const auto identity = identify(context, environment, server, **connection);
        if (!identity.has_value())
            return Death{
                false, fmt::format("{} answers: {}", server.endpoint(), identity.error().message)};
        if (!server.pinned || *server.pinned == identity->system_identifier)
            return Death{false, fmt::format("{} answers as this cluster", server.endpoint())};
    }
    return Death{true, fmt::format("no process works in {}, and {} does not answer as this cluster",
                                   server.data_directory->string(), server.endpoint())};
}

}  // namespace lifeboat::postgres

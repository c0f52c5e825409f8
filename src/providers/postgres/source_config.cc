#include "providers/postgres/source_config.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <functional>

#include "platform/base/text.h"

namespace lifeboat::postgres {
namespace {

// Settings that say where the source lives, whom it talks to, how it recovers or where it logs.
constexpr std::array<std::string_view, 33> not_taken_over{"allow_in_place_tablespaces",
                                                          "archive_cleanup_command",
                                                          "archive_command",
                                                          "archive_library",
                                                          "archive_mode",
                                                          "archive_timeout",
                                                          "cluster_name",
                                                          "config_file",
                                                          "data_directory",
                                                          "event_source",
                                                          "external_pid_file",
                                                          "hba_file",
                                                          "hot_standby",
                                                          "ident_file",
                                                          "krb_server_keyfile",
                                                          "listen_addresses",
                                                          "logging_collector",
                                                          "port",
                                                          "primary_conninfo",
                                                          "primary_slot_name",
                                                          "promote_trigger_file",
                                                          "recovery_end_command",
                                                          "recovery_init_sync_method",
                                                          "recovery_min_apply_delay",
                                                          "restore_command",
                                                          "shared_buffers",
                                                          "huge_pages",
                                                          "stats_temp_directory",
                                                          "sync_replication_slots",
                                                          "synchronized_standby_slots",
                                                          "synchronous_standby_names",
                                                          "temp_tablespaces",
                                                          "unix_socket_directories"};
constexpr std::array<std::string_view, 8> not_taken_over_families{
    "recovery_target", "log_dest",     "log_dir", "log_file",
    "syslog_",         "unix_socket_", "bonjour", "wal_receiver_"};
// Written by us with the larger of both values.
constexpr std::array<std::string_view, 5> limit_names{
    "max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_transactions",
    "max_locks_per_transaction"};
constexpr std::size_t socket_path_max = 107;
constexpr std::uint64_t buffers_default = 128U << 20U;

bool is_taken_over(std::string_view name, bool ssl_files_present) {
    const auto equals = [&](std::string_view other) { return other == name; };
    const auto begins = [&](std::string_view family) { return name.starts_with(family); };
    if (std::any_of(not_taken_over.begin(), not_taken_over.end(), equals)) return false;
    if (std::any_of(limit_names.begin(), limit_names.end(), equals)) return false;
    if (name.starts_with("ssl") && !ssl_files_present) return false;
    return std::none_of(not_taken_over_families.begin(), not_taken_over_families.end(), begins);
}

std::optional<std::uint64_t> parse_memory(std::string_view text) {
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = parse_integer(text.substr(0, digits));
    const std::string_view unit = trim(text.substr(digits));
    if (!number) return std::nullopt;
    const auto value = static_cast<std::uint64_t>(*number);
    if (unit == "kB") return value << 10U;
    if (unit == "MB") return value << 20U;
    if (unit == "GB") return value << 30U;
    return std::nullopt;
}

/// The source's buffers, but not more than a quarter of this machine.
std::string buffers(const RestoredConfig& config) {
    const auto wanted = config.source.find("shared_buffers");
    std::uint64_t size = buffers_default;
    if (wanted != config.source.end())
        size = parse_memory(wanted->second).value_or(buffers_default);
    if (config.memory != 0) size = std::min(size, config.memory / 4);
    return fmt::format("{}kB", std::max<std::uint64_t>(size, 1U << 20U) / 1024);
}

Result<void> capture_files(const Context& context, Connection& connection, SourceConfig& config) {
    static constexpr std::array<std::pair<const char*, const char*>, 3> wanted{
        {{"postgresql.conf", "config_file"},
         {"pg_hba.conf", "hba_file"},
         {"pg_ident.conf", "ident_file"}}};
    for (const auto& [name, setting] : wanted) {
        const auto text = connection.query(
            context, fmt::format("SELECT pg_read_file(current_setting('{}'))", setting));
        if (text.has_value()) {
            config.files[name] = text->first();
        } else if (connection.sqlstate().empty()) {
            return text.error();  // the connection; a refusal only means that we may not look
        }
    }
    return ok();
}

}  // namespace

Result<SourceConfig> capture_config(const Context& context, Connection& connection) {
    SourceConfig config;
    const Rows rows = TRY(connection.query(
        context,
        "SELECT name, current_setting(name, true) FROM pg_settings WHERE context <> 'internal' AND "
        "source IN "
        "('configuration file', 'command line', 'environment variable', 'global')"));
    for (const auto& row : rows.rows)
        if (row[0] && row[1]) config.settings[*row[0]] = *row[1];
    const Rows facts = TRY(connection.query(
        context,
        "SELECT current_setting('max_connections'), current_setting('max_worker_processes'), "
        "current_setting('max_wal_senders'), current_setting('max_prepared_transactions'), "
        "current_setting('max_locks_per_transaction'), current_setting('server_version'), "
        "current_setting('data_checksums'), current_setting('block_size'), "
        "(SELECT setting FROM pg_settings WHERE name = 'segment_size')"));
    const auto number = [&](std::size_t column) {
        return parse_integer(facts.first(column)).value_or(0);
    };
    config.limits = {number(0), number(1), number(2), number(3), number(4)};
    config.version = facts.first(5);
    config.checksums = facts.first(6) == "on";
    config.block_size = static_cast<std::uint32_t>(number(7));
    config.blocks_per_segment = static_cast<std::uint32_t>(number(8));
    TRY(capture_files(context, connection, config));
    return config;
}

Json to_json(const Limits& limits) {
    return Json{{"max_connections", limits.max_connections},
                {"max_worker_processes", limits.max_worker_processes},
                {"max_wal_senders", limits.max_wal_senders},
                {"max_prepared_transactions", limits.max_prepared_transactions},
                {"max_locks_per_transaction", limits.max_locks_per_transaction}};
}

Limits limits_from_json(const Json& value) {
    return {integer_or(value, "max_connections", 100), integer_or(value, "max_worker_processes", 8),
            integer_or(value, "max_wal_senders", 10),
            integer_or(value, "max_prepared_transactions", 0),
            integer_or(value, "max_locks_per_transaction", 64)};
}

std::string quote_setting(std::string_view value) {
    std::string quoted = "'";
    for (const char c : value) {
        if (c == '\n') {
            quoted += "\\n";
            continue;
        }
        if (c == '\'' || c == '\\') quoted += c;
        quoted += c;
    }
    return quoted + "'";
}

namespace {

/// Libraries whose background workers would begin to act once the copy is writable.
constexpr std::array<std::string_view, 4> schedulers{"pg_cron", "pg_partman_bgw", "pg_timetable",
                                                     "pglogical"};

void isolate(const RestoredConfig& config,
             const std::function<void(std::string_view, std::string_view)>& set) {
    set("max_logical_replication_workers", "0");
    set("autovacuum", "off");
    set("fsync", "off");
    const auto libraries = config.source.find("shared_preload_libraries");
    if (libraries == config.source.end()) return;
    std::vector<std::string> kept;
    for (const std::string_view library : split(libraries->second, ','))
        if (std::ranges::find(schedulers, trim(library)) == schedulers.end())
            kept.emplace_back(trim(library));
    set("shared_preload_libraries", join(kept, ","));
}

}  // namespace

std::string make_config(const RestoredConfig& config) {
    std::string text =
        "# Written by Lifeboat for a restored server. Settings of the source come first; what "
        "follows below\n"
        "# overrides them. ALTER SYSTEM and edits at the end are yours.\n\n";
    const auto set = [&](std::string_view name, std::string_view value) {
        text += fmt::format("{} = {}\n", name, quote_setting(value));
    };
    for (const auto& [name, value] : config.source)
        if (is_taken_over(name, config.ssl_files_present)) set(name, value);
    text += "\n# This instance.\n";
    const std::string sockets = (config.directory / "run").string();
    const bool fits = sockets.size() + std::string_view("/.s.PGSQL.65535").size() < socket_path_max;
    set("listen_addresses", config.listen);
    set("port", fmt::format("{}", config.port));
    set("unix_socket_directories", fits ? sockets : "");
    set("hba_file", (config.directory / "data" / "pg_hba.conf").string());
    set("ident_file", (config.directory / "data" / "pg_ident.conf").string());
    set("shared_buffers", buffers(config));
    set("huge_pages", "try");
    set("logging_collector", "off");
    set("log_destination", "stderr");
    set("archive_mode", "off");
    set("synchronous_standby_names", "");
    set("primary_conninfo", "");
    set("hot_standby", "on");
    if (config.major >= 14) set("recovery_init_sync_method", "syncfs");
    if (!config.ssl_files_present) set("ssl", "off");
    const auto limit = [&](std::size_t index, std::int64_t value) {
        const auto found = config.source.find(std::string(limit_names[index]));
        const auto source =
            found == config.source.end() ? std::nullopt : parse_integer(found->second);
        set(limit_names[index], fmt::format("{}", std::max(value, source.value_or(0))));
    };
    limit(0, config.limits.max_connections);
    limit(1, config.limits.max_worker_processes);
    limit(2, config.limits.max_wal_senders);
    limit(3, config.limits.max_prepared_transactions);
    limit(4, config.limits.max_locks_per_transaction);
    if (config.isolated) isolate(config, set);
    if (config.restore_command.empty()) return text;
    text += "\n# Replays exactly what the vault is proven to hold, and waits there.\n";
    set("restore_command", config.restore_command);
    set("recovery_target_timeline", fmt::format("{}", config.recovery_timeline));
    return text;
}

std::string make_hba(const std::string& source, const std::string& user, bool has_password,
                     bool is_aside) {
    constexpr std::string_view ours = "# Lifeboat, from this machine.\n";
    constexpr std::string_view by_socket = "local all all trust\n";
    if (source.starts_with(ours)) {
        // What was recovered once has our lines already; those of a copy it never has.
        const std::string rest = source.substr(ours.size());
        const bool opens = is_aside && !rest.starts_with(by_socket);
        return opens ? fmt::format("{}{}{}", ours, by_socket, rest) : source;
    }
    std::string text;
    if (has_password || is_aside) text += ours;
    if (is_aside) text += by_socket;
    if (has_password) {
        for (const char* address : {"127.0.0.1/32", "::1/128"})
            for (const char* database : {"all", "replication"})
                text +=
                    fmt::format("host {} {} {} md5\n", database, quote_identifier(user), address);
    }
    if (!source.empty()) return text + "# The source's.\n" + source;
    return text +
           "local all all peer\nhost all all 127.0.0.1/32 scram-sha-256\nhost all all ::1/128 "
           "scram-sha-256\n";
}

std::string spool_command(const Path& spool) {
    // For the shell in single quotes; a percent sign is the server's own and doubled.
    std::string path;
    for (const char c : spool.string()) {
        if (c == '\'') path += "'\\'";
        if (c == '%') path += '%';
        path += c;
    }
    return fmt::format("{{ test -f '{0}'/%f && cp '{0}'/%f %p; }} 2>/dev/null || exit 1", path);
}

}  // namespace lifeboat::postgres

#include "providers/postgres/replay.h"

#include <fmt/core.h>

#include <set>

#include "platform/base/text.h"
#include "providers/postgres/backup.h"
#include "providers/postgres/source_config.h"

namespace lifeboat::postgres {
namespace {

using namespace std::chrono_literals;
constexpr std::size_t spool_files = 16;
constexpr std::uint64_t spool_bytes = 512U << 20U;
constexpr Duration look_every = 20ms;
constexpr Duration answer_time = 2s;
constexpr unsigned starts_max = 4;

FetchRequest fetch_request(const Marker& marker) {
    return {marker.component, marker.system_identifier, marker.segment_size, marker.stretches};
}

/// Of this machine; 0 when /proc does not say.
std::uint64_t machine_memory(Files& files) {
    const auto text = read_file(files, "/proc/meminfo", 1U << 20U);
    if (!text.has_value()) return 0;
    for (const std::string_view line : split(as_text(*text), '\n')) {
        if (!line.starts_with("MemTotal:")) continue;
        const auto number = parse_integer(trim(line.substr(9, line.find('k') - 9)));
        return number ? static_cast<std::uint64_t>(*number) * 1024 : 0;
    }
    return 0;
}

bool files_exist(Files& files, const Path& data,
                 const std::map<std::string, std::string>& settings) {
    for (const char* name : {"ssl_cert_file", "ssl_key_file"}) {
        const auto setting = settings.find(name);
        const Path path =
            setting == settings.end()
                ? Path(name == std::string_view("ssl_cert_file") ? "server.crt" : "server.key")
                : Path(setting->second);
        if (!files.status(path.is_absolute() ? path : data / path).has_value()) return false;
    }
    return true;
}

std::string text_or_empty(Files& files, const Path& path) {
    const auto text = read_file(files, path);
    return text.has_value() ? std::string(as_text(*text)) : std::string();
}

}  // namespace

Result<void> write_server_config(const Services& services, const Server& server,
                                 const Path& directory, const Marker& marker, bool recovering) {
    Files& files = services.environment.files;
    const Path data = directory / "data";
    const auto owner = TRY(run_as_user(services.environment, server));
    RestoredConfig config;
    for (const auto& [name, value] : marker.settings.items())
        if (value.is_string()) config.source[name] = value.get<std::string>();
    config.limits = marker.limits;
    config.major = marker.major;
    config.listen = server.host;
    config.port = marker.port;
    config.directory = directory;
    config.memory = machine_memory(files);
    config.isolated = marker.is_aside;
    config.ssl_files_present = files_exist(files, data, config.source);
    if (recovering) {
        config.restore_command = spool_command(directory / "wal");
        config.recovery_timeline = marker.timeline;
    }
    TRY(write_owned(files, data / "postgresql.conf", as_bytes(make_config(config)), owner));
    const std::string hba = make_hba(text_or_empty(files, data / "pg_hba.conf.source"), server.user,
                                     !server.password.empty(), marker.is_aside);
    TRY(write_owned(files, data / "pg_hba.conf", as_bytes(hba), owner));
    for (const char* name : {"pg_ident.conf", "postgresql.auto.conf"})
        if (!files.status(data / name).has_value()) TRY(write_owned(files, data / name, {}, owner));
    return ok();
}

Result<void> spool_histories(const Services& services, const Server& server, const Path& directory,
                             const Marker& marker) {
    vault::Vault* vault = TRY(require_vault(services));
    const auto owner = TRY(run_as_user(services.environment, server));
    const Holdings holdings =
        TRY(load_holdings(*vault, marker.component, marker.system_identifier));
    WalSource source(*vault, fetch_request(marker));
    for (const auto& [timeline, history] : holdings.histories)
        TRY(source.fetch(services.environment.files, history_name(timeline),
                         directory / "wal" / history_name(timeline), owner));
    return ok();
}

Replay::Replay(const Services& services, const Server& server, Path directory, Marker& marker,
               providers::ProgressSink progress)
    : services_(services),
      server_(server),
      directory_(std::move(directory)),
      marker_(marker),
      progress_(std::move(progress)),
      source_(*services.vault, fetch_request(marker)) {}

Result<void> Replay::begin(const Context& context) {
    owner_ = TRY(run_as_user(services_.environment, server_));
    segments_ = TRY(source_.segments(marker_.base_timeline, marker_.start));
    TRY(spool_histories(services_, server_, directory_, marker_));
    TRY(fill_spool());
    if (marker_.postmaster && services_.environment.processes.is_alive(*marker_.postmaster))
        return ok();
    return start(context);
}

Result<void> Replay::start(const Context& context) {
    TRY(write_server_config(services_, server_, directory_, marker_, true));
    TRY(write_owned(services_.environment.files, directory_ / "data" / "standby.signal", {},
                    owner_));
    ++starts_;
    StartOptions options;
    options.programs = TRY(find_programs(services_.environment, server_, marker_.major));
    options.data_directory = directory_ / "data";
    options.log = directory_ / "server.log";
    options.run_as = owner_;
    marker_.postmaster = TRY(start_server(context, services_.environment, options));
    marker_.state = Marker::State::replaying;
    return save_marker(services_.environment.files, directory_, marker_);
}

Result<void> Replay::fill_spool() {
    Files& files = services_.environment.files;
    const Path spool = directory_ / "wal";
    const std::vector<std::string> names = TRY(files.list(spool));
    std::size_t waiting = 0;
    for (const std::string& name : names) {
        const auto file = parse_wal_file(name, marker_.segment_size);
        if (!file.has_value() || file->kind != WalFile::Kind::segment) continue;
        // What the server has taken stands in its pg_wal; only the last one is asked for again.
        const bool last = !segments_.empty() && file->begin == segments_.back().begin;
        if (!last && files.status(directory_ / "data" / "pg_wal" / name).has_value()) {
            TRY(files.remove(spool / name));
        } else {
            ++waiting;
        }
    }
    while (next_segment_ < segments_.size() && waiting < spool_files &&
           waiting * std::uint64_t{marker_.segment_size} < spool_bytes) {
        const WalFile& segment = segments_[next_segment_];
        const std::string name =
            segment_name(segment.timeline, segment.begin, marker_.segment_size);
        const bool there = files.status(spool / name).has_value() ||
                           files.status(directory_ / "data" / "pg_wal" / name).has_value();
        if (!there || next_segment_ + 1 == segments_.size()) {
            const bool served = TRY(source_.fetch(files, name, spool / name, owner_));
            if (!served) return corrupt(fmt::format("segment {} is not in the vault", name));
            ++waiting;
        }
        ++next_segment_;
    }
    return ok();
}

/// Errors: conflict: somebody else has taken the port, and what he says is not about our server.
Result<void> Replay::enter(const Context& context) {
    const Context bounded = context.within(answer_time);
    auto opened = TRY(Connection::open(bounded, server_.connect_options(false)));
    const Identity found = TRY(identify(bounded, services_.environment, server_, *opened));
    const bool elsewhere =
        !found.data_directory.empty() && Path(found.data_directory) != directory_ / "data";
    if (elsewhere || found.system_identifier != marker_.system_identifier)
        return conflict(
            fmt::format("another server has taken port {}: it works in {}", server_.port,
                        elsewhere ? found.data_directory : "an unknown directory"),
            "Give the site a range of ports that nobody else uses.");
    connection_ = std::move(opened);
    return ok();
}

Result<Replay::Position> Replay::look(const Context& context) {
    if (!connection_) TRY(enter(context));
    const auto rows = connection_->query(
        context.within(answer_time),
        marker_.major >= 14 ? "SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn(), "
                              "pg_get_wal_replay_pause_state() = 'paused'"
                            : "SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn(), false");
    if (!rows.has_value()) {
        connection_.reset();
        return rows.error();
    }
    Position position;
    position.in_recovery = rows->first(0) == "t";
    position.replayed = parse_lsn(rows->first(1)).value_or(0);
    position.paused = rows->first(2) == "t";
    return position;
}

Result<bool> Replay::raise_limits(const Context& context) {
    // Replay has met higher limits than the base backup knew: they stand in the control file now.
    const auto bytes =
        read_file(services_.environment.files, directory_ / "data" / "global" / "pg_control");
    if (!bytes.has_value() || starts_ >= starts_max) return false;
    const auto control = parse_control_file(*bytes);
    if (!control.has_value()) return false;
    const Limits raised = marker_.limits.raised_to(control->limits);
    if (raised == marker_.limits) return false;
    marker_.limits = raised;
    connection_.reset();
    TRY(stop_server(context, services_.environment, *marker_.postmaster));
    TRY(start(context));
    return true;
}

Result<void> Replay::refuse(const Context& context, const std::string& why) {
    TRY(stop_server(context, services_.environment, *marker_.postmaster));
    return corrupt(fmt::format("{}: {}", directory_.string(), why),
                   "It was stopped at once; restore again. Its directory is kept for examination.");
}

Result<void> Replay::reach_target(const Context& context) {
    Lsn replayed = 0;
    std::size_t fed = 0;
    Monotonic moved = context.clock().monotonic();
    while (true) {
        TRY(context.check("replaying WAL"));
        TRY(fill_spool());
        if (!services_.environment.processes.is_alive(*marker_.postmaster)) {
            const bool raised = TRY(raise_limits(context));
            if (!raised)
                return unavailable(
                    fmt::format("the restored server ended: {}",
                                log_tail(services_.environment, directory_ / "server.log")),
                    fmt::format("Its log is {}.", (directory_ / "server.log").string()));
        }
        const auto position = look(context);
        if (position.has_value()) {
            if (!position->in_recovery)
                return refuse(context, "the restored server left recovery by itself");
            if (position->replayed > marker_.target)
                return refuse(context, fmt::format("replay is at {}, beyond the target {}",
                                                   format_lsn(position->replayed),
                                                   format_lsn(marker_.target)));
            if (progress_ && position->replayed > marker_.start)
                progress_(position->replayed - marker_.start, marker_.target - marker_.start,
                          "bytes of WAL");
            if (position->replayed == marker_.target) return ok();
            if (position->paused) TRY(raise_limits(context));
        } else if (position.error().kind == ErrorKind::denied ||
                   position.error().kind == ErrorKind::conflict) {
            return position.error();
        }
        if ((position.has_value() && position->replayed != replayed) || fed != next_segment_) {
            if (position.has_value()) replayed = position->replayed;
            fed = next_segment_;
            moved = context.clock().monotonic();
        }
        if (context.clock().monotonic() - moved >= server_.start_timeout)
            return timeout(fmt::format("the restored server made no progress for {}: replay is at "
                                       "{}, the target is {}",
                                       human_duration(server_.start_timeout), format_lsn(replayed),
                                       format_lsn(marker_.target)),
                           fmt::format("Its log is {}.", (directory_ / "server.log").string()));
        TRY(context.sleep(look_every));
    }
}

}  // namespace lifeboat::postgres

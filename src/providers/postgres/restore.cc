#include "providers/postgres/restore.h"

#include <fmt/core.h>

#include "providers/postgres/backup.h"
#include "providers/postgres/replay.h"
#include "providers/postgres/source_config.h"

namespace lifeboat::postgres {
namespace {

/// Where an entry of a point goes below data/; nothing for what is made anew or belongs elsewhere.
std::optional<std::string> data_path(const vault::Entry& entry) {
    constexpr std::string_view prefix = "data/";
    if (!entry.path.starts_with(prefix)) return std::nullopt;
    const std::string path = entry.path.substr(prefix.size());
    if (entry.type == vault::Entry::Type::symlink && path.starts_with("pg_tblspc/"))
        return std::nullopt;
    for (const char* name :
         {"standby.signal", "recovery.signal", "tablespace_map", "postmaster.pid", "lifeboat.down"})
        if (path == name) return std::nullopt;
    // Kept beside ours for people to compare; those of the source's own restore are not.
    for (const std::string name : {"postgresql.conf", "postgresql.auto.conf", "pg_hba.conf"}) {
        if (path == name) return path + ".source";
        if (path == name + ".source") return std::nullopt;
    }
    return path;
}

std::optional<std::string> tablespace_path(const vault::Entry& entry) {
    constexpr std::string_view prefix = "tablespaces/";
    if (!entry.path.starts_with(prefix)) return std::nullopt;
    return entry.path.substr(prefix.size());
}

/// As the server escapes a location in tablespace_map.
std::string escaped(const std::string& path) {
    std::string text;
    for (const char c : path) {
        if (c == '\n' || c == '\r' || c == '\\') text += '\\';
        text += c;
    }
    return text;
}

class FilesRestore {
public:
    FilesRestore(const Services& services, const Server& server, const Path& directory,
                 const providers::ProgressSink& progress)
        : services_(services),
          files_(services.environment.files),
          server_(server),
          directory_(directory),
          progress_(progress) {}

    Result<void> run(const Context& context, const PointId& id) {
        owner_ = TRY(run_as_user(services_.environment, server_));
        for (const char* name : {"", "wal", "run"})
            TRY(make_owned_directory(files_, directory_ / name, owner_));
        auto point = TRY(services_.vault->open_point(id));
        TRY(restore_part(context, *point, directory_ / "data", data_path));
        TRY(files_.set_permissions(directory_ / "data", 0700));
        TRY(restore_tablespaces(context, *point));
        TRY(restore_config(*point));
        return protect_label();
    }

private:
    Result<void> restore_part(const Context& context, vault::PointReader& point, const Path& to,
                              std::optional<std::string> (*map)(const vault::Entry&)) {
        vault::RestoreOptions options;
        options.owner = owner_;
        options.map = map;
        return point.restore(context, to, options, [this](std::uint64_t done, std::uint64_t total) {
            if (progress_) progress_(done, total, "bytes");
        });
    }

    Result<void> restore_tablespaces(const Context& context, vault::PointReader& point) {
        const Json spaces = point.point().facts.value("tablespaces", Json::array());
        if (spaces.empty()) return ok();
        const Path target = directory_ / "tablespaces";
        TRY(restore_part(context, point, target, tablespace_path));
        std::string map;
        for (const Json& space : spaces) {
            const std::string oid = TRY(get_string(space, "oid"));
            const Path link = directory_ / "data" / "pg_tblspc" / oid;
            TRY(files_.make_symlink(target / oid, link));
            map += fmt::format("{} {}\n", oid, escaped((target / oid).string()));
        }
        TRY(files_.sync_directory(directory_ / "data" / "pg_tblspc"));
        return write_owned(files_, directory_ / "data" / "tablespace_map", as_bytes(map), owner_);
    }

    /// What lay outside the source's data directory.
    Result<void> restore_config(vault::PointReader& point) {
        for (const auto& [name, as] : {std::pair{"postgresql.conf", "postgresql.conf.source"},
                                       std::pair{"pg_hba.conf", "pg_hba.conf.source"},
                                       std::pair{"pg_ident.conf", "pg_ident.conf"}}) {
            const Path path = directory_ / "data" / as;
            if (files_.status(path).has_value()) continue;
            const auto text = point.read_file(std::string("config/") + name);
            if (text.has_value()) TRY(write_owned(files_, path, *text, owner_));
        }
        return ok();
    }

    Result<void> protect_label() {
        const Path path = directory_ / "data" / "global" / "pg_control";
        const Bytes bytes = TRY(read_file(files_, path));
        const Bytes changed = TRY(require_backup_label(bytes));
        auto padded = changed;
        padded.resize(bytes.size());
        return write_owned(files_, path, padded, owner_);
    }

    const Services& services_;
    Files& files_;
    const Server& server_;
    const Path& directory_;
    const providers::ProgressSink& progress_;
    std::optional<RunAs> owner_;
};

/// Takes away what an earlier attempt with the same token left. Errors: conflict (it is not ours to
/// take).
Result<void> clean(const Context& context, const Services& services, const Path& directory,
                   const RestoreFound& found) {
    Files& files = services.environment.files;
    if (!found.marker) {
        const auto names = files.list(directory);
        if (!names.has_value())
            return names.error().kind == ErrorKind::not_found ? ok() : Result<void>(names.error());
        if (names->empty()) return ok();
        return conflict(
            fmt::format("{} is there and was not made by this step", directory.string()),
            "A restore never writes over anything: move it away.");
    }
    if (found.marker->state == Marker::State::promoted)
        return conflict(fmt::format("{} holds a server that was promoted", directory.string()),
                        "It is never cleaned: remove it by hand if it is not needed.");
    if (found.marker->postmaster)
        TRY(stop_server(context, services.environment, *found.marker->postmaster));
    return files.remove_tree(directory);
}

/// The server's user must be able to walk to its directory. Errors: denied (names the folder).
Result<void> require_reachable(Environment& environment, const Server& server,
                               const Path& directory) {
    const auto user = TRY(run_as_user(environment, server));
    if (!user) return ok();
    for (Path folder = directory.parent_path(); folder.has_relative_path();
         folder = folder.parent_path()) {
        const auto status = environment.files.status(folder);
        const bool open = !status.has_value() || (status->mode & 01U) != 0 ||
                          (status->owner == user->uid && (status->mode & 0100U) != 0);
        if (open) continue;
        return denied(
            fmt::format("the user of the servers ({}) may not enter {}",
                        server.run_as.empty() ? "postgres" : server.run_as, folder.string()),
            "Put the site's directory elsewhere, or give others the right to pass (chmod "
            "o+x).");
    }
    return ok();
}

Marker marker_of(const RestoreRequest& request, const Choice& choice, std::uint16_t port) {
    Marker marker;
    marker.token = request.token;
    marker.component = request.component.name;
    marker.point = choice.base.point.id.value;
    marker.system_identifier = choice.base.system_identifier;
    marker.timeline = choice.timeline;
    marker.start = choice.base.start;
    marker.target = choice.until;
    marker.target_at = choice.at;
    marker.stretches = choice.stretches;
    marker.segment_size = choice.base.segment_size;
    marker.base_timeline = choice.base.timeline;
    marker.port = port;
    const Json& facts = choice.base.point.facts;
    marker.major = static_cast<int>(integer_or(facts, "major", 15));
    marker.limits = limits_from_json(facts.value("limits", Json::object()));
    marker.settings = facts.value("settings", Json::object());
    marker.is_aside = request.is_aside;
    return marker;
}

}  // namespace

Result<Choice> choose_for(const Context& context, const Services& services,
                          const RestoreRequest& request) {
    vault::Vault* vault = TRY(require_vault(services));
    const Holdings holdings =
        TRY(load_holdings(*vault, request.component.name, request.system_identifier));
    VaultWalIndex index(*vault, holdings);
    return choose(holdings, index, request.to, context.clock().now(),
                  request.is_aside ? Bad::accepted : Bad::refused);
}

Result<RestoreFound> find_restore(const Services& services, const RestoreRequest& request) {
    const providers::LocalSite site =
        TRY(providers::local_site(request.plan, request.site, services.plan_directory));
    RestoreFound found;
    found.directory = instance_directory(site, request.component.name, request.token);
    auto marker = load_marker(services.environment.files, found.directory);
    if (!marker.has_value()) {
        if (marker.error().kind == ErrorKind::not_found) return found;
        return marker.error();
    }
    if (marker->token != request.token)
        return conflict(fmt::format("{} belongs to '{}'", found.directory.string(), marker->token),
                        "A restore never writes over anything: move it away.");
    found.alive =
        marker->postmaster && services.environment.processes.is_alive(*marker->postmaster);
    found.marker = std::move(*marker);
    return found;
}

Result<Instance> candidate_of(const RestoreRequest& request, const Path& directory,
                              const Marker& marker) {
    Instance instance;
    instance.component = request.component.name;
    instance.site = request.site;
    instance.name = directory.filename().string();
    instance.settings = providers::settings_at(request.component, request.site);
    instance.settings["host"] = "127.0.0.1";
    instance.settings["port"] = marker.port;
    instance.settings["data_directory"] = (directory / "data").string();
    instance.settings.erase("config_file");
    instance.identity = Json{{"system_identifier", fmt::format("{}", marker.system_identifier)},
                             {"timeline", marker.timeline},
                             {"major", marker.major},
                             {"data_directory", (directory / "data").string()},
                             {"host", "127.0.0.1"},
                             {"port", marker.port},
                             {"target_lsn", format_lsn(marker.target)},
                             {"restored_from", marker.point}};
    if (marker.postmaster) instance.identity["postmaster"] = to_json(*marker.postmaster);
    instance.endpoint = fmt::format("127.0.0.1:{}", marker.port);
    instance.made_by = request.token;
    return instance;
}

Json restore_outputs(const Instance& instance, const Path& directory, const Marker& marker) {
    Json outputs{{"instance", providers::to_json(instance)},
                 {"host", "127.0.0.1"},
                 {"port", marker.port},
                 {"endpoint", instance.endpoint},
                 {"target_lsn", format_lsn(marker.target)},
                 {"timeline", marker.timeline},
                 {"point", marker.point},
                 {"directory", directory.string()}};
    if (marker.target_at) outputs["target_time"] = format_instant(*marker.target_at);
    return outputs;
}

Result<Json> restore(const Context& context, const Services& services,
                     const RestoreRequest& request) {
    TRY(require_vault(services));
    Environment& environment = services.environment;
    RestoreFound found = TRY(find_restore(services, request));
    const bool goes_on = found.alive && found.marker->state != Marker::State::promoted;
    Marker marker;
    if (goes_on) {
        marker = *found.marker;
    } else {
        const Choice choice = TRY(choose_for(context, services, request));
        const providers::LocalSite site =
            TRY(providers::local_site(request.plan, request.site, services.plan_directory));
        TRY(providers::make_site_directory(environment, site));
        TRY(clean(context, services, found.directory, found));
        const std::uint16_t port =
            TRY(providers::reserve_free_port(environment, site, request.token));
        marker = marker_of(request, choice, port);
    }
    const Instance planned = TRY(candidate_of(request, found.directory, marker));
    const Server server = TRY(server_of(services, request.plan, planned));
    // Before anything is written.
    TRY(find_programs(environment, server, marker.major));
    TRY(require_reachable(environment, server, found.directory));
    if (!goes_on) {
        TRY(environment.files.make_directories(found.directory, 0700));
        TRY(save_marker(environment.files, found.directory, marker));
        TRY(FilesRestore(services, server, found.directory, request.progress)
                .run(context, PointId(marker.point)));
        if (request.on_files) TRY(request.on_files(found.directory / "data"));
    }
    Replay replay(services, server, found.directory, marker, request.progress);
    TRY(replay.begin(context));
    TRY(replay.reach_target(context));
    TRY(prove_identity(context, environment, server));
    marker.state = Marker::State::ready;
    TRY(save_marker(environment.files, found.directory, marker));
    const Instance made = TRY(candidate_of(request, found.directory, marker));
    return restore_outputs(made, found.directory, marker);
}

}  // namespace lifeboat::postgres

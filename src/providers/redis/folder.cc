#include "providers/redis/folder.h"

#include <fmt/core.h>

namespace lifeboat::redis {
namespace {

constexpr const char* marker_name = "lifeboat.json";
constexpr std::size_t marker_max = std::size_t{1} << 20U;

constexpr std::string_view names[] = {"writing", "complete", "fenced"};

Json to_json(const Marker& marker) {
    Json value{{"kind", "redis"},
               {"state", names[static_cast<std::size_t>(marker.state)]},
               {"token", marker.token},
               {"component", marker.component},
               {"point", marker.point},
               {"port", marker.port},
               {"target_time", marker.target_time},
               {"counts", marker.counts}};
    if (marker.is_aside) value["aside"] = true;
    if (marker.server)
        value["server"] = Json{{"pid", marker.server->pid},
                               {"start_ticks", marker.server->start_ticks},
                               {"boot_id", marker.server->boot_id}};
    return value;
}

Result<Marker> marker_from(const Json& value) {
    Marker marker;
    const std::string state = TRY(get_string(value, "state"));
    const auto found = std::ranges::find(names, state);
    if (found == std::end(names)) return corrupt(fmt::format("state '{}' is unknown", state));
    marker.state = static_cast<Marker::State>(found - std::begin(names));
    marker.token = TRY(get_string(value, "token"));
    marker.component = TRY(get_string(value, "component"));
    marker.point = string_or(value, "point", "");
    marker.port = static_cast<std::uint16_t>(integer_or(value, "port", 0));
    marker.target_time = string_or(value, "target_time", "");
    if (value.contains("counts")) marker.counts = value["counts"];
    marker.is_aside = bool_or(value, "aside", false);
    if (value.contains("server")) {
        ProcessIdentity identity;
        identity.pid = TRY(get_integer(value["server"], "pid"));
        identity.start_ticks = TRY(get_unsigned(value["server"], "start_ticks"));
        identity.boot_id = TRY(get_string(value["server"], "boot_id"));
        marker.server = identity;
    }
    return marker;
}

}  // namespace

Path folder_of(const providers::LocalSite& site, const std::string& component,
               const std::string& token) {
    std::string name = component + "-" + token;
    for (char& each : name)
        if (each == '/' || each == '\0') each = '-';
    return site.directory / name;
}

Path folder_above(const Path& data_directory) { return data_directory.parent_path(); }

Result<std::optional<Marker>> load_marker(Files& files, const Path& folder) {
    auto bytes = read_file(files, folder / marker_name, marker_max);
    if (!bytes.has_value()) {
        if (bytes.error().kind == ErrorKind::not_found) return std::optional<Marker>();
        return std::move(bytes).error();
    }
    const std::string where = (folder / marker_name).string();
    auto value = parse_json(as_text(*bytes));
    if (!value.has_value()) return corrupt(where + ": " + value.error().message);
    auto marker = marker_from(*value);
    if (!marker.has_value()) return std::move(marker).error().in(where);
    return std::optional<Marker>(*std::move(marker));
}

Result<void> save_marker(Files& files, const Path& folder, const Marker& marker) {
    return write_file_durably(files, folder / marker_name,
                              as_bytes(dump_pretty(to_json(marker)) + "\n"));
}

Result<void> write_owned(Files& files, const Path& path, std::string_view text,
                         const std::optional<RunAs>& owner) {
    TRY(write_file_durably(files, path, as_bytes(text), 0600));
    if (owner) TRY(files.set_owner(path, owner->uid, owner->gid));
    return ok();
}

}  // namespace lifeboat::redis

#include "providers/postgres/instance_directory.h"

#include <fmt/core.h>

#include <array>
#include <charconv>

#include "providers/postgres/identity.h"
#include "providers/postgres/source_config.h"
#include "providers/postgres/wal_fetch.h"

namespace lifeboat::postgres {
namespace {

constexpr std::array<const char*, 4> states{"restoring", "replaying", "ready", "promoted"};

Json marker_json(const Marker& marker) {
    Json json{{"what", "a server restored by lifeboat"},
              {"state", states[static_cast<std::size_t>(marker.state)]},
              {"token", marker.token},
              {"component", marker.component},
              {"point", marker.point},
              {"system_identifier", fmt::format("{}", marker.system_identifier)},
              {"timeline", marker.timeline},
              {"start_lsn", format_lsn(marker.start)},
              {"target_lsn", format_lsn(marker.target)},
              {"stretches", format_stretches(marker.stretches)},
              {"base_timeline", marker.base_timeline},
              {"wal_segment_size", marker.segment_size},
              {"major", marker.major},
              {"port", marker.port},
              {"limits", to_json(marker.limits)},
              {"settings", marker.settings}};
    if (marker.is_aside) json["aside"] = true;
    if (marker.target_at) json["target_time"] = format_instant(*marker.target_at);
    if (marker.postmaster) json["postmaster"] = to_json(*marker.postmaster);
    return json;
}

Result<Marker> marker_from(const Json& json) {
    Marker marker;
    const std::string state = TRY(get_string(json, "state"));
    const auto found = std::find(states.begin(), states.end(), state);
    if (found == states.end()) return corrupt(fmt::format("unknown state '{}'", state));
    marker.state = static_cast<Marker::State>(found - states.begin());
    marker.token = TRY(get_string(json, "token"));
    marker.component = TRY(get_string(json, "component"));
    marker.point = TRY(get_string(json, "point"));
    const std::string identifier = TRY(get_string(json, "system_identifier"));
    std::from_chars(identifier.data(), identifier.data() + identifier.size(),
                    marker.system_identifier);
    const std::string start = TRY(get_string(json, "start_lsn"));
    marker.start = TRY(parse_lsn(start));
    const std::string target = TRY(get_string(json, "target_lsn"));
    marker.target = TRY(parse_lsn(target));
    const std::string stretches = TRY(get_string(json, "stretches"));
    marker.stretches = TRY(parse_stretches(stretches));
    marker.timeline = static_cast<Timeline>(integer_or(json, "timeline", 0));
    marker.base_timeline = static_cast<Timeline>(integer_or(json, "base_timeline", 0));
    marker.segment_size = static_cast<std::uint32_t>(integer_or(json, "wal_segment_size", 0));
    marker.major = static_cast<int>(integer_or(json, "major", 0));
    marker.port = static_cast<std::uint16_t>(integer_or(json, "port", 0));
    marker.limits = limits_from_json(json.value("limits", Json::object()));
    marker.settings = json.value("settings", Json::object());
    marker.is_aside = bool_or(json, "aside", false);
    if (const auto at = get_instant(json, "target_time"); at.has_value()) marker.target_at = *at;
    if (json.contains("postmaster")) marker.postmaster = process_from_json(json["postmaster"]);
    if (!is_segment_size(marker.segment_size)) return corrupt("no segment size");
    return marker;
}

}  // namespace

Path instance_directory(const providers::LocalSite& site, const std::string& component,
                        const std::string& token) {
    std::string name = component + "-" + token;
    for (char& c : name) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
        if (!plain) c = '-';
    }
    return site.directory / name;
}

Path marker_path(const Path& directory) { return directory / "lifeboat.json"; }

Result<Marker> load_marker(Files& files, const Path& directory) {
    const Bytes text = TRY(read_file(files, marker_path(directory), 1U << 20U));
    const auto json = parse_json(as_text(text));
    if (!json.has_value()) return Error(json.error()).in(marker_path(directory).string());
    auto marker = marker_from(*json);
    if (!marker.has_value()) return Error(marker.error()).in(marker_path(directory).string());
    return marker;
}

Result<void> save_marker(Files& files, const Path& directory, const Marker& marker) {
    return write_file_durably(files, marker_path(directory),
                              as_bytes(dump_pretty(marker_json(marker)) + "\n"));
}

Result<void> write_owned(Files& files, const Path& path, ByteView bytes,
                         const std::optional<RunAs>& owner) {
    TRY(write_file_durably(files, path, bytes));
    if (owner) TRY(files.set_owner(path, owner->uid, owner->gid));
    return ok();
}

Result<void> make_owned_directory(Files& files, const Path& path,
                                  const std::optional<RunAs>& owner) {
    TRY(files.make_directories(path, 0700));
    if (owner) TRY(files.set_owner(path, owner->uid, owner->gid));
    return ok();
}

}  // namespace lifeboat::postgres

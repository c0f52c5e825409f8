#pragma once
/// The directory of a restored server, and the marker in it that says whose it is and how far it
/// got: <site>/<component>-<token>/ with data/, redis.conf, server.log and lifeboat.json.
///
/// Only a directory whose marker carries our own token is ever cleaned, and only before its server
/// was complete. Functions; thread-safe.

#include <optional>
#include <string>

#include "providers/contract/local_site.h"

namespace lifeboat::redis {

struct Marker {
    enum class State {
        writing,   ///< files are being written, or the server loads them
        complete,  ///< the server has loaded what the point holds
        fenced,    ///< ended for good
    } state = State::writing;
    std::string token, component, point;
    std::uint16_t port = 0;
    std::string target_time;
    Json counts = Json::object();  ///< keys after loading, by database
    bool is_aside = false;         ///< a verification's copy, thrown away afterwards
    std::optional<ProcessIdentity> server;
};

Path folder_of(const providers::LocalSite& site, const std::string& component,
               const std::string& token);
/// The folder of an instance whose data_directory is <folder>/data.
Path folder_above(const Path& data_directory);
/// Nothing when the folder or its marker is not there. Errors: corrupt.
Result<std::optional<Marker>> load_marker(Files& files, const Path& folder);
/// Durable on return.
Result<void> save_marker(Files& files, const Path& folder, const Marker& marker);

/// Writes a file for the server's user, readable by nobody else. Durable on return.
Result<void> write_owned(Files& files, const Path& path, std::string_view text,
                         const std::optional<RunAs>& owner);

}  // namespace lifeboat::redis

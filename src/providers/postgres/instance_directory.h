#pragma once
/// The directory of a restored server, and the marker in it that says whose it is and how far it
/// got.
///
/// <site>/<component>-<token>/ holds data/, tablespaces/, wal/ (the spool), run/ (sockets),
/// server.log and lifeboat.json. Only a directory whose marker carries our own token is ever
/// cleaned, and never one whose server was promoted.

#include <optional>
#include <string>

#include "providers/postgres/control_file.h"
#include "providers/postgres/server.h"
#include "providers/postgres/target.h"

namespace lifeboat::postgres {

struct Marker {
    enum class State {
        restoring,  ///< files are being written
        replaying,  ///< the server runs and replays
        ready,      ///< it stands at the target
        promoted,   ///< it is a primary of its own: no longer ours to clean
    } state = State::restoring;
    std::string token, component, point;
    std::uint64_t system_identifier = 0;
    Timeline timeline = 0;  ///< of the target
    Lsn start = 0, target = 0;
    std::optional<Instant> target_at;
    std::vector<Stretch> stretches;
    std::uint32_t segment_size = 0;
    Timeline base_timeline = 0;
    int major = 0;
    std::uint16_t port = 0;
    Limits limits;
    Json settings = Json::object();  ///< of the source
    /// A verification's copy: isolated from everything, and thrown away.
    bool is_aside = false;
    std::optional<ProcessIdentity> postmaster;
};

/// Absolute. The token's characters that are no part of a name become '-'.
Path instance_directory(const providers::LocalSite& site, const std::string& component,
                        const std::string& token);
Path marker_path(const Path& directory);
/// Errors: not_found, corrupt.
Result<Marker> load_marker(Files& files, const Path& directory);
/// Durable on return.
Result<void> save_marker(Files& files, const Path& directory, const Marker& marker);

/// Writes a file for the server's user. Durable on return.
Result<void> write_owned(Files& files, const Path& path, ByteView bytes,
                         const std::optional<RunAs>& owner);
/// Creates a directory for the server's user, which others may not enter.
Result<void> make_owned_directory(Files& files, const Path& path,
                                  const std::optional<RunAs>& owner);

}  // namespace lifeboat::postgres

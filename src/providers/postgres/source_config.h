#pragma once
/// The configuration of a source, captured with each base backup, and the configuration of a
/// restored server made from it. Config files outside the data directory (Debian's /etc/postgresql)
/// are in no base backup.

#include <map>
#include <string>

#include "providers/postgres/connection.h"
#include "providers/postgres/control_file.h"
#include "providers/postgres/holdings.h"

namespace lifeboat::postgres {

struct SourceConfig {
    /// What the server was started with that is no default: from its files and its command line.
    std::map<std::string, std::string> settings;
    /// "pg_hba.conf" and its kin, when the user may read them.
    std::map<std::string, std::string> files;
    Limits limits;
    std::string version;  ///< "15.18 (Debian …)"
    bool checksums = false;
    std::uint32_t block_size = 8192;
    std::uint32_t blocks_per_segment = 131072;
};

Result<SourceConfig> capture_config(const Context& context, Connection& connection);
Json to_json(const Limits& limits);
Limits limits_from_json(const Json& value);

/// What a restored server is started with.
struct RestoredConfig {
    std::map<std::string, std::string> source;  ///< SourceConfig::settings
    Limits limits;
    int major = 15;
    std::string listen = "127.0.0.1";
    std::uint16_t port = 0;
    Path directory;            ///< of the instance: data/, run/, wal/
    std::uint64_t memory = 0;  ///< of this machine, bytes; 0 = unknown
    bool ssl_files_present = false;
    /// A copy that is only looked at: even when it is promoted, nothing in it acts by itself or
    /// speaks with anybody (subscriptions, scheduled jobs), and its disk need not last.
    bool isolated = false;
    /// While it is a standby that replays to the target; empty afterwards.
    std::string restore_command;
    Timeline recovery_timeline = 0;
};

/// The whole postgresql.conf. Settings of the source that name its places, peers, archives or
/// recovery are left out.
std::string make_config(const RestoredConfig& config);

/// pg_hba.conf: the source's, after lines that let `user` in with its password from this machine.
/// Without the source's: local users by their name, others by password. A copy that is only looked
/// at lets in whoever can reach its socket, which stands in a directory that only its user enters.
std::string make_hba(const std::string& source, const std::string& user, bool has_password,
                     bool is_aside);

/// `cp` from the spool, or exit code 1 whatever is wrong: a standby then waits and never ends its
/// recovery.
std::string spool_command(const Path& spool);

/// A value as postgresql.conf wants it.
std::string quote_setting(std::string_view value);

}  // namespace lifeboat::postgres

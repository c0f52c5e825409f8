#pragma once
/// One PostgreSQL server as the plan and the recorded instance describe it, with its settings
/// typed.

#include <optional>
#include <string>

#include "providers/contract/local_site.h"
#include "providers/contract/provider.h"
#include "providers/postgres/connection.h"
#include "providers/postgres/lsn.h"

namespace lifeboat::postgres {

using providers::Instance;
using providers::Services;

struct Server {
    std::string component;
    std::string name;  ///< of the instance
    std::string site;
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    std::string database = "postgres";
    std::string user = "postgres";
    std::string password_reference;  ///< as the plan has it
    std::string password;            ///< resolved; never shown
    std::optional<Path> data_directory;
    std::optional<Path> bin_directory;
    std::optional<Path> config_file;
    std::string run_as;
    bool accept_unbounded_slot = false;
    std::uint64_t rate = 0;  ///< bytes per second; 0 = no limit
    std::string slot;
    Duration start_timeout{};
    std::optional<std::uint64_t> pinned;  ///< system identifier

    /// "database at 127.0.0.1:5500".
    std::string describe() const;
    std::string endpoint() const;
    ConnectOptions connect_options(bool replication) const;
};

/// Errors: invalid (a setting, naming it), those of the secret.
Result<Server> server_of(const Services& services, const plan::Plan& plan,
                         const Instance& instance);

/// The system identifier that is pinned in an instance's identity.
std::optional<std::uint64_t> pinned_identifier(const Instance& instance);

/// "lifeboat_database": the slot's name, of the characters that slots may have.
std::string default_slot(const std::string& component);

/// The user that the server runs as; nothing when it is ourselves. Errors: not_found.
Result<std::optional<RunAs>> run_as_user(Environment& environment, const Server& server);

/// The programs of this major version: the setting, or where Debian and others put them.
/// Errors: not_found (names where it looked).
Result<Path> find_programs(Environment& environment, const Server& server, int major);

/// The PG_VERSION of a data directory. Errors: not_found, corrupt.
Result<int> major_of(Environment& environment, const Path& data_directory);

}  // namespace lifeboat::postgres

#pragma once
/// Which cluster is it really, and does it still live: proofs that every mutating verb needs first.
///
/// A cluster is its system identifier. A postmaster is pid + start time + boot id, working in the
/// data directory. Death is proven only on this machine: no process works in the data directory,
/// and the port does not answer as that cluster. Looks only.

#include <optional>
#include <string>

#include "providers/postgres/server.h"

namespace lifeboat::postgres {

/// What a server that answers says about itself.
struct Identity {
    std::uint64_t system_identifier = 0;
    Timeline timeline = 0;
    int major = 0;
    bool in_recovery = false;
    std::string data_directory;                 ///< "" when the user may not see it
    std::optional<ProcessIdentity> postmaster;  ///< when it runs here
};

/// Errors: those of the connection.
Result<Identity> identify(const Context& context, Environment& environment, const Server& server,
                          Connection& connection);
/// Connects, identifies, and compares with what is pinned.
/// Errors: conflict (another cluster listens there: names both), those of the connection.
Result<Identity> prove_identity(const Context& context, Environment& environment,
                                const Server& server);
/// Errors: conflict (not the pinned one).
Result<void> require_pinned(const Server& server, std::uint64_t found);

Json to_json(const ProcessIdentity& process);
std::optional<ProcessIdentity> process_from_json(const Json& value);
/// The members of Instance::identity.
Json to_json(const Identity& identity, const Server& server);

/// The live postmaster of a data directory; nothing when none runs (a stale postmaster.pid, or one
/// whose pid a stranger has now, is none).
Result<std::optional<ProcessIdentity>> find_postmaster(Environment& environment,
                                                       const Path& data_directory);
/// The system identifier in the directory's control file. Errors: not_found, corrupt.
Result<std::uint64_t> identifier_of(Environment& environment, const Path& data_directory);

struct Death {
    bool proven = false;
    std::string why;  ///< the proof, or what stands against it
};
/// Whether the server is certainly dead. `recorded` is Instance::identity.
Result<Death> prove_dead(const Context& context, Environment& environment, const Server& server,
                         const Json& recorded);

}  // namespace lifeboat::postgres

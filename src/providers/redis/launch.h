#pragma once
/// A restored server's process: its configuration, its start, its end.

#include "providers/redis/folder.h"
#include "providers/redis/server.h"

namespace lifeboat::redis {

/// As whom restored servers run: the component says, else the site, else, for root, a user made for
/// servers. Nothing: as Lifeboat itself. Errors: not_found.
Result<std::optional<RunAs>> server_user(const providers::Services& services, const Json& settings,
                                         const providers::LocalSite& site);

/// redis.conf of a restored server. `kept` is what the point says of its source; the append-only
/// file is left out: with it on, Redis would ignore the snapshot and start empty.
/// Errors: those of secrets.
Result<std::string> configuration(const providers::Services& services, const Json& settings,
                                  const Json& kept, const Path& folder, std::uint16_t port);

/// The live process of a folder's server, also when no record names it.
Result<std::optional<ProcessIdentity>> find_server(const providers::Services& services,
                                                   const Marker& marker);

/// Starts the server of a folder, unless it runs. Returns when it answers and has loaded.
/// Errors: unavailable (it ended: its last words), cancelled, timeout, not_found (program).
Result<Client> launch(const Context& context, const providers::Services& services,
                      const Json& settings, const Path& folder, Marker& marker,
                      const Address& address, const std::optional<RunAs>& user);

/// Ends exactly the server that `presence` has proven to be the instance's, and proves that its
/// port is closed. Errors: unsupported (another machine), timeout, conflict.
Result<void> end(const Context& context, const providers::Services& services,
                 const Address& address, const Presence& presence);
/// Errors: conflict (somebody listens there).
Result<void> prove_closed(const Context& context, const providers::Services& services,
                          const Address& address);

}  // namespace lifeboat::redis

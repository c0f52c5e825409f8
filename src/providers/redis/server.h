#pragma once
/// One Redis server as an instance names it: reached, recognised, looked at. Changes nothing.

#include "core/watch/match.h"
#include "providers/contract/local_site.h"
#include "providers/probe/check.h"
#include "providers/redis/client.h"

namespace lifeboat::redis {

/// Where the instance listens and as whom Lifeboat enters. Errors: invalid, and those of secrets.
Result<Address> address_of(const providers::Services& services,
                           const providers::Instance& instance);

/// What a running server says of itself.
struct Presence {
    std::string run_id, replication_id, version, role, directory;
    std::int64_t pid = 0;
    bool loading = false;
    std::map<std::string, std::string> info;

    /// What tells this server from others for good: its data directory. The run id is new at each
    /// start, so it is only shown.
    Json identity() const;
};
Result<Presence> look_at(const Context& context, Client& client);

/// True when the server there serves the instance's own files. Errors: conflict (another one's),
/// denied (it does not say, or nothing is known to compare with).
Result<void> prove(const providers::Services& services, const providers::Instance& instance,
                   const Presence& presence);

/// The data directory of an instance, absolute; "" when the plan does not say.
Path data_directory(const providers::Services& services, const Json& settings);

/// Runs checks against the instance; the first that fails, if any.
struct Checked {
    std::size_t passed = 0;
    std::string trouble;
    std::string last;  ///< "redis PING: PONG"
    watch::Health health = watch::Health::healthy;
};
Checked run_checks(const Context& context, const providers::Services& services,
                   const std::vector<plan::Check>& checks, const Address& address,
                   std::int64_t planned_port);

}  // namespace lifeboat::redis

#pragma once
/// Addresses of a host name, without hanging on a dead name server. Internal to env.

#include <sys/socket.h>

#include "platform/env/network.h"

namespace lifeboat {

struct Address {
    sockaddr_storage bytes{};
    socklen_t length = 0;
    int family = 0;
};

/// All stream addresses of the endpoint, best first; back within about 50 ms of a stop.
/// Thread-safe. Errors: not_found (no such name), unavailable (name service), cancelled, timeout.
Result<std::vector<Address>> resolve(const Context& context, const Endpoint& endpoint);

}  // namespace lifeboat

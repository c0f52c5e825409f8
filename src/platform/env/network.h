#pragma once
/// The little of the network that is ours to ask: is a port open, is one free. Protocols live in
/// their libraries (libpq, hiredis, libcurl). Implementations are thread-safe.

#include <cstdint>
#include <string>

#include "platform/task/context.h"

namespace lifeboat {

struct Endpoint {
    std::string host;
    std::uint16_t port = 0;
    auto operator<=>(const Endpoint&) const = default;
};

std::string to_string(const Endpoint& endpoint);  ///< "127.0.0.1:5432", "[::1]:5432"
/// Errors: invalid.
Result<Endpoint> parse_endpoint(std::string_view text);

class Network {
public:
    virtual ~Network() = default;
    /// Connects and closes. Errors: unavailable (refused, unreachable), timeout, not_found (name).
    virtual Result<void> probe_tcp(const Context& context, const Endpoint& endpoint) = 0;
    /// True when a listening socket could be bound there now.
    virtual Result<bool> is_free(const Endpoint& endpoint) = 0;
};

}  // namespace lifeboat

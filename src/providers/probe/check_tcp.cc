#include <fmt/core.h>

#include "platform/base/text.h"
#include "providers/probe/check_kinds.h"

namespace lifeboat::probe {
namespace {

/// "5432", "db.example:5432", or nothing: then it is the place's own port.
Result<Endpoint> endpoint_of(const plan::Check& check, const Place& place) {
    const std::string text = argument(check);
    if (text.empty() || text == "true") {
        if (place.port == 0) return invalid("tcp: no port is known here", "Write `{tcp: 5432}`.");
        return Endpoint{place.host, place.port};
    }
    const auto port = parse_integer(text);
    if (!port) return parse_endpoint(text);
    if (*port < 1 || *port > 65535) return invalid(fmt::format("tcp: '{}' is not a port", text));
    return Endpoint{place.host, static_cast<std::uint16_t>(*port)};
}

}  // namespace

Result<Seen> look_tcp(const Context& context, Environment& environment, const plan::Check& check,
                      const Place& place) {
    const Endpoint endpoint = TRY(endpoint_of(check, place));
    TRY(environment.network.probe_tcp(context, endpoint));
    return Seen{.value = "open",
                .detail = to_string(endpoint) + " accepts connections",
                .raw = Json("open")};
}

}  // namespace lifeboat::probe

#include <fmt/core.h>

#include "platform/base/text.h"
#include "platform/env/network.h"

namespace lifeboat {
namespace {

Error not_an_endpoint(std::string_view text, std::string_view why) {
    return invalid(fmt::format("'{}' is not an endpoint: {}", text, why),
                   "Write host:port, such as 127.0.0.1:5432 or [::1]:5432.");
}

}  // namespace

std::string to_string(const Endpoint& endpoint) {
    const bool bracketed = endpoint.host.find(':') != std::string::npos;
    const std::string host = bracketed ? fmt::format("[{}]", endpoint.host) : endpoint.host;
    return fmt::format("{}:{}", host, endpoint.port);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
    const std::string_view body = trim(text);
    std::string_view host;
    std::string_view port;
    if (body.starts_with('[')) {
        const std::size_t end = body.find(']');
        if (end == std::string_view::npos) return not_an_endpoint(text, "no ] closes the address");
        host = body.substr(1, end - 1);
        port = body.substr(end + 1);
        if (!port.starts_with(':')) return not_an_endpoint(text, "it has no port");
        port.remove_prefix(1);
    } else {
        const std::size_t colon = body.find(':');
        if (colon == std::string_view::npos) return not_an_endpoint(text, "it has no port");
        host = body.substr(0, colon);
        port = body.substr(colon + 1);
        if (port.find(':') != std::string_view::npos) {
            return not_an_endpoint(text, "an IPv6 address stands in brackets");
        }
    }
    if (host.empty()) return not_an_endpoint(text, "it has no host");
    const bool digits = port.find_first_not_of("0123456789") == std::string_view::npos;
    const auto number = digits ? parse_integer(port) : std::nullopt;
    if (!number || *number < 1 || *number > 65535) {
        return not_an_endpoint(text, "its port is not a number from 1 to 65535");
    }
    return Endpoint{.host = std::string(host), .port = static_cast<std::uint16_t>(*number)};
}

}  // namespace lifeboat

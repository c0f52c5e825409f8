#include <fmt/core.h>

#include "platform/base/text.h"
#include "platform/http/client.h"
#include "platform/observe/redact.h"
#include "providers/probe/check_kinds.h"

namespace lifeboat::probe {
namespace {

std::string url_of(const plan::Check& check, const Place& place) {
    std::string url = argument(check);
    if (url.find("://") != std::string::npos) return url;
    std::string base = place.base_url;
    if (base.empty() && place.port != 0)
        base = "http://" + to_string(Endpoint{place.host, place.port});
    while (base.ends_with('/')) base.pop_back();
    if (!url.empty() && url.front() != '/') url.insert(0, "/");
    return base + url;
}

/// The member of a JSON answer that `json: "a.b.0"` names.
Result<Json> member(const std::string& body, const std::string& path) {
    Json value = TRY(parse_json(body));
    for (const std::string_view part : split(path, '.')) {
        const auto index = parse_integer(part);
        if (value.is_object() && value.contains(part)) {
            Json inner = value[std::string(part)];
            value = std::move(inner);
        } else if (value.is_array() && index && *index >= 0 &&
                   static_cast<std::size_t>(*index) < value.size()) {
            Json inner = value[static_cast<std::size_t>(*index)];
            value = std::move(inner);
        } else {
            return not_found(fmt::format("the answer has no '{}'", path));
        }
    }
    return value;
}

std::string text_of(const Json& value) {
    return value.is_string() ? value.get<std::string>() : dump(value);
}

/// `expect` compares the member that `json:` names, or the status; `contains:` looks into the body.
Result<Seen> judge(const plan::Check& check, const http::Response& response,
                   const std::string& url) {
    Seen seen{.value = std::to_string(response.status),
              .detail = fmt::format("{} from {}", response.status, url),
              .raw = Json(response.status)};
    const auto status = integer_or(check.settings, "status", 0);
    seen.passed =
        status == 0 ? response.status >= 200 && response.status < 300 : response.status == status;
    const std::string path = string_or(check.settings, "json", "");
    const std::string wanted = string_or(check.settings, "contains", "");
    if ((!path.empty() || !wanted.empty()) && !seen.passed) return unavailable(seen.detail);
    if (!path.empty()) {
        seen.raw = TRY(member(response.body, path));
        seen.value = text_of(seen.raw);
        seen.detail = fmt::format("{} is {}", path, seen.value);
    }
    if (!wanted.empty() && !response.body.contains(wanted))
        return not_found(fmt::format("the answer of {} does not contain '{}'", url, wanted));
    return seen;
}

}  // namespace

Result<Seen> look_http(const Context& context, const plan::Check& check, const Place& place) {
    http::Request request;
    request.method = string_or(check.settings, "method", "GET");
    request.url = url_of(check, place);
    if (request.url.find("://") == std::string::npos)
        return invalid(
            fmt::format("http: '{}' is only a path, and no address is known here", request.url),
            "Write the whole URL.");
    request.body = string_or(check.settings, "body", "");
    if (check.settings.contains("headers") && check.settings["headers"].is_object())
        for (const auto& [name, value] : check.settings["headers"].items())
            request.headers[name] = text_of(value);
    request.follow_redirects = bool_or(check.settings, "follow", false);
    const http::Response response = TRY(http::send(context, request));
    return judge(check, response, redact(request.url));
}

}  // namespace lifeboat::probe

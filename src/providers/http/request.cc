#include <fmt/core.h>

#include "platform/base/text.h"
#include "platform/http/client.h"
#include "platform/observe/redact.h"
#include "providers/contract/local_site.h"
#include "providers/http/calls.h"

namespace lifeboat::providers::web {
namespace {

constexpr std::size_t body_max = std::size_t{16} << 10U;  // of outputs, which are journaled

Result<http::Request> request_of(const Services& services, const VerbCall& call) {
    http::Request request;
    request.url = string_or(call.arguments, "url", "");
    if (request.url.empty()) return invalid("http: no url", "Write `http: {url: https://…}`.");
    request.method = string_or(call.arguments, "method", "GET");
    if (call.arguments.contains("body")) {
        const Json& body = call.arguments["body"];
        request.body = body.is_string() ? body.get<std::string>() : dump(body);
        if (!body.is_string()) request.headers["content-type"] = "application/json";
    }
    if (call.arguments.contains("headers") && call.arguments["headers"].is_object()) {
        for (const auto& [name, value] : call.arguments["headers"].items()) {
            const std::string text = value.is_string() ? value.get<std::string>() : dump(value);
            std::string plain = TRY(reveal(services.secrets, text));
            request.headers[to_lower(name)] = std::move(plain);
        }
    }
    const std::string reference = string_or(call.arguments, "token", "");
    if (!reference.empty()) {
        const std::string token = TRY(reveal(services.secrets, reference));
        request.headers["authorization"] = "Bearer " + token;
    }
    // A server that knows such keys drops the second of two equal requests.
    request.headers.try_emplace("idempotency-key", call.token);
    return request;
}

Result<bool> is_expected(const VerbCall& call, int status) {
    const auto found = call.arguments.find("expect");
    if (found == call.arguments.end()) return status >= 200 && status < 300;
    return probe::meets(std::to_string(status),
                        found->is_string() ? found->get<std::string>() : dump(*found));
}

Error unexpected(const VerbCall& call, const http::Response& response, const std::string& what) {
    const std::string message = redact(fmt::format("{}: status {}: {}", what, response.status,
                                                   trim(response.body).substr(0, 300)));
    switch (response.status) {
        case 401:
        case 403:
            return denied(message, "Give the step the right `token:`.");
        case 404:
            return not_found(message);
        case 408:
        case 429:
        case 503:
            return unavailable(message);
        default:
            break;
    }
    if (response.status < 500) return invalid(message);
    // A server that broke over a request may have done it, or half of it.
    if (is_repeatable(call)) return unavailable(message);
    return unknown(message, "Look at the other side before it is sent again.");
}

}  // namespace

bool is_repeatable(const VerbCall& call) {
    const std::string method = string_or(call.arguments, "method", "GET");
    return bool_or(call.arguments, "idempotent", method != "POST" && method != "PATCH");
}

Result<Json> request(const Context& context, const Services& services, const VerbCall& call) {
    const http::Request request = TRY(request_of(services, call));
    const std::string what = fmt::format("{} {}", request.method, redact(request.url));
    auto response = http::send(context, request);
    if (!response.has_value()) return std::move(response).error().in(what);
    const bool expected = TRY(is_expected(call, response->status));
    if (!expected) return unexpected(call, *response, what);
    Json outputs{{"status", response->status},
                 {"body", redact(std::string_view(response->body).substr(0, body_max))},
                 {"took", format_duration(response->took)}};
    if (response->body.size() <= body_max) {
        auto value = parse_json(redact(response->body));
        if (value.has_value()) outputs["json"] = *std::move(value);
    }
    return outputs;
}

}  // namespace lifeboat::providers::web

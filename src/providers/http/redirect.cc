#include <fmt/core.h>

#include "platform/base/text.h"
#include "platform/http/client.h"
#include "platform/observe/redact.h"
#include "providers/contract/local_site.h"
#include "providers/http/calls.h"

namespace lifeboat::providers::web {
namespace {

constexpr std::string_view targets_path = "/-/targets";

/// Where a component's replicas listen, from what its instance says: what its start reported, else
/// the ports that the plan gives it, else its one endpoint.
std::vector<std::string> endpoints_of(const Instance& instance) {
    std::vector<std::string> endpoints;
    const Json& settings = instance.settings;
    if (settings.contains("endpoints") && settings["endpoints"].is_array())
        for (const Json& one : settings["endpoints"])
            if (one.is_string()) endpoints.push_back(one.get<std::string>());
    if (!endpoints.empty()) return endpoints;
    const std::string host = string_or(settings, "host", "127.0.0.1");
    if (settings.contains("ports") && settings["ports"].is_array()) {
        const auto replicas = static_cast<std::size_t>(integer_or(settings, "replicas", 1));
        for (const Json& port : settings["ports"])
            if (port.is_number_integer() && endpoints.size() < replicas)
                endpoints.push_back(to_string(Endpoint{host, port.get<std::uint16_t>()}));
    }
    if (endpoints.empty() && !instance.endpoint.empty()) endpoints.push_back(instance.endpoint);
    return endpoints;
}

/// The component behind: named, or the only one that it needs directly.
Result<std::string> behind(const VerbCall& call) {
    const std::string named = string_or(call.arguments, "component", "");
    if (!named.empty()) return named;
    if (call.component->needs.size() == 1) return call.component->needs.front();
    return invalid(fmt::format("redirect {}: it needs {} components; which one gets the traffic?",
                               call.component->name, call.component->needs.size()),
                   "Say `component: NAME` in the step.");
}

Error refused(const std::string& what, const http::Response& response) {
    const std::string message = redact(fmt::format("{}: status {}: {}", what, response.status,
                                                   trim(response.body).substr(0, 300)));
    if (response.status == 401 || response.status == 403)
        return denied(message, "Give the component the right `token:`.");
    if (response.status == 404) return not_found(message, "Is `admin:` the right address?");
    if (response.status < 500) return invalid(message);
    return unavailable(message);
}

Result<http::Request> admin_request(const Services& services, const VerbCall& call,
                                    const Redirection& wanted, std::string method) {
    http::Request request{.method = std::move(method), .url = wanted.admin};
    request.headers["content-type"] = "application/json";
    const std::string reference = string_or(call.subject().settings, "token", "");
    if (!reference.empty()) {
        const std::string token = TRY(reveal(services.secrets, reference));
        request.headers["authorization"] = "Bearer " + token;
    }
    return request;
}

}  // namespace

bool Redirection::is_in(const Json& state) const {
    return state.is_object() && string_or(state, "site", "") == site && state.contains("targets") &&
           state["targets"] == Json(targets);
}

Result<Redirection> redirection_of(const VerbCall& call) {
    Redirection wanted;
    const Json settings = TRY(resolve_settings(call.subject().settings, call.instances));
    wanted.admin = string_or(settings, "admin", "");
    if (wanted.admin.empty())
        return invalid(fmt::format("redirect {}: it has no `admin:`", call.component->name),
                       "Give the component the address where its proxy takes targets.");
    while (wanted.admin.ends_with('/')) wanted.admin.pop_back();
    if (!wanted.admin.ends_with(targets_path)) wanted.admin += targets_path;
    wanted.site = string_or(call.arguments, "site", string_or(call.arguments, "to", ""));
    if (call.arguments.contains("targets") && call.arguments["targets"].is_array()) {
        for (const Json& target : call.arguments["targets"])
            wanted.targets.push_back(target.is_string() ? target.get<std::string>() : dump(target));
        return wanted;
    }
    const std::string name = TRY(behind(call));
    const auto found = call.instances.find(name);
    if (found == call.instances.end())
        return invalid(
            fmt::format("redirect {}: '{}' is not among what it needs", call.component->name, name),
            "Add it to `needs:` of the component.");
    const Instance& instance = found->second;
    if (!wanted.site.empty() && instance.site != wanted.site)
        return conflict(fmt::format("redirect {}: {} runs at '{}', not at '{}'",
                                    call.component->name, name, instance.site, wanted.site),
                        fmt::format("Start it there in an earlier step: `start: {}` with `site: "
                                    "{}`.",
                                    name, wanted.site));
    wanted.site = instance.site;
    wanted.targets = endpoints_of(instance);
    if (wanted.targets.empty())
        return invalid(fmt::format("redirect {}: nobody knows where the replicas of {} listen",
                                   call.component->name, name),
                       fmt::format("Start {} with Lifeboat, or give it `ports:`.", name));
    return wanted;
}

Result<Json> read_targets(const Context& context, const Services& services, const VerbCall& call,
                          const Redirection& wanted) {
    const http::Request request = TRY(admin_request(services, call, wanted, "GET"));
    auto response = http::send(context, request);
    if (!response.has_value()) return std::move(response).error().in("GET " + wanted.admin);
    if (response->status != 200) return refused("GET " + wanted.admin, *response);
    return parse_json(response->body);
}

Result<Json> redirect(const Context& context, const Services& services, const VerbCall& call) {
    const Redirection wanted = TRY(redirection_of(call));
    Json before = TRY(read_targets(context, services, call, wanted));
    Json outputs{{"site", wanted.site}, {"targets", wanted.targets}, {"before", before}};
    if (wanted.is_in(before)) return outputs;
    http::Request request = TRY(admin_request(services, call, wanted, "PUT"));
    request.body = dump(Json{{"site", wanted.site}, {"targets", wanted.targets}});
    const auto response = http::send(context, request);
    if (response.has_value() && response->status != 200)
        return refused("PUT " + wanted.admin, *response);
    // Also when the answer was lost: what counts is what the proxy says now.
    const auto after = read_targets(context, services, call, wanted);
    if (after.has_value() && wanted.is_in(*after)) return outputs;
    if (!response.has_value()) {
        Error error = response.error();
        return std::move(error).in("PUT " + wanted.admin);
    }
    if (!after.has_value()) return after.error();
    return conflict(fmt::format("{} says {} after it was given {}", wanted.admin, dump(*after),
                                dump(Json(wanted.targets))),
                    "Somebody else changes its targets as well.");
}

}  // namespace lifeboat::providers::web

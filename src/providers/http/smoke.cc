#include <fmt/core.h>

#include "platform/base/text.h"
#include "providers/contract/local_site.h"
#include "providers/http/calls.h"

namespace lifeboat::providers::web {
namespace {

constexpr std::chrono::seconds within_default{30};
constexpr std::chrono::milliseconds pause{100};
constexpr std::chrono::seconds try_limit{3};

Result<Duration> limit_of(const VerbCall& call) {
    const std::string text = string_or(call.arguments, "within", "");
    if (text.empty()) return Duration(within_default);
    return parse_duration(text);
}

struct Round {
    bool passed = true;
    std::string trouble;
    Json seen = Json::array();
};

Round look(const Context& context, const Services& services, const std::vector<plan::Check>& checks,
           const probe::Place& place) {
    Round round;
    for (const plan::Check& check : checks) {
        plan::Check bounded = check;
        if (!bounded.timeout) bounded.timeout = try_limit;
        const auto result = probe::run_check(context, services.environment, bounded, place);
        round.seen.push_back(Json{{"check", result.name},
                                  {"passed", result.passed},
                                  {"detail", result.detail},
                                  {"took", format_duration(result.took)}});
        if (result.passed) continue;
        round.passed = false;
        if (round.trouble.empty())
            round.trouble = fmt::format("{}: {}", result.name, result.detail);
    }
    return round;
}

/// Checks with their templates filled.
Result<std::vector<plan::Check>> filled(std::vector<plan::Check> checks, const VerbCall& call) {
    for (plan::Check& check : checks) {
        Json settings = TRY(resolve_settings(check.settings, call.instances));
        check.settings = std::move(settings);
    }
    return checks;
}

}  // namespace

probe::Place place_of(const Services& services, const Json& settings) {
    probe::Place place;
    place.base_url = string_or(settings, "url", "");
    place.directory = services.plan_directory;
    std::string_view rest = place.base_url;
    const bool is_tls = rest.starts_with("https://");
    if (const auto scheme = rest.find("://"); scheme != std::string_view::npos)
        rest.remove_prefix(scheme + 3);
    rest = rest.substr(0, rest.find_first_of("/?#"));
    rest.remove_prefix(rest.find('@') == std::string_view::npos ? 0 : rest.find('@') + 1);
    if (auto endpoint = parse_endpoint(rest); endpoint.has_value()) {
        place.host = endpoint->host;
        place.port = endpoint->port;
    } else {
        place.host = std::string(rest);
        place.port = is_tls ? 443 : 80;
    }
    return place;
}

std::vector<plan::Check> checks_of(const plan::Component& component, bool verify) {
    std::vector<plan::Check> checks = component.health;
    if (verify) checks.insert(checks.end(), component.verify.begin(), component.verify.end());
    if (!checks.empty()) return checks;
    // Whether its own page is there is not known; that it answers is what counts.
    plan::Check answer;
    answer.type = "http";
    answer.settings = Json{{"value", ""}};
    answer.expect = "< 500";
    return {answer};
}

Result<Json> smoke(const Context& context, const Services& services, const VerbCall& call) {
    const Json settings = TRY(resolve_settings(call.subject().settings, call.instances));
    const Duration limit = TRY(limit_of(call));
    const auto checks = TRY(filled(checks_of(*call.component, true), call));
    const auto place = place_of(services, settings);
    const Context bounded = context.within(limit);
    const Monotonic began = context.clock().monotonic();
    Round round;
    for (unsigned tries = 1;; ++tries) {
        round = look(bounded, services, checks, place);
        const Duration took = context.clock().monotonic() - began;
        if (round.passed)
            return Json{{"checks", round.seen}, {"took", format_duration(took)}, {"tries", tries}};
        auto slept = bounded.sleep(pause);
        if (slept.has_value()) continue;
        TRY(context.check(fmt::format("smoke of {} ({})", call.component->name, round.trouble)));
        return unavailable(fmt::format("{}: {} ({} tries in {})", call.component->name,
                                       round.trouble, tries, human_duration(took)),
                           "Look at what stands behind it.");
    }
}

}  // namespace lifeboat::providers::web

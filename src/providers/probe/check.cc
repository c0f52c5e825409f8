#include "providers/probe/check.h"

#include <fmt/core.h>

#include "platform/observe/redact.h"
#include "providers/probe/check_kinds.h"

namespace lifeboat::probe {
namespace {

constexpr std::chrono::seconds limit_default{3};
constexpr std::chrono::seconds limit_exec{10};
constexpr std::size_t detail_max = 300;

std::string shorten(std::string text) {
    for (char& each : text)
        if (each == '\n' || each == '\r' || each == '\t') each = ' ';
    if (text.size() > detail_max) {
        text.resize(detail_max);
        text += "…";
    }
    return text;
}

Duration limit_of(const plan::Check& check) {
    if (check.timeout) return *check.timeout;
    if (check.type == "exec") return limit_exec;
    return limit_default;
}

Result<Seen> look(const Context& context, Environment& environment, const plan::Check& check,
                  const Place& place) {
    if (check.type == "tcp") return look_tcp(context, environment, check, place);
    if (check.type == "http") return look_http(context, check, place);
    if (check.type == "sql") return look_sql(context, check, place);
    if (check.type == "redis") return look_redis(context, check, place);
    if (check.type == "exec") return look_exec(context, environment, check, place);
    return unsupported(fmt::format("this build has no check '{}' here", check.type),
                       "Use tcp, http, sql, redis or exec.");
}

void judge(const plan::Check& check, const Seen& seen, CheckResult& result) {
    result.value = seen.raw;
    result.detail = seen.detail.empty() ? seen.value : seen.detail;
    result.passed = seen.passed;
    if (!check.expect) return;
    auto met = meets(seen.value, *check.expect);
    if (!met.has_value()) {
        result.passed = false;
        result.blind = true;
        result.detail = met.error().message;
        return;
    }
    result.passed = *met;
    result.detail += *met ? fmt::format(" (expected {})", *check.expect)
                          : fmt::format(", expected {}", *check.expect);
}

}  // namespace

std::string argument(const plan::Check& check) {
    if (!check.settings.contains("value")) return {};
    const Json& value = check.settings["value"];
    return value.is_string() ? value.get<std::string>() : dump(value);
}

Place place_of(const plan::Check& check, Place place) {
    place.host = string_or(check.settings, "host", place.host);
    place.database = string_or(check.settings, "database", place.database);
    place.user = string_or(check.settings, "user", place.user);
    const auto port = integer_or(check.settings, "port", place.port);
    if (port > 0 && port <= 65535) place.port = static_cast<std::uint16_t>(port);
    return place;
}

CheckResult run_check(const Context& context, Environment& environment, const plan::Check& check,
                      const Place& place) {
    CheckResult result;
    const std::string asked = argument(check);
    result.name = redact(shorten(asked.empty() ? check.type : check.type + " " + asked));
    const Monotonic began = environment.clock.monotonic();
    auto seen = look(context.within(limit_of(check)), environment, check, place_of(check, place));
    result.took = environment.clock.monotonic() - began;
    if (seen.has_value()) {
        judge(check, *seen, result);
    } else {
        result.detail = seen.error().message;
        const ErrorKind kind = seen.error().kind;
        result.timed_out = kind == ErrorKind::timeout;
        result.blind = kind == ErrorKind::denied || kind == ErrorKind::invalid ||
                       kind == ErrorKind::unsupported;
    }
    result.detail = redact(shorten(std::move(result.detail)));
    return result;
}

}  // namespace lifeboat::probe

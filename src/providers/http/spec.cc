#include "providers/http/spec.h"

namespace lifeboat::providers::web {
namespace {

using plan::DrillBehaviour;
using plan::Safety;
using plan::SettingType;
using plan::VerbSpec;

VerbSpec smoke() {
    VerbSpec spec;
    spec.name = "smoke";
    spec.summary = "Runs the checks from outside until all of them pass, or the time is over.";
    spec.safety = Safety::idempotent;
    spec.mutating = false;
    spec.arguments = {{.name = "within",
                       .type = SettingType::duration,
                       .summary = "Time for the checks to pass.",
                       .fallback = "30s"}};
    spec.outputs = {"checks", "took", "tries"};
    spec.estimate = std::chrono::seconds(1);
    spec.timeout = std::chrono::minutes(10);
    return spec;
}

VerbSpec redirect() {
    VerbSpec spec;
    spec.name = "redirect";
    spec.summary = "Sends the traffic to where the component behind it runs now.";
    spec.safety = Safety::idempotent;
    spec.takes_instance = true;
    spec.in_drill = DrillBehaviour::recorded;
    spec.arguments = {{.name = "component",
                       .summary = "Whose replicas get the traffic; the one it needs when absent."},
                      {.name = "site",
                       .type = SettingType::site,
                       .summary = "The site that the component must be at."},
                      {.name = "to", .summary = "The same as `site`."},
                      {.name = "targets",
                       .type = SettingType::text_list,
                       .summary = "host:port of each target, instead of a component's replicas."}};
    spec.outputs = {"site", "targets", "before"};
    spec.estimate = std::chrono::seconds(1);
    spec.timeout = std::chrono::minutes(1);
    return spec;
}

VerbSpec request() {
    VerbSpec spec;
    spec.name = "http";
    spec.summary = "Makes one HTTP request.";
    spec.safety = Safety::probeable;
    spec.in_drill = DrillBehaviour::recorded;
    spec.arguments = {
        {.name = "url", .type = SettingType::url, .required = true, .summary = "Where to."},
        {.name = "method", .summary = "GET when absent.", .fallback = "GET"},
        {.name = "body", .type = SettingType::any, .summary = "Text, or a value sent as JSON."},
        {.name = "headers", .type = SettingType::text_map, .summary = "More headers."},
        {.name = "token", .type = SettingType::secret, .summary = "A bearer token."},
        {.name = "expect", .summary = "Of the status: '200', '< 300'; any 2xx when absent."},
        {.name = "idempotent",
         .type = SettingType::boolean,
         .summary = "It may be sent again when nobody knows what became of it."}};
    spec.outputs = {"status", "body", "json"};
    spec.estimate = std::chrono::seconds(1);
    spec.timeout = std::chrono::minutes(1);
    return spec;
}

}  // namespace

plan::KindSpec describe_http() {
    plan::KindSpec kind;
    kind.name = "http";
    kind.summary = "Something that answers at a URL; a proxy in front of services.";
    kind.settings = {
        {.name = "url", .type = SettingType::url, .required = true, .summary = "What people open."},
        {.name = "admin",
         .type = SettingType::url,
         .summary = "Where a proxy takes its targets (PUT <admin>/-/targets)."},
        {.name = "token",
         .type = SettingType::secret,
         .summary = "Bearer token of the admin side."},
    };
    VerbSpec verify = smoke();
    verify.name = "verify";
    verify.summary = "Runs its health and verify checks.";
    kind.verbs = {smoke(), std::move(verify), redirect(), request()};
    kind.checks = {"tcp", "http", "exec", "sql", "redis"};
    return kind;
}

}  // namespace lifeboat::providers::web

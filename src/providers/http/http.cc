#include "providers/http/http.h"

#include <fmt/core.h>

#include "platform/observe/redact.h"
#include "providers/contract/health.h"
#include "providers/contract/local_site.h"
#include "providers/http/calls.h"
#include "providers/http/spec.h"

namespace lifeboat::providers {
namespace {

using runbook::ProbeVerdict;

class HttpProvider final : public Provider {
public:
    explicit HttpProvider(Services& services) : services_(services) {}

    plan::KindSpec describe() const override { return web::describe_http(); }

    Result<Observation> observe(const Context& context, const Target& target) override {
        Observation seen;
        seen.health = watch::Health::healthy;
        const probe::Place place = web::place_of(services_, target.instance.settings);
        for (const plan::Check& check : web::checks_of(target.component, false)) {
            const auto result = probe::run_check(context, services_.environment, check, place);
            seen.health = health_of(result);
            if (!result.passed || seen.why.empty())
                seen.why = fmt::format("{}: {}", result.name, result.detail);
            if (!result.passed) break;
            seen.facts[result.name] = format_duration(result.took);
        }
        return seen;
    }

    Result<std::vector<Call>> preview(const Context&, const VerbCall& call) override {
        if (call.verb == "http") {
            const std::string method = string_or(call.arguments, "method", "GET");
            const std::string url = string_or(call.arguments, "url", "");
            return std::vector<Call>{
                {.action = fmt::format("{} {}", method, redact(url)), .object = redact(url)}};
        }
        if (call.verb == "redirect") return preview_redirect(call);
        std::vector<Call> calls;
        const Json& settings = call.subject().settings;
        for (const plan::Check& check : web::checks_of(*call.component, true))
            calls.push_back(
                {.action = redact(fmt::format("check {} {}", check.type, dump(check.settings))),
                 .object = redact(string_or(settings, "url", ""))});
        return calls;
    }

    Result<Started> start(const Context& context, const VerbCall& call,
                          const ProgressSink&) override {
        Started started;
        if (call.verb == "http") {
            started.outputs = TRY(web::request(context, services_, call));
        } else if (call.verb == "redirect") {
            started.outputs = TRY(web::redirect(context, services_, call));
        } else if (call.verb == "smoke" || call.verb == "verify") {
            started.outputs = TRY(web::smoke(context, services_, call));
        } else {
            return unsupported(fmt::format("kind 'http' cannot '{}'", call.verb));
        }
        return started;
    }

    Result<Probed> probe(const Context& context, const VerbCall& call) override {
        Probed absent{.verdict = ProbeVerdict::absent};
        if (call.verb == "http") {
            if (!web::is_repeatable(call))
                return Probed{.verdict = ProbeVerdict::undecided,
                              .explanation =
                                  "whether the request was carried out, only the other "
                                  "side knows"};
            absent.explanation = "it may be sent again";
            return absent;
        }
        if (call.verb != "redirect") {
            absent.explanation = "it only looks";
            return absent;
        }
        const web::Redirection wanted = TRY(web::redirection_of(call));
        auto state = web::read_targets(context, services_, call, wanted);
        if (state.has_value() && wanted.is_in(*state))
            return Probed{.verdict = ProbeVerdict::done,
                          .outputs = Json{{"site", wanted.site}, {"targets", wanted.targets}}};
        // The same targets twice are the same as once: it may always be tried again.
        absent.explanation = state.has_value() ? "the proxy sends elsewhere: " + dump(*state)
                                               : state.error().message;
        return absent;
    }

private:
    std::vector<Call> preview_redirect(const VerbCall& call) {
        const auto wanted = web::redirection_of(call);
        if (!wanted.has_value()) {
            // Its instance is still to be made by an earlier step.
            const std::string site =
                string_or(call.arguments, "site", string_or(call.arguments, "to", "its site"));
            return {
                {.action = fmt::format("PUT /-/targets: the replicas at {}, once they run", site),
                 .object = redact(string_or(call.subject().settings, "admin", ""))}};
        }
        return {{.action =
                     fmt::format("PUT {} {}", redact(wanted->admin),
                                 dump(Json{{"site", wanted->site}, {"targets", wanted->targets}})),
                 .object = redact(wanted->admin)},
                {.action = fmt::format("GET {} to prove it", redact(wanted->admin)),
                 .object = redact(wanted->admin)}};
    }

    Services& services_;
};

}  // namespace

std::unique_ptr<Provider> make_http_provider(Services& services) {
    return std::make_unique<HttpProvider>(services);
}

}  // namespace lifeboat::providers

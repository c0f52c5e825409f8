#include "providers/process/process.h"

#include <fmt/core.h>

#include "platform/base/text.h"
#include "providers/process/crew.h"
#include "providers/process/spec.h"
#include "providers/process/unit.h"

namespace lifeboat::providers {
namespace {

using process::Converged;
using process::Crew;
using process::Look;
using process::Replica;
using process::Service;
using process::Standing;
using runbook::ProbeVerdict;

constexpr std::chrono::milliseconds look_again{100};

bool brings_up(const std::string& verb) {
    return verb == "start" || verb == "scale" || verb == "repoint" || verb == "release";
}
bool takes_down(const std::string& verb) {
    return verb == "stop" || verb == "isolate" || verb == "fence";
}

Error kept_down_error(const Service& service, const Standing& standing) {
    return conflict(
        fmt::format("{} is {} (by {})", service.name(), standing.kept_down, standing.by),
        fmt::format("`release: {}` lifts that.", service.component->name));
}

/// How many replicas this verb wants: the step says, else it was scaled to, else the plan.
Result<unsigned> wanted(const Service& service, const VerbCall& call, const Standing& standing) {
    const auto fallback = static_cast<std::int64_t>(standing.replicas.value_or(service.replicas));
    const auto count = integer_or(call.arguments, "replicas", fallback);
    if (count < 0 || count > 100)
        return invalid(fmt::format("{}: {} replicas", service.name(), count), "Use 0 to 100.");
    return static_cast<unsigned>(count);
}

class ProcessProvider final : public Provider {
public:
    explicit ProcessProvider(Services& services) : services_(services) {}

    plan::KindSpec describe() const override { return process::describe_process(); }
    Result<Observation> observe(const Context& context, const Target& target) override;
    Result<std::vector<Call>> preview(const Context& context, const VerbCall& call) override;
    Result<Started> start(const Context& context, const VerbCall& call,
                          const ProgressSink& progress) override;
    Result<Probed> probe(const Context& context, const VerbCall& call) override;

private:
    Result<Started> bring_up(const Context& context, const VerbCall& call, const Service& service,
                             const ProgressSink& progress);
    Result<Started> take_down(const Context& context, const VerbCall& call, const Service& service);
    Result<Started> verify(const Context& context, const VerbCall& call, const Service& service);
    Result<Started> act_on_unit(const Context& context, const VerbCall& call,
                                const Service& service);
    Result<Observation> observe_unit(const Context& context, const Service& service);
    Result<Probed> probe_unit(const Context& context, const VerbCall& call, const Service& service);
    Json outputs_of(const VerbCall& call, const Service& service, const Converged& done);
    std::vector<Call> preview_up(const VerbCall& call, const Service& service,
                                 const Standing& standing);

    Services& services_;
};

/// A candidate for the site where it runs now. Its settings are what others may name in templates.
Json instance_of(const VerbCall& call, const Service& service,
                 const std::vector<std::string>& endpoints) {
    Instance instance;
    instance.component = service.component->name;
    instance.site = service.site.name;
    instance.name = service.scope.empty() ? service.component->name
                                          : service.component->name + "@" + service.scope;
    instance.settings = service.settings;
    instance.settings["endpoints"] = endpoints;
    if (!service.scope.empty()) instance.settings["scope"] = service.scope;
    if (!endpoints.empty()) instance.endpoint = endpoints.front();
    instance.made_by = call.token;
    return to_json(instance);
}

Json ProcessProvider::outputs_of(const VerbCall& call, const Service& service,
                                 const Converged& done) {
    Json outputs{{"replicas", done.endpoints.size()},
                 {"endpoints", done.endpoints},
                 {"started", done.started},
                 {"replaced", done.replaced},
                 {"stopped", done.stopped}};
    if (call.verb == "start") outputs["instance"] = instance_of(call, service, done.endpoints);
    return outputs;
}

Result<Started> ProcessProvider::bring_up(const Context& context, const VerbCall& call,
                                          const Service& service, const ProgressSink& progress) {
    Crew crew(services_, service);
    const auto lock = TRY(crew.lock(context));
    Environment& environment = services_.environment;
    if (call.verb == "release") TRY(process::let_up(environment, service));
    const Standing standing = TRY(process::standing(environment, service));
    if (!standing.kept_down.empty()) {
        // What is kept down gets its new settings when it is released.
        if (call.verb == "repoint")
            return Started{.outputs = Json{{"replicas", 0}, {"kept_down", standing.kept_down}}};
        return kept_down_error(service, standing);
    }
    const unsigned count = TRY(wanted(service, call, standing));
    if (call.arguments.contains("replicas"))
        TRY(process::keep_replicas(environment, service, count));
    const Converged done = TRY(crew.converge(context, count, call.token, progress));
    Json outputs = outputs_of(call, service, done);
    outputs["replicas"] = count;
    return Started{.outputs = std::move(outputs)};
}

Result<Started> ProcessProvider::take_down(const Context& context, const VerbCall& call,
                                           const Service& service) {
    Crew crew(services_, service);
    const auto lock = TRY(crew.lock(context));
    // The mark first: after a crash in between nobody starts what shall be down.
    if (call.verb == "isolate")
        TRY(process::keep_down(services_.environment, service, "isolated", call.token));
    if (call.verb == "fence")
        TRY(process::keep_down(services_.environment, service, "fenced", call.token));
    const auto stopped = TRY(crew.stop_all(context));
    if (!service.scope.empty()) TRY(crew.release_ports());
    return Started{.outputs = Json{{"stopped", stopped.size()}}};
}

Json to_json(const std::vector<Look>& seen) {
    Json list = Json::array();
    for (const Look& one : seen) {
        Json entry{{"replica", one.replica}, {"ready", one.passed}, {"why", one.why}};
        if (one.port != 0) entry["port"] = one.port;
        if (one.identity) entry["pid"] = one.identity->pid;
        list.push_back(std::move(entry));
    }
    return list;
}

bool all_pass(const std::vector<Look>& seen) {
    return !seen.empty() && std::ranges::all_of(seen, &Look::passed);
}

std::string first_trouble(const std::vector<Look>& seen) {
    for (const Look& one : seen)
        if (!one.passed) return fmt::format("replica {}: {}", one.replica, one.why);
    return "no replica is meant to run";
}

Result<Started> ProcessProvider::verify(const Context& context, const VerbCall&,
                                        const Service& service) {
    const Standing standing = TRY(process::standing(services_.environment, service));
    const unsigned count = standing.replicas.value_or(service.replicas);
    std::vector<plan::Check> checks = service.component->health;
    checks.insert(checks.end(), service.component->verify.begin(), service.component->verify.end());
    const Context bounded = context.within(service.ready_within);
    while (true) {
        const auto seen = TRY(Crew(services_, service).look(bounded, checks, count));
        if (all_pass(seen))
            return Started{.outputs = Json{{"checks", checks.size()}, {"replicas", to_json(seen)}}};
        auto slept = bounded.sleep(look_again);
        if (slept.has_value()) continue;
        TRY(context.check("verifying " + service.name()));
        return unavailable(fmt::format("{}: {}", service.name(), first_trouble(seen)),
                           fmt::format("Look into {}.", service.logs.string()));
    }
}

Result<Started> ProcessProvider::start(const Context& context, const VerbCall& call,
                                       const ProgressSink& progress) {
    const Service service = TRY(process::service_of(services_, call));
    if (call.verb == "verify") return verify(context, call, service);
    if (!service.unit.empty()) return act_on_unit(context, call, service);
    if (takes_down(call.verb)) return take_down(context, call, service);
    if (brings_up(call.verb)) return bring_up(context, call, service, progress);
    return unsupported(fmt::format("kind 'process' cannot '{}'", call.verb));
}

Result<Probed> ProcessProvider::probe(const Context& context, const VerbCall& call) {
    const Service service = TRY(process::service_of(services_, call));
    Probed absent{.verdict = ProbeVerdict::absent};
    if (call.verb == "verify") {
        absent.explanation = "it only looks";
        return absent;
    }
    if (!service.unit.empty()) return probe_unit(context, call, service);
    Crew crew(services_, service);
    const Standing standing = TRY(process::standing(services_.environment, service));
    const auto replicas = TRY(process::look_up(services_.environment, service));
    if (takes_down(call.verb)) {
        const auto lost = TRY(process::strays(services_.environment, service, replicas));
        const bool alive = !lost.empty() || std::ranges::any_of(replicas, [](const auto& entry) {
            return entry.second.alive.has_value();
        });
        const bool marked = call.verb == "stop" || !standing.kept_down.empty();
        if (alive || !marked) {
            absent.explanation = alive ? "processes live" : "it is not marked to stay down";
            return absent;
        }
        return Probed{.verdict = ProbeVerdict::done, .outputs = Json{{"stopped", 0}}};
    }
    const unsigned count = TRY(wanted(service, call, standing));
    Converged done;
    for (unsigned number = 1; number <= count; ++number) {
        const auto known = replicas.find(number);
        bool current = false;
        if (known != replicas.end()) current = TRY(crew.is_current(known->second));
        if (!current) {
            absent.explanation = fmt::format("replica {} does not run as it should", number);
            return absent;
        }
        if (known->second.record.port != 0)
            done.endpoints.push_back(to_string(Endpoint{"127.0.0.1", known->second.record.port}));
    }
    const auto seen = TRY(crew.look(context, service.component->health, count));
    if (seen.size() > count || (count > 0 && !all_pass(seen))) {
        absent.explanation = first_trouble(seen);
        return absent;
    }
    Json outputs = outputs_of(call, service, done);
    outputs["replicas"] = count;
    return Probed{.verdict = ProbeVerdict::done, .outputs = std::move(outputs)};
}

Result<Observation> ProcessProvider::observe(const Context& context, const Target& target) {
    const Service service = TRY(process::service_of(services_, target));
    if (!service.unit.empty()) return observe_unit(context, service);
    Environment& environment = services_.environment;
    const Standing standing = TRY(process::standing(environment, service));
    const unsigned count = standing.replicas.value_or(service.replicas);
    const auto seen = TRY(Crew(services_, service).look(context, service.component->health, count));
    Observation observation;
    const auto ready = static_cast<unsigned>(std::ranges::count_if(seen, &Look::passed));
    Json identity = Json::object();
    for (const Look& one : seen) {
        // Its log is Lifeboat's own file; the service is not touched.
        (void)process::bound_log(environment, service.log(one.replica), service.log_limit);
        if (one.identity) identity[std::to_string(one.replica)] = one.identity->pid;
    }
    if (!identity.empty())
        observation.identity =
            Json{{"boot_id", environment.processes.boot_id()}, {"pids", identity}};
    observation.facts = Json{{"replicas", count}, {"ready", ready}, {"seen", to_json(seen)}};
    observation.health = ready >= count && count > 0 ? watch::Health::healthy
                         : ready > 0                 ? watch::Health::degraded
                                                     : watch::Health::unhealthy;
    observation.why = fmt::format("{} of {} replicas are ready", ready, count);
    if (ready < count) observation.why += "; " + first_trouble(seen);
    if (!standing.kept_down.empty()) {
        observation.facts["kept_down"] = standing.kept_down;
        observation.why += "; it is " + standing.kept_down;
    }
    return observation;
}

std::vector<Call> ProcessProvider::preview_up(const VerbCall& call, const Service& service,
                                              const Standing& standing) {
    std::vector<Call> calls;
    if (call.verb == "release")
        calls.push_back({.action = "remove the mark that keeps it down",
                         .object = (service.directory / "standing.json").string()});
    else if (!standing.kept_down.empty())
        return {{.action = "nothing: it is " + standing.kept_down, .object = service.name()}};
    const auto count = wanted(service, call, standing).value_or(service.replicas);
    const auto replicas =
        process::look_up(services_.environment, service).value_or(std::map<unsigned, Replica>());
    Crew crew(services_, service);
    for (unsigned number = 1; number <= count; ++number) {
        const auto known = replicas.find(number);
        // Settings that do not resolve yet (an instance still to be made): it will be replaced.
        if (known != replicas.end() && crew.is_current(known->second).value_or(false)) continue;
        const std::string object = fmt::format("replica {} of {}", number, service.name());
        if (known != replicas.end() && known->second.alive)
            calls.push_back({.action = fmt::format("SIGTERM to the group of pid {}, SIGKILL after "
                                                   "{}",
                                                   known->second.alive->pid,
                                                   human_duration(service.stop_timeout)),
                             .object = object});
        const std::uint16_t port = crew.port_of(number, false).value_or(0);
        std::string where = port != 0 ? fmt::format(" on port {}", port) : "";
        if (port == 0 && service.ports_automatic)
            where = fmt::format(" on a free port of {}-{}", service.site.port_first,
                                service.site.port_last);
        calls.push_back({.action = fmt::format("start{}: {}", where,
                                               process::shown_command(service, number, port)),
                         .object = object});
    }
    for (const auto& [number, replica] : replicas)
        if (number > count && replica.alive)
            calls.push_back(
                {.action = fmt::format("SIGTERM to the group of pid {}", replica.alive->pid),
                 .object = fmt::format("replica {} of {}", number, service.name())});
    return calls;
}

Result<std::vector<Call>> ProcessProvider::preview(const Context&, const VerbCall& call) {
    const Service service = TRY(process::service_of(services_, call));
    const Standing standing = TRY(process::standing(services_.environment, service));
    if (!service.unit.empty())
        return std::vector<Call>{{.action = fmt::format("systemctl {} {}", call.verb, service.unit),
                                  .object = service.name(),
                                  .destructive = call.verb == "fence"}};
    if (brings_up(call.verb)) return preview_up(call, service, standing);
    std::vector<Call> calls;
    if (call.verb == "verify") {
        for (const plan::Check& check : service.component->verify)
            calls.push_back({.action = "check " + check.type, .object = service.name()});
        return calls;
    }
    if (call.verb != "stop")
        calls.push_back({.action = "write the mark that keeps it down",
                         .object = (service.directory / "standing.json").string()});
    const auto replicas = TRY(process::look_up(services_.environment, service));
    for (const auto& [number, replica] : replicas)
        if (replica.alive)
            calls.push_back(
                {.action = fmt::format("SIGTERM to the group of pid {}, SIGKILL after {}",
                                       replica.alive->pid, human_duration(service.stop_timeout)),
                 .object = fmt::format("replica {} of {}", number, service.name()),
                 .destructive = call.verb == "fence"});
    return calls;
}

Result<Started> ProcessProvider::act_on_unit(const Context& context, const VerbCall& call,
                                             const Service& service) {
    Environment& environment = services_.environment;
    if (call.verb == "scale" || call.verb == "repoint")
        return unsupported(
            fmt::format("{} is a systemd unit, which has no '{}'", service.name(), call.verb),
            "Change the unit by a `run` step, or give the component a `command:`.");
    if (takes_down(call.verb)) {
        if (call.verb == "isolate")
            TRY(process::keep_down(environment, service, "isolated", call.token));
        if (call.verb == "fence")
            TRY(process::keep_down(environment, service, "fenced", call.token));
        TRY(process::control_unit(context, environment, service, "stop"));
        // systemd itself must not start it again either.
        if (call.verb != "stop") TRY(process::control_unit(context, environment, service, "mask"));
        return Started{.outputs = Json{{"stopped", 1}}};
    }
    if (call.verb == "release") {
        TRY(process::let_up(environment, service));
        TRY(process::control_unit(context, environment, service, "unmask"));
    }
    const Standing standing = TRY(process::standing(environment, service));
    if (!standing.kept_down.empty()) return kept_down_error(service, standing);
    TRY(process::control_unit(context, environment, service, "start"));
    std::vector<std::string> endpoints;
    for (const std::uint16_t port : service.ports)
        endpoints.push_back(to_string(Endpoint{"127.0.0.1", port}));
    Json outputs{{"replicas", 1}, {"endpoints", endpoints}};
    if (call.verb == "start") outputs["instance"] = instance_of(call, service, endpoints);
    return Started{.outputs = std::move(outputs)};
}

Result<Probed> ProcessProvider::probe_unit(const Context& context, const VerbCall& call,
                                           const Service& service) {
    const auto state = TRY(process::unit_state(context, services_.environment, service));
    const bool up = state.active == "active";
    const bool done = takes_down(call.verb) ? !up : up;
    return Probed{.verdict = done ? ProbeVerdict::done : ProbeVerdict::absent,
                  .explanation = fmt::format("unit {} is {}", service.unit, state.active)};
}

Result<Observation> ProcessProvider::observe_unit(const Context& context, const Service& service) {
    Observation observation;
    auto state = process::unit_state(context, services_.environment, service);
    if (!state.has_value()) {
        observation.why = state.error().message;
        return observation;
    }
    observation.health =
        state->active == "active" ? watch::Health::healthy : watch::Health::unhealthy;
    observation.why = fmt::format("unit {} is {}", service.unit, state->active);
    if (state->pid != 0) observation.identity = Json{{"pid", state->pid}};
    return observation;
}

}  // namespace

std::unique_ptr<Provider> make_process_provider(Services& services) {
    return std::make_unique<ProcessProvider>(services);
}

}  // namespace lifeboat::providers

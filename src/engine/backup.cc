#include <fmt/core.h>

#include "engine/evidence.h"
#include "engine/protection.h"
#include "platform/observe/log.h"

namespace lifeboat::engine {
namespace {

using providers::Instance;
using providers::VerbCall;

constexpr std::chrono::seconds lease_ttl{60};
constexpr std::chrono::milliseconds poll_every{200};

std::string journal(const std::string& component) { return "protection/" + component; }

/// Appends one event to the component's protection journal; somebody else may append beside us.
Result<void> note(Workspace& workspace, const std::string& component, const std::string& type,
                  Json payload) {
    const NewEvent event{.type = type, .payload = std::move(payload), .at = workspace.now()};
    for (int tries = 0; tries < 20; ++tries) {
        const auto version = TRY(workspace.state.version(journal(component)));
        auto appended = workspace.state.append(journal(component), version, {event});
        if (appended.has_value()) return ok();
        if (appended.error().kind != ErrorKind::conflict) return appended.error();
    }
    return conflict(fmt::format("{}: the protection journal is too busy", component));
}

/// Follows a long operation to its end.
Result<Json> await_operation(const Context& context, providers::Provider& provider,
                             const VerbCall& call, const std::string& operation,
                             const providers::ProgressSink& progress) {
    while (true) {
        providers::Polled polled = TRY(provider.poll(context, call, operation));
        if (polled.done) return polled.outputs;
        if (progress) progress(polled.completed, polled.total, polled.unit);
        TRY(context.sleep(poll_every));
    }
}

/// Pins what is found at first; refuses when another cluster answers there.
Result<void> prove_identity(const Context& context, Workspace& workspace, Instances& instances,
                            providers::Provider& provider, const plan::Component& component) {
    Instance instance = TRY(instances.current(component.name));
    auto seen = TRY(provider.observe(context.within(std::chrono::seconds(10)),
                                     providers::Target{workspace.plan, component, instance}));
    if (seen.identity.empty()) {
        if (seen.health == watch::Health::unhealthy || seen.health == watch::Health::unknown)
            return unavailable(fmt::format("{}: {}", component.name, seen.why),
                               "Look at the component; nothing was changed.");
        return ok();
    }
    return instances.pin(component.name, seen.identity);
}

Result<Json> make_point(const Context& context, Workspace& workspace, Instances& instances,
                        const plan::Component& component, const std::string& token,
                        const Json& arguments, const providers::ProgressSink& progress) {
    providers::Provider* provider = workspace.registry.find(component.kind);
    if (provider == nullptr)
        return unsupported(fmt::format("{}: no provider for kind '{}' in this build",
                                       component.name, component.kind));
    TRY(prove_identity(context, workspace, instances, *provider, component));
    VerbCall call{.plan = workspace.plan};
    call.component = &component;
    call.verb = "backup";
    call.step = StepId("backup-" + component.name);
    call.token = token;
    call.arguments = arguments;
    call.current = TRY(instances.current(component.name));
    call.site = call.current.site;
    call.instances = TRY(instances.around(component));
    providers::Started started = TRY(provider->start(context, call, progress));
    if (!started.operation) return started.outputs;
    return await_operation(context, *provider, call, *started.operation, progress);
}

}  // namespace

Result<BackupDone> backup(const Context& context, Workspace& workspace, Instances& instances,
                          const std::string& name, const Json& arguments,
                          const providers::ProgressSink& progress) {
    const plan::Component* component = workspace.plan.component(name);
    if (component == nullptr) return not_found(fmt::format("no component '{}' in the plan", name));
    Environment& environment = workspace.environment;
    Lease lease = TRY(workspace.state.acquire(
        "backup/" + name, own_holder(environment, "backup " + name), lease_ttl));
    const Monotonic began = environment.clock.monotonic();
    const std::string token = fmt::format("lb-backup-{}-{}", environment.random.hex(3), name);

    Monotonic renewed = began;
    auto watched = [&](std::uint64_t done, std::uint64_t total, const std::string& unit) {
        if (environment.clock.monotonic() - renewed > lease_ttl / 4) {
            renewed = environment.clock.monotonic();
            if (auto longer = workspace.state.renew(lease, lease_ttl)) lease = *longer;
        }
        if (progress) progress(done, total, unit);
    };
    TRY(note(workspace, name, "backup_started", Json{{"token", token}, {"arguments", arguments}}));
    auto outputs = make_point(context, workspace, instances, *component, token, arguments, watched);
    const Duration took = environment.clock.monotonic() - began;
    auto noted =
        outputs.has_value()
            ? note(workspace, name, "backup_finished",
                   Json{{"token", token}, {"took", format_duration(took)}, {"outputs", *outputs}})
            : note(workspace, name, "backup_failed",
                   Json{{"token", token}, {"error", to_json(outputs.error())}});
    (void)workspace.state.release(lease);  // Ignored: it expires.
    if (!outputs.has_value()) return outputs.error();
    TRY(std::move(noted));
    record_backup(workspace, *component, arguments, *outputs, took);
    return BackupDone{.component = name, .outputs = *std::move(outputs), .took = took};
}

Result<ProtectionStatus> protection_status(Workspace& workspace, const std::string& component) {
    ProtectionStatus status;
    const Record record = TRY(workspace.state.get("stream/" + component));
    if (record.version != 0) {
        providers::StreamReport report;
        report.at = TRY(get_instant(record.value, "at"));
        report.safe_until = TRY(get_instant(record.value, "safe_until"));
        report.position = string_or(record.value, "position", "");
        report.retained_bytes =
            static_cast<std::uint64_t>(integer_or(record.value, "retained_bytes", 0));
        report.free_bytes = static_cast<std::uint64_t>(integer_or(record.value, "free_bytes", 0));
        report.warning = string_or(record.value, "warning", "");
        status.stream = report;
    }
    const std::uint64_t newest = TRY(workspace.state.version(journal(component)));
    const auto events =
        TRY(workspace.state.read(journal(component), newest > 50 ? newest - 50 : 0));
    for (const StoredEvent& event : events) {
        if (event.type == "backup_finished") {
            status.last_backup = event.at;
            status.last_error.clear();
        } else if (event.type == "backup_failed" && event.payload.contains("error")) {
            status.last_error = error_from_json(event.payload["error"]).message;
        }
    }
    const auto lease = TRY(workspace.state.find_lease("protect/" + component));
    status.running = lease.has_value();
    if (lease) status.holder = lease->holder.who;
    return status;
}

}  // namespace lifeboat::engine

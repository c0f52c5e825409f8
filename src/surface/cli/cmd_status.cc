#include <fmt/core.h>

#include "engine/look.h"
#include "engine/protection.h"
#include "platform/base/size.h"
#include "surface/cli/commands.h"
#include "surface/cli/names.h"

namespace lifeboat::cli {
namespace {

struct StatusOptions {
    std::vector<std::string> components;
};

std::string_view health_name(watch::Health health) {
    switch (health) {
        case watch::Health::healthy:
            return "healthy";
        case watch::Health::degraded:
            return "degraded";
        case watch::Health::unhealthy:
            return "unhealthy";
        case watch::Health::unknown:
            break;
    }
    return "unknown";
}

Tone health_tone(watch::Health health) {
    switch (health) {
        case watch::Health::healthy:
            return Tone::good;
        case watch::Health::unhealthy:
            return Tone::bad;
        default:
            return Tone::warning;
    }
}

/// The age of the newest state that could be restored now, and what it rests on.
struct Exposure {
    std::optional<Instant> safe_until;
    std::string warning;
    bool protecting = false;
    std::uint64_t retained = 0, free = 0;
};

Exposure exposure_of(Session& session, engine::Workspace& workspace,
                     const plan::Component& component, const providers::Instance& instance) {
    Exposure exposure;
    if (component.protect.empty()) return exposure;
    if (auto status = engine::protection_status(workspace, component.name)) {
        exposure.protecting = status->running;
        exposure.warning = status->last_error;
        if (status->stream) {
            exposure.safe_until = status->stream->safe_until;
            exposure.retained = status->stream->retained_bytes;
            exposure.free = status->stream->free_bytes;
            if (!status->stream->warning.empty()) exposure.warning = status->stream->warning;
        }
    }
    providers::Provider* provider = workspace.registry.find(component.kind);
    if (provider == nullptr || exposure.safe_until) return exposure;
    auto points =
        provider->points(session.context(), providers::Target{workspace.plan, component, instance});
    if (!points.has_value()) {
        exposure.warning = points.error().message;
        return exposure;
    }
    for (const providers::RecoveryPoint& point : *points)
        if (point.problem.empty()) exposure.safe_until = std::max(exposure.safe_until, {point.at});
    return exposure;
}

struct Row {
    const plan::Component* component;
    providers::Observation seen;
    providers::Instance instance;
    Exposure exposure;
};

std::string live_rpo(const Output& output, const Row& row, Instant now) {
    if (row.component->protect.empty()) return output.paint(Tone::faint, "not protected");
    if (!row.exposure.safe_until) return output.paint(Tone::bad, "no point");
    const Duration age = std::max(Duration::zero(), Duration(now - *row.exposure.safe_until));
    const auto& objective = row.component->objectives.rpo;
    if (!objective) return human_duration(age);
    return output.paint(age <= *objective ? Tone::plain : Tone::bad,
                        fmt::format("{} of {}", human_duration(age), human_duration(*objective)));
}

Json to_json(const Row& row, Instant now) {
    Json json{{"component", row.component->name},
              {"kind", row.component->kind},
              {"site", row.instance.site},
              {"endpoint", row.instance.endpoint},
              {"health", health_name(row.seen.health)},
              {"why", row.seen.why},
              {"role", row.seen.role},
              {"identity", row.seen.identity},
              {"facts", row.seen.facts},
              {"protected", row.exposure.protecting},
              {"warning", row.exposure.warning}};
    json["live_rpo_s"] =
        row.exposure.safe_until
            ? Json(std::chrono::duration<double>(now - *row.exposure.safe_until).count())
            : Json(nullptr);
    return json;
}

Result<ExitCode> status(Session& session, const StatusOptions& options) {
    engine::Workspace& workspace = *TRY(session.workspace());
    TRY(require_components(workspace.plan, options.components));
    engine::Instances instances(workspace);
    const engine::Look seen =
        engine::look(session.context(), workspace, instances, options.components);
    const Instant now = workspace.now();
    std::vector<Row> rows;
    for (const plan::Component& component : workspace.plan.components) {
        const auto observation = seen.observations.find(component.name);
        if (observation == seen.observations.end()) continue;
        const auto instance = seen.instances.find(component.name);
        Row row{
            .component = &component, .seen = observation->second, .instance = {}, .exposure = {}};
        if (instance != seen.instances.end()) row.instance = instance->second;
        row.exposure = exposure_of(session, workspace, component, row.instance);
        rows.push_back(std::move(row));
    }
    const Output& output = session.output();
    bool trouble = false;
    std::vector<std::vector<std::string>> table{
        {"component", "health", "role", "site", "at", "live RPO", "protect", ""}};
    Json json = Json::array();
    for (const Row& row : rows) {
        const auto& rpo = row.component->objectives.rpo;
        trouble = trouble || row.seen.health == watch::Health::unhealthy ||
                  (rpo && row.exposure.safe_until && now - *row.exposure.safe_until > *rpo);
        std::string why = row.exposure.warning.empty() ? row.seen.why : row.exposure.warning;
        if (row.exposure.retained > 0)
            why += fmt::format("; WAL kept back {}, free disk {}",
                               human_size(row.exposure.retained), human_size(row.exposure.free));
        table.push_back({row.component->name,
                         output.paint(health_tone(row.seen.health), health_name(row.seen.health)),
                         row.seen.role, row.instance.site, row.instance.endpoint,
                         live_rpo(output, row, now),
                         row.component->protect.empty() ? ""
                         : row.exposure.protecting      ? "running"
                                                   : output.paint(Tone::warning, "NOT running"),
                         output.paint(Tone::faint, why)});
        json.push_back(to_json(row, now));
    }
    if (output.json()) {
        output.document(Json{{"at", format_instant(now)}, {"components", json}});
    } else {
        output.table(table);
        if (!workspace.services.vault_problem.empty())
            output.note("vault: " + workspace.services.vault_problem);
    }
    return trouble ? ExitCode::finding : ExitCode::done;
}

}  // namespace

Command status_command() {
    CommandOf<StatusOptions> command(
        "status", "Plan", "Per component: health, role, where it runs, what would be lost now");
    command.option("COMPONENT", "COMPONENT", "Only these", &command.values->components, false,
                   "component");
    return std::move(command).run(status);
}

}  // namespace lifeboat::cli

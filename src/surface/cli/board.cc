#include "surface/cli/board.h"

#include <fmt/core.h>

#include <algorithm>

#include "engine/evidence.h"
#include "engine/protection.h"

namespace lifeboat::cli {
namespace {

using Known = Exposure::Known;
using providers::RecoveryPoint;

/// A stream reports about once a second; one that has been silent for this long is not at work.
constexpr Duration silent_after = std::chrono::seconds(15);

/// What the stream says of itself counts only while somebody carries it, it speaks, and it speaks
/// of the instance that is current.
bool is_current(const engine::ProtectionStatus& status, const std::optional<Instant>& switched,
                Instant now) {
    if (!status.running || !status.stream) return false;
    const Instant said = status.stream->at;
    return !lies_ahead(said, now) && now - said <= silent_after && (!switched || said >= *switched);
}

void take_stream(Exposure& exposure, const engine::ProtectionStatus& status,
                 const std::optional<Instant>& switched, Instant now) {
    exposure.protecting = status.running;
    exposure.warning = status.last_error;
    if (!status.stream) return;
    exposure.last_report = status.stream->at;
    if (!is_current(status, switched, now)) return;
    exposure.as_of = status.stream->safe_until;
    exposure.retained = status.stream->retained_bytes;
    exposure.free = status.stream->free_bytes;
    if (!status.stream->warning.empty()) exposure.warning = status.stream->warning;
}

/// Proven is what was there to be looked at: a stream has grown since.
void take_proven(Exposure& exposure, RecoveryPoint point) {
    if (point.proven_as_of) point.at = std::min(point.at, *point.proven_as_of);
    if (!exposure.proven || point.at > exposure.proven->at) exposure.proven = std::move(point);
}

/// Points of before the switch hold nothing that was written since; what they were restored to is
/// there again until then.
void take_points(Exposure& exposure, const std::vector<RecoveryPoint>& points,
                 const std::optional<Instant>& switched) {
    for (const RecoveryPoint& point : points) {
        if (!point.problem.empty() || point.verdict == "bad") continue;
        if (!exposure.newest || point.at > exposure.newest->at) exposure.newest = point;
        if (point.verdict == "proven" || !point.proven_to.empty()) take_proven(exposure, point);
        const Instant holds = switched ? std::max(point.at, *switched) : point.at;
        exposure.as_of = std::max(exposure.as_of, {holds});
    }
}

Exposure exposure_of(Session& session, engine::Workspace& workspace, engine::Instances& instances,
                     const plan::Component& component, const providers::Instance& instance) {
    Exposure exposure;
    if (component.protect.empty()) return exposure;
    exposure.known = Known::unknown;
    const auto switched = instances.since(component.name);
    const auto status = engine::protection_status(workspace, component.name);
    if (!switched.has_value() || !status.has_value()) {
        exposure.warning = (status.has_value() ? switched.error() : status.error()).message;
        return exposure;
    }
    take_stream(exposure, *status, *switched, workspace.now());
    providers::Provider* provider = workspace.registry.find(component.kind);
    if (provider == nullptr || workspace.services.vault == nullptr) {
        exposure.as_of.reset();
        exposure.warning = provider == nullptr ? "no provider for its kind in this build"
                                               : workspace.services.vault_problem;
        return exposure;
    }
    const auto points =
        provider->points(session.context(), providers::Target{workspace.plan, component, instance});
    if (!points.has_value()) {
        exposure.as_of.reset();
        exposure.warning = points.error().message;
        return exposure;
    }
    take_points(exposure, *points, *switched);
    exposure.known = exposure.as_of ? Known::known : Known::empty;
    return exposure;
}

/// The scenario in which the component comes back last; one that never brings it back is worse.
std::optional<readiness::Forecast> worst_of(const std::vector<readiness::Forecast>& forecasts) {
    const readiness::Forecast* worst = nullptr;
    for (const readiness::Forecast& one : forecasts) {
        const bool later = worst == nullptr || (!one.time.recovers && worst->time.recovers) ||
                           (one.time.recovers == worst->time.recovers &&
                            one.time.total.p95 > worst->time.total.p95);
        if (later) worst = &one;
    }
    return worst == nullptr ? std::nullopt : std::optional(*worst);
}

struct Measurements {
    std::vector<readiness::Forecast> forecasts;
    std::vector<readiness::Fact> facts;
};

Result<Measurements> measurements(engine::Workspace& workspace, engine::Instances& instances) {
    engine::recall_evidence(workspace);
    // After a failover the next disaster strikes where the components stand then.
    const plan::Plan now = engine::as_it_stands(workspace.plan, instances);
    const auto history = TRY(engine::load_history(workspace.state, now));
    Measurements found;
    found.forecasts = readiness::forecast(now, workspace.catalog, history);
    found.facts = TRY(engine::load_facts(workspace.state));
    return found;
}

/// The plan promises no proof of its points: it is told of once there is one.
bool is_shown(const Promise& promise) {
    return promise.objective != readiness::Objective::restorable || promise.proof.fact;
}

bool is_in_trouble(const BoardRow& row, Instant now) {
    const auto& rpo = row.component->objectives.rpo;
    return row.seen.health == watch::Health::unhealthy ||
           (rpo && row.exposure.as_of && now - *row.exposure.as_of > *rpo);
}

/// The stream's last report counts too: the server answered then.
void remember(BoardRow& row, engine::LastAnswers& answers, Instant now) {
    const std::string& component = row.component->name;
    if (row.seen.health != watch::Health::unknown) return answers.answered(component, now);
    std::optional<Instant> last = answers.of(component, now);
    if (row.exposure.last_report) last = std::max(last, {std::min(*row.exposure.last_report, now)});
    row.never_answered = !last;
    if (last) row.unknown_for = now - *last;
}

}  // namespace

Board look_at_board(Session& session, engine::Workspace& workspace,
                    const std::vector<std::string>& components, engine::LastAnswers& answers) {
    Board board;
    board.environment = engine::environment_of(workspace.plan);
    const bool protects = std::ranges::any_of(
        workspace.plan.components, [](const plan::Component& one) { return !one.protect.empty(); });
    if (workspace.plan.vault || protects) board.vault_problem = workspace.services.vault_problem;
    engine::Instances instances(workspace);
    const engine::Look seen = engine::look(session.context(), workspace, instances, components);
    auto measured = measurements(workspace, instances);
    if (!measured.has_value()) board.evidence_problem = measured.error().message;
    board.at = workspace.now();
    std::vector<Promise> promises;
    if (measured.has_value())
        promises = weigh_promises(workspace.plan, measured->facts,
                                  engine::versions_in_use(seen.observations), board.at, true);
    for (const plan::Component& component : workspace.plan.components) {
        const auto observation = seen.observations.find(component.name);
        if (observation == seen.observations.end()) continue;
        BoardRow row;
        row.component = &component;
        row.seen = observation->second;
        if (const auto found = seen.instances.find(component.name); found != seen.instances.end())
            row.instance = found->second;
        row.exposure = exposure_of(session, workspace, instances, component, row.instance);
        for (const Promise& promise : promises)
            if (promise.component == &component && is_shown(promise))
                row.promises.push_back(promise);
        if (measured.has_value())
            for (const readiness::Forecast& one : measured->forecasts)
                if (one.component == component.name && (one.hit || one.touched))
                    row.forecasts.push_back(one);
        if (component.objectives.rto) row.worst = worst_of(row.forecasts);
        remember(row, answers, board.at);
        board.trouble = board.trouble || is_in_trouble(row, board.at);
        board.proves = board.proves || row.exposure.proven.has_value();
        board.rows.push_back(std::move(row));
    }
    return board;
}

}  // namespace lifeboat::cli

#include "core/incident/incident.h"

#include <fmt/core.h>

#include <algorithm>

namespace lifeboat::incident {
namespace {

template <class... F>
struct Overloaded : F... {
    using F::operator()...;
};

/// Reports come late: each stands where it belongs, after what is as old.
void note(Incident& incident, Instant at, std::string who, std::string what) {
    const auto later = std::ranges::upper_bound(incident.timeline, at, {}, &Entry::at);
    incident.timeline.insert(later,
                             Entry{.at = at, .who = std::move(who), .what = std::move(what)});
}

}  // namespace

std::string refusal(const Incident& incident, const Event& event) {
    const bool opens = std::holds_alternative<Opened>(event.body);
    if (opens) return incident.status == Status::none ? "" : "the incident is open already";
    if (incident.status == Status::none) return "there is no such incident";
    // People may still write down what they remember.
    if (std::holds_alternative<Noted>(event.body)) return {};
    if (incident.status == Status::resolved) return "the incident is resolved";
    if (std::holds_alternative<Mitigated>(event.body) && incident.status == Status::mitigated)
        return "the incident is mitigated already";
    return {};
}

void apply_to(Incident& incident, const Event& event) {
    const Instant at = event.at;
    std::visit(Overloaded{
                   [&](const Opened& e) {
                       incident.id = e.id;
                       incident.scenario = e.scenario;
                       incident.severity = e.severity;
                       incident.began = e.began;
                       incident.opened = at;
                       incident.status = Status::open;
                       if (e.began) note(incident, *e.began, "world", "the disaster");
                       note(incident, at, "monitoring",
                            fmt::format("opened as {}{}{}",
                                        e.severity.empty() ? "an incident" : e.severity,
                                        e.because.empty() ? "" : ": ", e.because));
                   },
                   [&](const Noted& e) { note(incident, at, e.who, e.what); },
                   [&](const RunAttached& e) {
                       incident.runs.push_back(e.run);
                       note(incident, at, "run", fmt::format("{} begins", e.run));
                   },
                   [&](const SeverityChanged& e) {
                       note(incident, at, e.who,
                            fmt::format("{} becomes {}: {}", incident.severity, e.severity, e.why));
                       incident.severity = e.severity;
                   },
                   [&](const LastGoodSet& e) {
                       incident.last_known_good = e.good;
                       note(incident, at, e.who,
                            fmt::format("the last good state is of {}{}{}", format_instant(e.good),
                                        e.why.empty() ? "" : ": ", e.why));
                   },
                   [&](const Mitigated& e) {
                       incident.status = Status::mitigated;
                       incident.mitigated = at;
                       note(incident, at, e.who, "customers are served again");
                   },
                   [&](const Resolved& e) {
                       incident.status = Status::resolved;
                       incident.resolved = at;
                       note(incident, at, e.who,
                            fmt::format("resolved{}{}", e.why.empty() ? "" : ": ", e.why));
                   },
               },
               event.body);
}

Severity severity_of(const plan::Plan& plan, const plan::Scenario& scenario) {
    Severity severity{.name = scenario.severity, .others = {}};
    for (const plan::Severity& one : plan.severities) {
        const bool named = std::ranges::find(one.scenarios, scenario.name) != one.scenarios.end();
        if (!named || one.name == severity.name) continue;
        if (severity.name.empty())
            severity.name = one.name;
        else
            severity.others.push_back(one.name);
    }
    return severity;
}

std::optional<LastGood> last_known_good(std::span<const KnownPoint> points, Instant bad_since) {
    std::optional<Instant> newest, proven;
    for (const KnownPoint& point : points) {
        if (point.bad || point.at >= bad_since) continue;
        newest = std::max(newest, std::optional(point.at));
        if (point.proven) proven = std::max(proven, std::optional(point.at));
    }
    if (proven) return LastGood{.at = *proven, .proven = true, .older = *newest - *proven};
    if (newest) return LastGood{.at = *newest};
    return std::nullopt;
}

std::string_view to_string(Status status) {
    switch (status) {
        case Status::open:
            return "open";
        case Status::mitigated:
            return "mitigated";
        case Status::resolved:
            return "resolved";
        case Status::none:
            break;
    }
    return "none";
}

std::vector<std::string> timeline_text(const Incident& incident) {
    const Instant zero = incident.began.value_or(incident.opened);
    std::vector<std::string> lines;
    for (const Entry& entry : incident.timeline) {
        const Duration since = entry.at - zero;
        const std::string when =
            since < Duration::zero() ? "-" + human_duration(-since) : human_duration(since);
        lines.push_back(fmt::format("{:>9}  {:<10}  {}", when, entry.who, entry.what));
    }
    return lines;
}

}  // namespace lifeboat::incident

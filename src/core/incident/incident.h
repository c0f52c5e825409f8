#pragma once
/// What people deal with: the record of an incident, how severe it is, the last state of the data
/// that was surely good, and what happened when.
///
/// A record is made of its events, like a run: equal events give equal records. Pure: time is the
/// recorded time of each event.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/plan/model.h"

namespace lifeboat::incident {

struct Entry {
    Instant at{};
    std::string who;  ///< "monitoring", "run", a person
    std::string what;
    bool operator==(const Entry&) const = default;
};

enum class Status { none, open, mitigated, resolved };

struct Incident {
    std::string id, scenario, severity;
    Status status = Status::none;
    std::optional<Instant> began;  ///< the disaster: injected, or the first failing look
    Instant opened{};
    std::optional<Instant> mitigated, resolved;
    std::optional<Instant> last_known_good;
    std::vector<std::string> runs;
    std::vector<Entry> timeline;  ///< in order of time
    bool operator==(const Incident&) const = default;
};

struct Opened {
    std::string id, scenario, severity;
    std::optional<Instant> began;
    std::string because;
};
struct Noted {
    std::string who, what;
};
struct RunAttached {
    std::string run;
};
struct SeverityChanged {
    std::string severity, who, why;
};
struct LastGoodSet {
    Instant good{};
    std::string who, why;
};
struct Mitigated {
    std::string who;
};
struct Resolved {
    std::string who, why;
};
using Body =
    std::variant<Opened, Noted, RunAttached, SeverityChanged, LastGoodSet, Mitigated, Resolved>;
struct Event {
    Instant at{};
    Body body;
};

/// Why the event does not fit the record as it is ("the incident is resolved"); "" when it does.
std::string refusal(const Incident& incident, const Event& event);
/// The record after the event. Requires: no refusal.
void apply_to(Incident& incident, const Event& event);

/// How severe a scenario is by the plan.
struct Severity {
    std::string name;                 ///< "" when the plan does not say
    std::vector<std::string> others;  ///< further ones that match: the plan contradicts itself
};
/// The scenario's own, else the severities whose conditions name it, the first (gravest) of them.
Severity severity_of(const plan::Plan& plan, const plan::Scenario& scenario);

struct KnownPoint {
    Instant at{};         ///< the state that it holds
    bool proven = false;  ///< was started and checked
    bool bad = false;     ///< was found damaged
};
struct LastGood {
    Instant at{};
    bool proven = false;
    Duration older{};  ///< than the newest point before the damage, which is not proven
};
/// The newest proven point before the data went bad; without one, the newest that is not known to
/// be bad. Nothing: no point is from before.
std::optional<LastGood> last_known_good(std::span<const KnownPoint> points, Instant bad_since);

std::string_view to_string(Status status);
/// "  12m30s  run        restore-database begins": from the beginning of the disaster.
std::vector<std::string> timeline_text(const Incident& incident);

}  // namespace lifeboat::incident

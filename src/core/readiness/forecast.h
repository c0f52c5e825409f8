#pragma once
/// What each scenario can keep of each promise: worst-case loss and predicted time to recover, per
/// component, and what they are made of.
///
/// Worst-case loss = interval + time to make + time to copy (+ time to detect where it counts),
/// over the protections that the disaster leaves. Predicted time = detection + approvals + critical
/// path over the steps' graph, up to where the component and all it needs are back. Every number
/// says what it rests on. Pure.

#include <optional>
#include <string>
#include <vector>

#include "core/plan/catalog.h"
#include "core/plan/model.h"
#include "core/readiness/evidence.h"
#include "core/readiness/history.h"

namespace lifeboat::readiness {

struct Part {
    std::string what;  ///< "interval", "snapshot", "copy to dr", "detection", "restore-database", …
    Spread spread;
    plan::Position at;
    std::string verb;  ///< of a step
};

struct Loss {
    std::optional<Duration> worst;  ///< absent: everything may be lost, `why` says so
    std::string by;                 ///< "snapshot @dr", "continuous", or "" when nothing is left
    std::vector<Part> parts;
    std::string why;
    bool assumed = false;  ///< everything may be lost, but only if what is assumed comes true
    plan::Position at;     ///< the protection that decides, else the component
};

struct RecoveryTime {
    bool recovers = false;  ///< the scenario's steps bring the component back (or never lost it)
    Spread total;
    std::vector<Part> path;  ///< detection, approvals and the steps of the critical path, in order;
                             ///< only of components with such an objective
    Duration assumed{};      ///< the share of total.p95 that is neither measured nor declared
    unsigned steps = 0, measured = 0;  ///< of the path: steps, and those with measurements
    bool by_account = false;  ///< the plan's own `stated_time` decides, not the sum of the steps
    bool forgotten = false;   ///< nothing brings it back, whatever else it waits for
    std::string why;          ///< when it does not recover
};

/// What is wrong with the order of a scenario's steps, for one component.
struct Flaw {
    enum class Kind {
        told_early,      ///< it gets new addresses before there is something at them
        held,            ///< it is isolated or stopped, and nothing takes that back afterwards
        released_early,  ///< it runs again while what it needs is still wrong
        isolated_late,   ///< it runs on until what it needs has been made anew
        looked_early,    ///< it is proven before it is brought back
        not_there,       ///< it is restored where none of its points is
        times_out,       ///< a step that it needs is stopped before it can be done
    };
    Kind kind = Kind::told_early;
    plan::Position at;   ///< of the step
    std::string step;    ///< its id
    std::string other;   ///< the step that it should wait for; "" where there is none
    std::string detail;  ///< the other component, or why: by kind
};

struct Forecast {
    std::string component;
    std::string scenario;  ///< "" = just the component is lost, whatever the scenarios say
    bool hit = false;      ///< the component itself is lost or corrupted in the scenario
    bool touched = false;  ///< not hit, but needs something that is
    Loss loss;
    RecoveryTime time;
    std::vector<Flaw> flaws;
    std::optional<bool> rpo_kept, rto_kept;  ///< absent: no such objective
};

/// Every component x scenario in which it is hit or touched, in the plan's order.
std::vector<Forecast> forecast(const plan::Plan& plan, const plan::Catalog& catalog,
                               const History& history);

/// The loss of each component with an RPO when just it is gone, and no scenario says how it comes
/// back: `scenario` is "", `time` says nothing.
std::vector<Forecast> forecast_alone(const plan::Plan& plan, const plan::Catalog& catalog,
                                     const History& history);

/// How long a disaster goes unnoticed: measured in this scenario, else what those of its signals
/// declare that something gives, else assumed. Few measurements do not outweigh the plan.
Spread detection_of(const plan::Plan& plan, const plan::Scenario& scenario, const History& history);

}  // namespace lifeboat::readiness

#pragma once
/// Every objective of the plan with the worst that a disaster can do to it: what `check` shows.
/// Pure.

#include <optional>
#include <string>
#include <vector>

#include "core/readiness/forecast.h"

namespace lifeboat::readiness {

struct Outlook {
    const plan::Component* component = nullptr;
    Objective objective = Objective::rpo;  ///< rpo or rto
    Duration promised{};
    std::optional<Duration> at_best;  ///< absent: everything is lost, or it is never back
    std::string by;        ///< "snapshot @dr"; "restore→repoint→verify"; or why there is nothing
    std::string scenario;  ///< the worst; "" = just the component is lost
    bool kept = false;
    bool doubtful = false;              ///< not kept, but only if what is assumed comes true
    const Forecast* decides = nullptr;  ///< absent when no scenario has anything to say
};

/// RPO and RTO of every component that has them, in the plan's order. Refers to its arguments.
std::vector<Outlook> outlook(const plan::Plan& plan, const std::vector<Forecast>& forecasts,
                             const std::vector<Forecast>& alone);

/// "detection 1m (assumed) + restore-database 20m (estimate)".
std::string explained_path(const RecoveryTime& time);
/// For people, to the minute where that is what decides: "24h6m".
std::string told(Duration duration);
/// Of what is longer than its limit: never in the same words as that, "1h and 8s".
std::string told_over(Duration duration, Duration limit);

}  // namespace lifeboat::readiness

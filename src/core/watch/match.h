#pragma once
/// From what is seen to which disaster it is. Pure; a later issue adds durations and hysteresis.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/plan/model.h"

namespace lifeboat::watch {

enum class Health { healthy, degraded, unhealthy, unknown };

struct Seen {
    Health health = Health::unknown;
    std::string why;               ///< "connection refused on 127.0.0.1:5500"
    std::optional<Instant> since;  ///< first failing observation
};

struct Sight {
    std::map<std::string, Seen> components;
    Instant at{};
};

struct Match {
    std::string scenario;
    bool applies = false;
    unsigned explained = 0;            ///< unhealthy components that its steps recover
    std::vector<std::string> because;  ///< one line per signal that holds
};

/// A site is lost when every component whose current instance stands there (and that has a health
/// check) is unhealthy or unreachable, and there are at least two, or it is the only one.
bool is_site_lost(const plan::Plan& plan, const Sight& sight, const std::string& site,
                  const std::map<std::string, std::string>& current_site);

/// All scenarios, the best match first: a scenario that explains more unhealthy components wins,
/// then the narrower one (fewer components touched), then the plan's order. Alerts and reports
/// never hold here.
std::vector<Match> match(const plan::Plan& plan, const Sight& sight,
                         const std::map<std::string, std::string>& current_site);

}  // namespace lifeboat::watch

#pragma once
/// Looks at all components at once: health, identity, role. Changes nothing.

#include <map>
#include <string>

#include "engine/instances.h"

namespace lifeboat::engine {

struct Look {
    watch::Sight sight;
    std::map<std::string, providers::Observation> observations;
    std::map<std::string, providers::Instance> instances;
};

/// Observes every named component (all when empty) concurrently, each within `limit`. A component
/// whose kind has no provider here is `unknown`. Never fails: what cannot be seen is unknown or
/// unhealthy.
Look look(const Context& context, Workspace& workspace, Instances& instances,
          const std::vector<std::string>& components = {},
          Duration limit = std::chrono::seconds(5));

}  // namespace lifeboat::engine

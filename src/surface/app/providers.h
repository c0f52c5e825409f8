#pragma once
/// The one list of providers.

#include "providers/contract/registry.h"

namespace lifeboat::app {

void add_providers(providers::Registry& registry, providers::Services& services, plan::Mode mode);

}  // namespace lifeboat::app

#pragma once
/// Everything that a command works with: the plan, its catalog and providers, the state and the
/// vault.
///
/// Assembled by surface/app; the engine's functions take it by reference. Nothing in it is global.

#include <memory>
#include <optional>
#include <string>

#include "core/plan/parse.h"
#include "platform/state/state.h"
#include "providers/contract/registry.h"

namespace lifeboat::engine {

struct Workspace {
    Environment& environment;
    const plan::Plan& plan;
    const plan::Catalog& catalog;
    providers::Registry& registry;
    providers::Services& services;  ///< vault and secrets
    State& state;

    Instant now() const { return environment.clock.now(); }
};

/// Who this process is, for leases: "recover database-lost by root on db1, pid 4711".
Holder own_holder(Environment& environment, const std::string& doing);

}  // namespace lifeboat::engine

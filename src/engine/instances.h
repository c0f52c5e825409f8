#pragma once
/// Which instance a component runs as now.
///
/// The plan names the first; a switch records the next in `state` (record "instance/<component>")
/// and, sealed, in the vault, so that an empty state directory is rebuilt from there. Every verb,
/// probe and protection resolves through current(). Recording is idempotent by the token that made
/// the instance. Thread-safe.

#include <map>
#include <string>

#include "engine/workspace.h"

namespace lifeboat::engine {

class Instances {
public:
    explicit Instances(Workspace& workspace) : workspace_(workspace) {}

    /// The recorded instance; else the newest one that the vault remembers (and it is recorded
    /// then); else the plan's. Errors: invalid (site or settings), corrupt, unavailable (state).
    Result<providers::Instance> current(const std::string& component);
    /// The instance that the plan alone names, at `site` ("" = the component's own).
    Result<providers::Instance> planned(const plan::Component& component, const std::string& site);
    /// Makes `instance` the current one. Success when it is already. Durable, in state and in the
    /// vault (where there is one; a vault that cannot be written is logged, the switch stands).
    Result<void> switch_to(const providers::Instance& instance, const std::string& run);
    /// Since when the current instance is current; nothing when it is the plan's own, or was not
    /// noted. Errors: unavailable (state).
    Result<std::optional<Instant>> since(const std::string& component);
    /// Writes the identity that was found at first adoption into the record. Errors: conflict when
    /// another identity is pinned.
    Result<void> pin(const std::string& component, const Json& identity);
    /// Instances of the component, of what it needs (transitively), by component name.
    Result<std::map<std::string, providers::Instance>> around(const plan::Component& component);
    /// Site of the current instance of every component; components that fail to resolve: the
    /// plan's.
    std::map<std::string, std::string> sites();

private:
    Result<std::optional<providers::Instance>> from_vault(const std::string& component,
                                                          std::uint64_t* generation,
                                                          std::string* since);
    Workspace& workspace_;
};

/// The plan with every component at the site where it runs now.
plan::Plan as_it_stands(const plan::Plan& plan, Instances& instances);

}  // namespace lifeboat::engine

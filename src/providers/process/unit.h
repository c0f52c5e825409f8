#pragma once
/// A service that systemd runs: started, stopped and seen through systemctl.
///
/// Where systemd does not run, everything is `unsupported` with the reason. Stateless; thread-safe.

#include "providers/process/service.h"

namespace lifeboat::providers::process {

struct UnitState {
    std::string active;  ///< "active", "inactive", "failed", "activating"
    std::int64_t pid = 0;
};

Result<UnitState> unit_state(const Context& context, Environment& environment,
                             const Service& service);
/// `action` is start, stop, mask --runtime…: one systemctl call. Errors: unsupported, unavailable.
Result<void> control_unit(const Context& context, Environment& environment, const Service& service,
                          const std::string& action);

}  // namespace lifeboat::providers::process

#pragma once
/// Names that people type, against those of the plan.

#include <string>
#include <vector>

#include "core/plan/model.h"

namespace lifeboat::cli {

/// Errors: not_found, naming the first that the plan does not have, and the nearest that it has.
Result<void> require_components(const plan::Plan& plan, const std::vector<std::string>& names);

}  // namespace lifeboat::cli

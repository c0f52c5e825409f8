#pragma once
/// Templates in the texts of a plan: `{{ database.port }}`, `{{ steps.restore-database.endpoint
/// }}`. Only their names are understood here; what they stand for is filled in when a run needs it.
/// Pure.

#include <string>
#include <string_view>
#include <vector>

#include "platform/base/result.h"

namespace lifeboat::plan {

bool has_template(std::string_view text);

/// The inner texts of all templates, trimmed: "database.port". Errors: invalid (one without an end,
/// an empty one).
Result<std::vector<std::string>> template_names(std::string_view text);

}  // namespace lifeboat::plan

#pragma once
/// A plan's text with changes: `components.cache.protect.every=50m`. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "platform/base/result.h"

namespace lifeboat::cli {

/// The text with each change made, in their order. A part of the path is a key, or in a list: a
/// place (0, 1, …), what an item is called (its method, id or name), or else a key of every item
/// that has it. The value is YAML; `null` takes the key away. The result says the same as YAML,
/// without comments. Errors: invalid, not_found (names the change).
Result<std::string> with_changes(std::string_view text, const std::vector<std::string>& changes);

}  // namespace lifeboat::cli

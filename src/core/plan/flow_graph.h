#pragma once
/// Inside of parse(): which step waits for which, to find steps that wait for each other.

#include "core/plan/reader.h"

namespace lifeboat::plan {

/// Says of every step that waits for itself, directly or around corners.
void find_circular_steps(Reader& reader, const std::string& what, const std::vector<Step>& steps);

}  // namespace lifeboat::plan

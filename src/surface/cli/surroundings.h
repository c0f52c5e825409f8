#pragma once
/// Where a plan is checked: what rules ask of the file system.
///
/// Reading only; what cannot be read is taken as it is written.

#include "core/readiness/rules.h"
#include "surface/cli/session.h"

namespace lifeboat::cli {

/// The path that it leads to: without dots, and without links as far as it exists. Requires: it is
/// absolute.
Path without_links(Files& files, const Path& path);

/// Lifeboat's state and the paths of the plan; without the texts of the plan and the time.
readiness::Surroundings surroundings_of(Session& session, const plan::Plan& plan);

}  // namespace lifeboat::cli

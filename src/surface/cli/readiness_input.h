#pragma once
/// What was measured here, for whoever judges the plan: history, facts, versions.
///
/// Reading only: no state directory is made or needed, and nothing is asked of any component.

#include <vector>

#include "core/readiness/evidence.h"
#include "core/readiness/history.h"
#include "surface/cli/session.h"

namespace lifeboat::cli {

struct ReadinessInput {
    readiness::History history;
    std::vector<readiness::Fact> facts;
    Json versions = Json::object();  ///< of this program; servers were not asked
};

/// Empty where nothing was ever run. Errors: those of opening a state that is there (denied,
/// corrupt, unsupported).
Result<ReadinessInput> readiness_input(Session& session);
/// The same for who can do without: what was measured is welcome, not needed, and a plan is judged
/// where nothing ever ran. Why it could not be read is told on standard error.
ReadinessInput readiness_input_or_note(Session& session);

}  // namespace lifeboat::cli

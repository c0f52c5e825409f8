#pragma once
/// Every promise of the plan with what the evidence says about it now, and the words for it.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/readiness/evidence.h"
#include "surface/cli/output.h"

namespace lifeboat::cli {

struct Promise {
    const plan::Component* component = nullptr;
    readiness::Objective objective = readiness::Objective::rto;
    std::optional<Duration> promised;  ///< absent for restorable
    readiness::Proof proof;
};

/// RTO and RPO of every component that has them, in the plan's order; with `restorable`, also
/// whether the points of what is protected were ever started and checked.
std::vector<Promise> weigh_promises(const plan::Plan& plan, std::span<const readiness::Fact> facts,
                                    const Json& versions, Instant now, bool restorable);

/// Written by a clock that this one has not reached, by more than clocks differ: nobody can tell
/// how old it is.
bool lies_ahead(Instant at, Instant now);
/// "4m ago"; of a moment that this clock has not reached: "dated 2h ahead".
std::string ago(Instant at, Instant now);
std::string_view words_for(readiness::Standing standing);  ///< "plan changed since"
Tone tone_of(readiness::Standing standing);  ///< good for proven, and for nothing else
std::string_view words_for(readiness::Objective objective);  ///< "RTO"
Json to_json(const Promise& promise);

}  // namespace lifeboat::cli

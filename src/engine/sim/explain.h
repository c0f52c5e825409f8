#pragma once
/// One trial as a story with times: the record of the incident that it would have been.

#include <string>
#include <vector>

#include "core/incident/incident.h"
#include "engine/sim/trial.h"

namespace lifeboat::engine::sim {

struct Explanation {
    std::string disaster;  ///< what struck, and when
    std::vector<std::string> circumstances;
    incident::Incident incident;
    std::vector<std::string> results;  ///< one line per objective concerned
    std::vector<bool> met;             ///< by result
    TrialResult trial;
};

/// The trial of this seed, carried by the real driver over a journal of records.
Explanation explain(const Stage& stage, std::uint64_t seed);

}  // namespace lifeboat::engine::sim

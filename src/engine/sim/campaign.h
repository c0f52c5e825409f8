#pragma once
/// Many trials, on as many threads as asked for. The same seeds give the same tally, whatever the
/// number of threads.

#include <functional>

#include "engine/sim/tally.h"
#include "platform/task/context.h"

namespace lifeboat::engine::sim {

struct CampaignOptions {
    std::uint64_t runs = 10'000;
    std::uint64_t seed = 1;  ///< of the first trial; the next one has the next
    unsigned jobs = 1;
    /// Called now and then, by one thread at a time.
    std::function<void(std::uint64_t done)> progress;
};

/// When stopped, what was done until then: Tally::trials() says how many.
Tally run_campaign(const Stage& stage, const CampaignOptions& options, const Context& context);

}  // namespace lifeboat::engine::sim

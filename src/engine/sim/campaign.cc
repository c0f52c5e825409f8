#include "engine/sim/campaign.h"

#include <algorithm>
#include <atomic>

#include "platform/task/mutex.h"
#include "platform/task/scope.h"

namespace lifeboat::engine::sim {
namespace {

constexpr std::uint64_t batch = 64;

}  // namespace

Tally run_campaign(const Stage& stage, const CampaignOptions& options, const Context& context) {
    Tally total(stage);
    Mutex mutex;
    std::atomic<std::uint64_t> next{0};
    std::atomic<std::uint64_t> done{0};
    const auto work = [&](const Context& inner, bool tells) {
        Tally own(stage);
        while (!inner.stopped()) {
            const std::uint64_t first = next.fetch_add(batch);
            if (first >= options.runs) break;
            const std::uint64_t last = std::min(first + batch, options.runs);
            for (std::uint64_t i = first; i < last; ++i)
                own.add(run_trial(stage, {.seed = options.seed + i}));
            const std::uint64_t sum = done += last - first;
            if (tells && options.progress) options.progress(sum);
        }
        const MutexLock lock(mutex);
        total.merge(own);
        return ok();
    };
    TaskScope scope(context);
    const unsigned jobs = std::max(1U, options.jobs);
    for (unsigned i = 1; i < jobs; ++i)
        scope.spawn([&](const Context& inner) { return work(inner, false); });
    (void)work(context, true);
    (void)
        scope.wait();  // Ignored: a trial cannot fail, it can only be broken, which the tally says
    return total;
}

}  // namespace lifeboat::engine::sim

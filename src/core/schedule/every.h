#pragma once
/// When a repeated job is due next: `every:` with anchoring, missed runs, and a clock that jumps.
/// Pure.

#include <optional>

#include "platform/base/time.h"

namespace lifeboat::schedule {

struct Due {
    Instant at{};         ///< when it should begin; in the past = now
    unsigned missed = 0;  ///< whole intervals that passed without a run
};

/// `last` is the recorded start of the last successful run (absent: never, due at once). A `last`
/// in the future (the clock jumped back) counts as now: the job is due one interval from now, not
/// hours later.
Due next_due(std::optional<Instant> last, Duration every, Instant now);
/// After `failures` failures in a row: how long to wait before trying again, at most `every`.
Duration retry_after(unsigned failures, Duration every);

}  // namespace lifeboat::schedule

#pragma once
/// A clock that stands still until somebody moves it. Thread-safe.
///
/// Who waits on it with Context::sleep waits for real: simulated code takes timers, it does not
/// sleep.

#include "platform/base/time.h"
#include "platform/task/mutex.h"

namespace lifeboat {

class SimClock final : public Clock {
public:
    /// Wall time begins at `start`, monotonic time at an hour: nothing may take it for zero.
    explicit SimClock(Instant start = Instant(std::chrono::hours(24 * 365 * 56)));

    Instant now() const override;
    Monotonic monotonic() const override;

    /// Both times pass. Requires: not negative.
    void advance(Duration duration);
    /// Wall time alone jumps, forwards or back, as when somebody sets the clock.
    void jump_wall(Duration offset);

private:
    mutable Mutex mutex_;
    Instant now_ GUARDED_BY(mutex_);
    Monotonic monotonic_ GUARDED_BY(mutex_) = std::chrono::hours(1);
};

}  // namespace lifeboat

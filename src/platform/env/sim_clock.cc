#include "platform/env/sim_clock.h"

namespace lifeboat {

SimClock::SimClock(Instant start) : now_(start) {}

Instant SimClock::now() const {
    const MutexLock lock(mutex_);
    return now_;
}

Monotonic SimClock::monotonic() const {
    const MutexLock lock(mutex_);
    return monotonic_;
}

void SimClock::advance(Duration duration) {
    CHECK(duration >= Duration::zero());
    const MutexLock lock(mutex_);
    now_ += duration;
    monotonic_ += duration;
}

void SimClock::jump_wall(Duration offset) {
    const MutexLock lock(mutex_);
    now_ += offset;
}

}  // namespace lifeboat

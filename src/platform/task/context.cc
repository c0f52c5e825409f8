#include "platform/task/context.h"

#include <fmt/core.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace lifeboat {

Context Context::within(Duration limit) const {
    Context tighter = *this;
    // A limit of "for ever" must not wrap around to the past.
    const Monotonic now = clock_->monotonic();
    const Monotonic end = limit < Monotonic::max() - now ? now + limit : Monotonic::max();
    tighter.deadline_ = deadline_ ? std::min(*deadline_, end) : end;
    return tighter;
}

Context Context::with_stop(std::stop_token stop) const {
    Context other = *this;
    other.stop_ = std::move(stop);
    return other;
}

std::optional<Duration> Context::remaining() const {
    if (!deadline_) return std::nullopt;
    return std::max(Duration::zero(), Duration(*deadline_ - clock_->monotonic()));
}

Duration Context::remaining_or(Duration limit) const {
    return std::min(limit, remaining().value_or(limit));
}

Result<void> Context::check(std::string_view what) const {
    if (stopped()) return cancelled(fmt::format("{} was cancelled", what));
    if (remaining() == Duration::zero()) return timeout(fmt::format("{} ran out of time", what));
    return ok();
}

Result<void> Context::sleep(Duration duration) const {
    // In rounds, because the library adds a wait to a clock of nanoseconds, which would overflow.
    constexpr Duration round = std::chrono::hours(1);
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    for (Duration left = remaining_or(duration); left > Duration::zero() && !stopped();) {
        wake.wait_for(lock, stop_, std::min(left, round), [] { return false; });
        left -= std::min(left, round);
    }
    return check("the wait");
}

}  // namespace lifeboat

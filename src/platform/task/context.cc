#include "platform/task/context.h"

#include <fmt/core.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace lifeboat {

Context Context::within(Duration limit) const {
    Context tighter = *this;
    Monotonic end = clock_->monotonic() + limit;
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
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop_, remaining_or(duration), [] { return false; });
    return check("the wait");
}

}  // namespace lifeboat

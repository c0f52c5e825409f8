#pragma once
/// What every blocking call takes: a token that asks it to stop, and the moment by which it must be
/// back.
///
/// A Context is a small value; pass it by const reference, derive tighter ones with `within`.
/// Thread-safe (immutable).

#include <optional>
#include <stop_token>

#include "platform/base/result.h"
#include "platform/base/time.h"

namespace lifeboat {

class Context {
public:
    /// No deadline; never stopped unless by `stop`.
    explicit Context(const Clock& clock, std::stop_token stop = {})
        : clock_(&clock), stop_(std::move(stop)) {}

    /// The same context that ends at the earlier of its deadline and `limit` from now.
    Context within(Duration limit) const;
    /// The same deadline under another stop token.
    Context with_stop(std::stop_token stop) const;

    bool stopped() const { return stop_.stop_requested(); }
    const std::stop_token& stop_token() const { return stop_; }
    const Clock& clock() const { return *clock_; }
    /// Time left, zero when the deadline has passed; nothing when there is none.
    std::optional<Duration> remaining() const;
    /// The smaller of remaining() and `limit`: what to hand to poll(2) and friends.
    Duration remaining_or(Duration limit) const;
    /// Errors: cancelled (stop requested), timeout (deadline passed).
    Result<void> check(std::string_view what) const;
    /// Waits `duration`, or less when stopped or at the deadline. Errors: cancelled, timeout.
    Result<void> sleep(Duration duration) const;

private:
    const Clock* clock_;
    std::stop_token stop_;
    std::optional<Monotonic> deadline_;
};

}  // namespace lifeboat

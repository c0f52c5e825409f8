#pragma once
/// Lets poll(2) end as soon as a stop is requested. Internal to env. Thread-safe.

#include <functional>
#include <stop_token>

#include "platform/env/fd.h"
#include "platform/task/context.h"

namespace lifeboat {

/// A descriptor that becomes readable, and stays so, once the token is stopped.
class StopSignal {
public:
    explicit StopSignal(const std::stop_token& token);
    int fd() const { return event_.get(); }

private:
    Fd event_;
    std::stop_callback<std::function<void()>> callback_;
};

/// Milliseconds for poll(2): what the context has left, at most `limit`; rounded up, so that a wait
/// does not spin through the last fraction of a millisecond.
int poll_timeout(const Context& context, Duration limit);

}  // namespace lifeboat

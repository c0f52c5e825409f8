#include "platform/env/real.h"

namespace lifeboat {
namespace {

class RealClock final : public Clock {
public:
    Instant now() const override {
        return std::chrono::floor<Duration>(std::chrono::system_clock::now());
    }
    Monotonic monotonic() const override {
        const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
        return std::chrono::floor<Monotonic>(since_start);
    }
};

}  // namespace

Clock& real_clock() {
    static RealClock clock;
    return clock;
}

}  // namespace lifeboat

#pragma once
/// Randomness from a seed: the same seed gives the same bytes on every machine. Thread-safe, though
/// threads that share one get its bytes in the order in which they happen to ask.

#include <array>

#include "platform/env/random.h"
#include "platform/task/mutex.h"

namespace lifeboat {

class SeededRandom final : public Random {
public:
    explicit SeededRandom(std::uint64_t seed);

    void fill(std::span<std::byte> out) override;
    /// Uniform in [0, bound). Requires: bound > 0.
    std::uint64_t below(std::uint64_t bound);
    /// True once in `times`, on the average.
    bool one_in(std::uint64_t times) { return below(times) == 0; }

private:
    std::uint64_t step() REQUIRES(mutex_);

    Mutex mutex_;
    std::array<std::uint64_t, 4> state_ GUARDED_BY(mutex_);
};

}  // namespace lifeboat

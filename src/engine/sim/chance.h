#pragma once
/// Randomness of one simulated run: everything that happens follows from the seed. Not thread-safe.

#include <array>
#include <cstdint>
#include <span>

#include "platform/base/time.h"

namespace lifeboat::engine::sim {

/// SplitMix64: small, fast, and the same on every machine.
class Chance {
public:
    explicit Chance(std::uint64_t seed) : state_(seed) {
        // Neighbouring seeds must not walk the same sequence, one step apart.
        state_ = next() ^ 0x5851F42D4C957F2DU;
    }

    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
        z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
        z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
        return z ^ (z >> 31U);
    }
    /// Uniform in [0, bound). Requires: bound > 0.
    std::uint64_t below(std::uint64_t bound) { return next() % bound; }
    /// Uniform in [least, most].
    std::uint64_t between(std::uint64_t least, std::uint64_t most) {
        return least + below(most - least + 1);
    }
    Duration between(Duration least, Duration most) {
        return least + Duration(static_cast<std::int64_t>(
                           below(static_cast<std::uint64_t>((most - least).count()) + 1)));
    }
    bool percent(unsigned chance) { return below(100) < chance; }
    /// Uniform in [0, 1).
    double unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }
    /// A stream of its own for one purpose: what is drawn there does not depend on what is drawn
    /// elsewhere, so that two plans meet the same disaster.
    static Chance of(std::uint64_t seed, std::uint64_t purpose) {
        return Chance(seed * 0x9E3779B97F4A7C15U ^ (purpose + 1) * 0xD1B54A32D192ED03U);
    }
    template <class T, std::size_t N>
    const T& pick(const std::array<T, N>& items) {
        return items[below(N)];
    }
    template <class T>
    const T& pick(std::span<const T> items) {
        return items[below(items.size())];
    }

private:
    std::uint64_t state_;
};

}  // namespace lifeboat::engine::sim

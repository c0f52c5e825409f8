#include "platform/env/sim_random.h"

#include <algorithm>
#include <bit>

namespace lifeboat {
namespace {

/// SplitMix64: spreads a seed, however small, over the whole state.
std::uint64_t spread(std::uint64_t& seed) {
    seed += 0x9e3779b97f4a7c15ULL;
    std::uint64_t value = seed;
    value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    value = (value ^ (value >> 27U)) * 0x94d049bb133111ebULL;
    return value ^ (value >> 31U);
}

}  // namespace

SeededRandom::SeededRandom(std::uint64_t seed)
    : state_{spread(seed), spread(seed), spread(seed), spread(seed)} {}

/// xoshiro256**, by Blackman and Vigna (public domain).
std::uint64_t SeededRandom::step() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

void SeededRandom::fill(std::span<std::byte> out) {
    const MutexLock lock(mutex_);
    while (!out.empty()) {
        const std::uint64_t word = step();
        const std::size_t count = std::min(out.size(), sizeof word);
        for (std::size_t i = 0; i < count; ++i) {
            out[i] = static_cast<std::byte>(word >> (8 * i) & 255U);
        }
        out = out.subspan(count);
    }
}

std::uint64_t SeededRandom::below(std::uint64_t bound) {
    CHECK(bound > 0);
    const MutexLock lock(mutex_);
    // Numbers of the incomplete last stretch would make small results likelier.
    const std::uint64_t unfair = (0 - bound) % bound;
    for (;;) {
        const std::uint64_t word = step();
        if (word >= unfair) return word % bound;
    }
}

}  // namespace lifeboat

#pragma once
/// Randomness as an interface: the real one is the kernel's, the simulated one a seed's.
/// Thread-safe.

#include <cstdint>
#include <string>

#include "platform/base/bytes.h"

namespace lifeboat {

class Random {
public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::byte> out) = 0;

    std::uint64_t next() {
        std::uint64_t value = 0;
        fill(std::as_writable_bytes(std::span(&value, 1)));
        return value;
    }
    /// `bytes` random bytes as hex.
    std::string hex(std::size_t bytes) {
        Bytes raw(bytes);
        fill(raw);
        return to_hex(raw);
    }
};

}  // namespace lifeboat

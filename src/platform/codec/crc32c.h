#pragma once
/// The two ways to compute CRC-32C; crypto::crc32c() takes the fast one where the CPU has it.
/// Separate so that a test can hold one against the other.

#include <cstdint>

#include "platform/base/bytes.h"

namespace lifeboat::crypto::detail {

/// Works everywhere; eight bytes at a time by table.
std::uint32_t crc32c_by_table(ByteView bytes, std::uint32_t seed);
/// True when the CPU has the instruction.
bool has_crc32c_instruction();
/// Requires: has_crc32c_instruction().
std::uint32_t crc32c_by_instruction(ByteView bytes, std::uint32_t seed);

}  // namespace lifeboat::crypto::detail

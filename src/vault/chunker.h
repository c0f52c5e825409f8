#pragma once
/// Where a stream of bytes is cut into chunks. Pure; not thread-safe.
///
/// Fixed: every 64 KiB, which is what database files change by. Content-defined: FastCDC, 256 KiB
/// to 4 MiB around 1 MiB, with a table that depends on the vault's key. Where the cuts fall depends
/// on the bytes alone, not on the pieces in which they come.

#include <array>
#include <cstdint>

#include "vault/keys.h"
#include "vault/vault.h"

namespace lifeboat::vault {

constexpr std::size_t fixed_chunk_size = std::size_t{64} << 10U;
constexpr std::size_t content_chunk_min = std::size_t{256} << 10U;
constexpr std::size_t content_chunk_average = std::size_t{1} << 20U;
constexpr std::size_t content_chunk_max = std::size_t{4} << 20U;

using GearTable = std::array<std::uint64_t, 256>;
GearTable make_gear_table(const crypto::Key& gear);

class Chunker {
public:
    /// `gear` outlives the chunker.
    Chunker(Chunking chunking, const GearTable& gear) : chunking_(chunking), gear_(&gear) {}

    struct Step {
        std::size_t taken = 0;  ///< bytes that belong to the open chunk; at least 1
        bool cut = false;       ///< the chunk ends behind them
    };
    /// Requires: bytes is not empty.
    Step feed(ByteView bytes);

private:
    Step feed_content(ByteView bytes);

    Chunking chunking_;
    const GearTable* gear_;
    std::size_t size_ = 0;  ///< of the open chunk
    std::uint64_t rolling_ = 0;
};

/// True when every byte is zero.
bool is_zero(ByteView bytes);

}  // namespace lifeboat::vault

#pragma once
/// Reads chunks out of packs by the direct pointers of a manifest. Neighbours in a pack are read at
/// once. Thread-safe.

#include <functional>
#include <span>

#include "vault/access.h"
#include "vault/tree.h"

namespace lifeboat::vault {

class ChunkSource {
public:
    /// `packs` is the manifest's list; it outlives the source.
    ChunkSource(Access& access, const std::vector<PackRef>& packs)
        : access_(access), packs_(packs) {}

    /// Called with the extent and its authenticated bytes; none for zeros.
    using Sink = std::function<Result<void>(const Extent&, ByteView)>;
    /// Gives every extent to `sink`, in order. Errors: corrupt (names pack, chunk, offset), the
    /// sink's.
    Result<void> read(std::span<const Extent> extents, ChunkType type, const Sink& sink);

private:
    std::size_t run_length(std::span<const Extent> extents) const;
    Result<void> read_run(std::span<const Extent> run, ChunkType type, const Sink& sink);

    Access& access_;
    const std::vector<PackRef>& packs_;
};

}  // namespace lifeboat::vault

#pragma once
/// Reading one point (see PointReader in vault.h).

#include "vault/access.h"
#include "vault/chunk_source.h"
#include "vault/manifest.h"

namespace lifeboat::vault {

/// A manifest with its tree, both authentic.
struct LoadedPoint {
    Manifest manifest;
    Tree tree;
};
/// Errors: corrupt (a tree chunk, or the tree does not match the signed root).
Result<LoadedPoint> load_point(Access& access, Manifest manifest);

Result<std::unique_ptr<PointReader>> open_point(Access& access, Manifest manifest);

/// A piece of one file: what one thread works on at a time.
struct Piece {
    std::size_t entry = 0;
    std::uint64_t offset = 0;  ///< in the file, of the first extent
    std::span<const Extent> extents;
};
/// Every file's extents in pieces of a few MiB.
std::vector<Piece> pieces_of(const Tree& tree);

/// Writes a point's tree (restore.cc). Errors: as PointReader::restore.
Result<void> restore_tree(Access& access, const LoadedPoint& point, ChunkSource& source,
                          const Context& context, const Path& directory,
                          const RestoreOptions& options, const Progress& progress);

}  // namespace lifeboat::vault

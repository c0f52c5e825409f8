#pragma once
/// Manifests: one small object per point, which makes the point exist. Names, facts, the packs it
/// needs, its tree chunks, the root over its content, the predecessor in the chain, a signature.
///
///     header 56 | sealed head (JSON) | signature 64 | sealed body (packs, tree chunks)
///
/// Listing points reads heads only. A manifest's name is its sequence number, created if absent:
/// two writers never share one. Pure.

#include "vault/tree.h"

namespace lifeboat::vault {

struct Manifest {
    Point point;
    Digest previous{};  ///< SHA-256 of the manifest with the sequence before; zero for the first
    Digest root{};      ///< over entries and content
    std::uint64_t entries = 0;
    std::vector<PackRef> packs;
    std::vector<Extent> tree;  ///< the tree chunks, in order
};

std::string manifest_object(std::uint64_t sequence);
/// The sequence of a manifest's name, or nothing.
std::optional<std::uint64_t> manifest_sequence(std::string_view object);

Bytes write_manifest(const Keys& keys, const Manifest& manifest, const Salt& salt);
/// The whole manifest. Errors: corrupt.
Result<Manifest> read_manifest(const Keys& keys, std::uint64_t sequence, ByteView bytes);

/// How many bytes the head of a manifest ends at, from its first bytes, and how many it has in all.
struct ManifestExtent {
    std::size_t head_end = 0;
    std::uint64_t total = 0;
};
constexpr std::size_t manifest_header_size = 56;
Result<ManifestExtent> manifest_extent(ByteView header);
/// The point of a manifest from the bytes up to head_end. Errors: corrupt.
Result<Point> read_manifest_head(const Keys& keys, std::uint64_t sequence, ByteView bytes);

}  // namespace lifeboat::vault

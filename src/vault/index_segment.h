#pragma once
/// Index segments: sorted, sealed, immutable lists of which chunk lies in which pack.
///
///     header 56 | sealed block of up to 128 entries … | sealed table (packs, fences) | footer 48
///
/// Only the table stays in memory, a quarter of a byte for each KiB of chunks; a block is read when
/// it is asked for. All that a segment says can be rebuilt from the packs' own tables.

#include <memory>
#include <optional>
#include <span>

#include "platform/env/random.h"
#include "vault/pack.h"
#include "vault/store.h"

namespace lifeboat::vault {

/// Where a chunk is.
struct Location {
    PackRef pack;
    Slot slot;
};

struct IndexEntry {
    ChunkId id{};
    ChunkType type = ChunkType::data;
    std::uint32_t pack = 0;  ///< number in the segment's list of packs
    Slot slot;
};

constexpr std::size_t index_block_entries = 128;
constexpr std::size_t index_segment_entries = std::size_t{512} << 10U;

std::string index_object(const Digest& name);

/// One segment; immutable and thread-safe.
class IndexSegment {
public:
    /// Reads header, table and footer. Errors: not_found (merged away meanwhile), corrupt.
    static Result<std::shared_ptr<const IndexSegment>> load(Store& store, const Keys& keys,
                                                            const std::string& object);

    const std::string& object() const { return object_; }
    const std::vector<PackRef>& packs() const { return packs_; }
    std::size_t entries() const { return entries_; }
    std::size_t blocks() const { return fences_.size(); }
    /// The blocks that may hold this id: [first, last).
    std::pair<std::size_t, std::size_t> candidates(const ChunkId& id) const;
    /// Errors: not_found, corrupt (names the block).
    Result<std::vector<IndexEntry>> read_block(Store& store, const Keys& keys,
                                               std::size_t block) const;

private:
    std::string object_;
    crypto::Key key_;
    Salt salt_{};
    std::size_t entries_ = 0;
    std::vector<PackRef> packs_;
    std::vector<std::uint64_t> fences_;  ///< the first 8 bytes of each block's first id, big-endian
};

/// Writes entries that come in order of their ids as one segment or several.
class IndexWriter {
public:
    IndexWriter(Store& store, const Keys& keys, Random& random)
        : store_(&store), keys_(&keys), random_(&random) {}

    /// Requires: ids do not descend. Errors: exhausted and those of Store::put.
    Result<void> add(const ChunkId& id, ChunkType type, const Location& location);
    /// Durable: all. Returns the names of the segments.
    Result<std::vector<std::string>> finish();

private:
    Result<void> put_segment();

    Store* store_;
    const Keys* keys_;
    Random* random_;
    std::vector<IndexEntry> entries_;
    std::vector<PackRef> packs_;
    std::map<Digest, std::uint32_t> numbers_;
    std::vector<std::string> written_;
};

}  // namespace lifeboat::vault

#pragma once
/// The index: all segments together. Answers where a chunk is; what it does not know is stored
/// again.
///
/// Nothing that is restored depends on it: points name their packs themselves. So a damaged segment
/// costs space, never data, and is rebuilt from the packs. Thread-safe.

#include <set>
#include <unordered_map>

#include "platform/task/mutex.h"
#include "vault/index_segment.h"

namespace lifeboat::vault {

/// Hash for maps by chunk id: an id is as random as any hash of it.
struct ChunkIdHash {
    std::size_t operator()(const ChunkId& id) const noexcept {
        std::size_t value = 0;
        std::memcpy(&value, id.data(), sizeof value);
        return value;
    }
};

class Index {
public:
    Index(Store& store, const Keys& keys, Random& random)
        : store_(store), keys_(keys), random_(random) {}

    /// Loads all segments. Damaged ones are left out and named in damage(). `excluded` packs are
    /// treated as if they were not there: prune is about to remove them.
    Result<void> load(std::set<Digest> excluded);
    /// Where the chunk is, if an index says so. Errors: those of the store but not_found.
    Result<std::optional<Location>> find(const ChunkId& id, ChunkType type);
    Result<void> add_segment(const std::string& object);

    /// What is wrong with segments, so far as it was noticed.
    std::vector<Error> damage() const;
    /// True when segments are damaged, or none are there.
    bool is_incomplete() const;
    /// Writes new segments for packs that no segment covers, from the packs' own tables. Only packs
    /// whose bytes match their name count. Errors: those of the store.
    Result<void> rebuild();
    /// Merges small segments when there are many of them.
    Result<void> tidy();
    /// Replaces every segment by merged ones without the packs in `dropped`.
    Result<void> rewrite(const std::set<Digest>& dropped);

private:
    using Segments = std::vector<std::shared_ptr<const IndexSegment>>;
    using Block = std::shared_ptr<const std::vector<IndexEntry>>;

    Segments segments() const;
    Result<Block> block(const IndexSegment& segment, std::size_t number);
    Result<std::optional<Location>> find_in(const IndexSegment& segment, const ChunkId& id,
                                            ChunkType type);
    Result<void> merge(const Segments& inputs, const std::set<Digest>& dropped);
    void note(const Error& error);

    Store& store_;
    const Keys& keys_;
    Random& random_;
    mutable Mutex mutex_;
    Segments segments_ GUARDED_BY(mutex_);
    std::set<Digest> excluded_ GUARDED_BY(mutex_);
    std::vector<std::string> damaged_ GUARDED_BY(mutex_);  ///< objects
    std::vector<Error> damage_ GUARDED_BY(mutex_);
    std::unordered_map<std::string, Block> cache_ GUARDED_BY(mutex_);
};

}  // namespace lifeboat::vault

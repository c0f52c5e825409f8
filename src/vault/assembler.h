#pragma once
/// Puts what the workers have made of a point's chunks in order again: into packs, the run's own
/// index and the tree. Thread-safe; memory is bounded.
///
/// Events carry consecutive numbers and may come in any order. Whoever completes a pack writes it,
/// outside the lock: so as many packs are on their way as there are workers.

#include <unordered_map>
#include <variant>

#include "vault/access.h"
#include "vault/index.h"
#include "vault/manifest.h"

namespace lifeboat::vault {

/// Where a chunk lies for the point that is being written: the number of a pack, and the slot.
struct Placed {
    std::uint32_t pack = 0;
    ChunkType type = ChunkType::data;
    Slot slot;
};

struct ZeroChunk {
    std::uint64_t size = 0;
};
/// A chunk that was found in the vault, or that has to be stored.
struct DataChunk {
    ChunkId id{};
    std::uint64_t size = 0;
    std::optional<Location> known;  ///< in an older pack
    Packed packed;                  ///< else these bytes, unless the run already has the chunk
};
struct AddDirectory {
    std::string path;
    FileMeta meta;
};
struct AddSymlink {
    std::string path;
    std::string target;
};
struct BeginFile {
    std::string path;
    FileMeta meta;
};
struct EndFile {};
using Event = std::variant<ZeroChunk, DataChunk, AddDirectory, AddSymlink, BeginFile, EndFile>;

class Assembler {
public:
    Assembler(Access& access, Index& index) : access_(access), index_(index) {}

    /// Errors: those of the store; once it failed, every later call fails with the same error.
    Result<void> submit(std::uint64_t number, Event event);
    /// True when this run has stored the chunk and still remembers it.
    bool has(const ChunkId& id);

    /// All events are in: writes the last packs and the index, in this order, all durable. Returns
    /// what the manifest needs.
    struct Assembled {
        std::vector<PackRef> packs;
        std::vector<Extent> tree;
        Digest root{};
        std::uint64_t entries = 0;
        std::uint64_t stored = 0;
    };
    Result<Assembled> finish();
    /// Older packs that this point refers to.
    std::vector<PackRef> borrowed();

private:
    struct Full {
        std::uint32_t number = 0;
        PackBuilder builder;
    };
    struct Open {
        std::uint32_t number = 0;
        PackBuilder builder;
    };

    void apply(Event event) REQUIRES(mutex_);
    void apply_chunk(DataChunk chunk) REQUIRES(mutex_);
    Placed store(const ChunkId& id, ChunkType type, ByteView packed, Encoding encoding,
                 std::size_t plain) REQUIRES(mutex_);
    std::uint32_t number_of(const PackRef& pack) REQUIRES(mutex_);
    void cut_tree() REQUIRES(mutex_);
    Result<void> write_full(std::vector<Full> full);
    Result<void> flush_index(bool all) REQUIRES(mutex_);
    Result<void> failed(Result<void> result) REQUIRES(mutex_);

    Access& access_;
    Index& index_;
    Mutex mutex_;
    std::uint64_t next_ GUARDED_BY(mutex_) = 0;
    std::map<std::uint64_t, Event> waiting_ GUARDED_BY(mutex_);
    std::optional<Open> open_ GUARDED_BY(mutex_);
    std::vector<Full> full_ GUARDED_BY(mutex_);
    std::vector<PackRef> packs_ GUARDED_BY(mutex_);  ///< by number; an open one has no name yet
    std::vector<bool> finished_ GUARDED_BY(mutex_);  ///< by number; true for older packs too
    std::map<Digest, std::uint32_t> numbers_ GUARDED_BY(mutex_);
    std::set<std::uint32_t> own_ GUARDED_BY(mutex_);
    std::unordered_map<ChunkId, Placed, ChunkIdHash> run_ GUARDED_BY(mutex_);
    TreeWriter tree_ GUARDED_BY(mutex_);
    std::vector<Extent> tree_chunks_ GUARDED_BY(mutex_);
    std::uint64_t stored_ GUARDED_BY(mutex_) = 0;
    Result<void> failure_ GUARDED_BY(mutex_);
};

}  // namespace lifeboat::vault

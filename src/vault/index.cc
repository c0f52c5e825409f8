#include "vault/index.h"

#include <fmt/core.h>

#include <algorithm>
#include <queue>

namespace lifeboat::vault {
namespace {

constexpr std::size_t cached_blocks_max = 2048;  // 14 MiB
constexpr std::size_t small_segments_max = 8;

/// Walks through one segment in order, a block at a time.
class Cursor {
public:
    Cursor(Store& store, const Keys& keys, std::shared_ptr<const IndexSegment> segment)
        : store_(&store), keys_(&keys), segment_(std::move(segment)) {}

    /// The next entry; nullptr at the end. Damaged blocks are passed over and reported.
    Result<const IndexEntry*> next(std::vector<Error>& damage) {
        while (at_ == entries_.size()) {
            if (block_ == segment_->blocks()) return static_cast<const IndexEntry*>(nullptr);
            entries_.clear();
            at_ = 0;
            auto entries = segment_->read_block(*store_, *keys_, block_++);
            if (entries.has_value())
                entries_ = std::move(*entries);
            else if (entries.error().kind == ErrorKind::corrupt)
                damage.push_back(entries.error());
            else
                return std::move(entries).error();
        }
        return &entries_[at_++];
    }
    const PackRef& pack(const IndexEntry& entry) const { return segment_->packs()[entry.pack]; }

private:
    Store* store_;
    const Keys* keys_;
    std::shared_ptr<const IndexSegment> segment_;
    std::vector<IndexEntry> entries_;
    std::size_t at_ = 0;
    std::size_t block_ = 0;
};

struct Head {
    IndexEntry entry;
    std::size_t cursor = 0;
    bool operator>(const Head& other) const { return entry.id > other.entry.id; }
};

}  // namespace

Index::Segments Index::segments() const {
    const MutexLock lock(mutex_);
    return segments_;
}

void Index::note(const Error& error) {
    const MutexLock lock(mutex_);
    if (std::ranges::find(damage_, error) == damage_.end()) damage_.push_back(error);
}

Result<void> Index::load(std::set<Digest> excluded) {
    Segments loaded;
    std::vector<std::string> damaged;
    std::vector<Error> damage;
    const auto objects = TRY(store_.list("index/"));
    for (const ObjectInfo& object : objects) {
        auto segment = IndexSegment::load(store_, keys_, object.name);
        if (segment.has_value()) {
            loaded.push_back(std::move(*segment));
        } else if (segment.error().kind == ErrorKind::corrupt) {
            damaged.push_back(object.name);
            damage.push_back(std::move(segment).error());
        } else if (segment.error().kind != ErrorKind::not_found) {  // else: merged away meanwhile
            return std::move(segment).error();
        }
    }
    const MutexLock lock(mutex_);
    segments_ = std::move(loaded);
    excluded_ = std::move(excluded);
    damaged_ = std::move(damaged);
    damage_ = std::move(damage);
    cache_.clear();
    return ok();
}

Result<void> Index::add_segment(const std::string& object) {
    auto segment = TRY(IndexSegment::load(store_, keys_, object));
    const MutexLock lock(mutex_);
    segments_.push_back(std::move(segment));
    return ok();
}

Result<Index::Block> Index::block(const IndexSegment& segment, std::size_t number) {
    const std::string key = fmt::format("{}#{}", segment.object(), number);
    {
        const MutexLock lock(mutex_);
        const auto cached = cache_.find(key);
        if (cached != cache_.end()) return cached->second;
    }
    auto entries = TRY(segment.read_block(store_, keys_, number));
    auto shared = std::make_shared<const std::vector<IndexEntry>>(std::move(entries));
    const MutexLock lock(mutex_);
    if (cache_.size() >= cached_blocks_max) cache_.clear();
    cache_[key] = shared;
    return Block(std::move(shared));
}

Result<std::optional<Location>> Index::find_in(const IndexSegment& segment, const ChunkId& id,
                                               ChunkType type) {
    const auto [first, last] = segment.candidates(id);
    for (std::size_t number = first; number < last; ++number) {
        const Block entries = TRY(block(segment, number));
        const auto range = std::ranges::equal_range(*entries, id, {}, &IndexEntry::id);
        for (const IndexEntry& entry : range) {
            const PackRef& pack = segment.packs()[entry.pack];
            const MutexLock lock(mutex_);
            if (entry.type == type && !excluded_.contains(pack.name))
                return std::optional(Location{pack, entry.slot});
        }
    }
    return std::optional<Location>();
}

Result<std::optional<Location>> Index::find(const ChunkId& id, ChunkType type) {
    for (int attempt = 0;; ++attempt) {
        bool again = false;
        for (const auto& segment : segments()) {
            auto found = find_in(*segment, id, type);
            if (found.has_value()) {
                if (found->has_value()) return found;
            } else if (found.error().kind == ErrorKind::corrupt) {
                note(found.error());
            } else if (found.error().kind == ErrorKind::not_found) {
                again = true;  // another writer has merged this segment into a new one
            } else {
                return found;
            }
        }
        if (!again || attempt == 3) return std::optional<Location>();
        std::set<Digest> excluded;
        {
            const MutexLock lock(mutex_);
            excluded = excluded_;
        }
        TRY(load(std::move(excluded)));
    }
}

std::vector<Error> Index::damage() const {
    const MutexLock lock(mutex_);
    return damage_;
}

bool Index::is_incomplete() const {
    const MutexLock lock(mutex_);
    return segments_.empty() || !damage_.empty();
}

Result<void> Index::rebuild() {
    std::set<Digest> covered;
    for (const auto& segment : segments())
        for (const PackRef& pack : segment->packs()) covered.insert(pack.name);
    struct Found {
        ChunkId id;
        ChunkType type;
        Location location;
    };
    std::vector<Found> found;
    const auto write = [&]() -> Result<void> {
        std::ranges::sort(found, {}, &Found::id);
        IndexWriter writer(store_, keys_, random_);
        for (const Found& item : found) TRY(writer.add(item.id, item.type, item.location));
        const auto written = TRY(writer.finish());
        for (const std::string& object : written) TRY(add_segment(object));
        found.clear();
        return ok();
    };
    const auto packs = TRY(store_.list("packs/"));
    for (const ObjectInfo& object : packs) {
        const auto name = digest_in_name(object.name);
        if (!name || covered.contains(*name)) continue;
        auto bytes = store_.get(object.name);
        if (!bytes.has_value()) {
            if (bytes.error().kind == ErrorKind::not_found) continue;
            return std::move(bytes).error();
        }
        // A pack that a crash tore has its right name and wrong bytes: nothing may ever point
        // there.
        if (crypto::sha256(*bytes) != *name) continue;
        const auto table = read_pack_table(keys_, *name, *bytes);
        if (!table.has_value()) continue;
        const PackRef pack{*name, table->salt, static_cast<std::uint32_t>(bytes->size())};
        for (const ChunkEntry& entry : table->entries)
            found.push_back({entry.id, entry.type, {pack, entry.slot}});
        if (found.size() >= index_segment_entries) TRY(write());
    }
    return found.empty() ? ok() : write();
}

Result<void> Index::merge(const Segments& inputs, const std::set<Digest>& dropped) {
    std::vector<Cursor> cursors;
    std::vector<Error> damage;
    std::priority_queue<Head, std::vector<Head>, std::greater<>> heads;
    for (const auto& segment : inputs) cursors.emplace_back(store_, keys_, segment);
    const auto advance = [&](std::size_t cursor) -> Result<void> {
        const IndexEntry* entry = TRY(cursors[cursor].next(damage));
        if (entry != nullptr) heads.push({*entry, cursor});
        return ok();
    };
    for (std::size_t i = 0; i < cursors.size(); ++i) TRY(advance(i));

    IndexWriter writer(store_, keys_, random_);
    std::optional<std::pair<ChunkId, ChunkType>> last;
    while (!heads.empty()) {
        const Head head = heads.top();
        heads.pop();
        const PackRef& pack = cursors[head.cursor].pack(head.entry);
        const std::pair key{head.entry.id, head.entry.type};
        // One place for a chunk is enough, unless that place goes away.
        if (last != key && !dropped.contains(pack.name)) {
            TRY(writer.add(head.entry.id, head.entry.type, {pack, head.entry.slot}));
            last = key;
        }
        TRY(advance(head.cursor));
    }
    const auto written = TRY(writer.finish());
    Segments merged;
    for (const std::string& object : written) {
        auto segment = TRY(IndexSegment::load(store_, keys_, object));
        merged.push_back(std::move(segment));
    }
    for (const auto& segment : inputs) {
        auto removed = store_.remove(segment->object());
        if (!removed.has_value() && removed.error().kind != ErrorKind::not_found) return removed;
    }
    const MutexLock lock(mutex_);
    std::erase_if(segments_, [&](const auto& segment) {
        return std::ranges::find(inputs, segment) != inputs.end();
    });
    std::ranges::move(merged, std::back_inserter(segments_));
    cache_.clear();
    for (Error& error : damage) damage_.push_back(std::move(error));
    return ok();
}

Result<void> Index::tidy() {
    Segments small = segments();
    std::erase_if(small, [](const auto& s) { return s->entries() >= index_segment_entries / 2; });
    if (small.size() <= small_segments_max) return ok();
    std::set<Digest> dropped;
    {
        const MutexLock lock(mutex_);
        dropped = excluded_;  // a merged segment must not bring back what prune takes away
    }
    return merge(small, dropped);
}

Result<void> Index::rewrite(const std::set<Digest>& dropped) {
    TRY(merge(segments(), dropped));
    std::vector<std::string> damaged;
    {
        const MutexLock lock(mutex_);
        damaged.swap(damaged_);
    }
    for (const std::string& object : damaged) {
        auto removed = store_.remove(object);
        if (!removed.has_value() && removed.error().kind != ErrorKind::not_found) return removed;
    }
    return ok();
}

}  // namespace lifeboat::vault

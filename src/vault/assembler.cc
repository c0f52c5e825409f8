#include "vault/assembler.h"

#include <algorithm>

namespace lifeboat::vault {
namespace {

constexpr std::size_t tree_chunk_size = std::size_t{512} << 10U;
// Chunks of this run that are remembered in memory, 25 MiB or so; then they go into an index
// segment.
constexpr std::size_t run_entries_max = std::size_t{256} << 10U;

template <class... F>
struct Overloaded : F... {
    using F::operator()...;
};

}  // namespace

bool Assembler::has(const ChunkId& id) {
    const MutexLock lock(mutex_);
    return run_.contains(id);
}

Result<void> Assembler::failed(Result<void> result) {
    if (!result.has_value() && failure_.has_value()) failure_ = result;
    return result;
}

Result<void> Assembler::submit(std::uint64_t number, Event event) {
    std::vector<Full> full;
    {
        const MutexLock lock(mutex_);
        if (!failure_.has_value()) return failure_;
        waiting_.emplace(number, std::move(event));
        for (auto first = waiting_.begin(); first != waiting_.end() && first->first == next_;
             first = waiting_.begin()) {
            Event ready = std::move(first->second);
            waiting_.erase(first);
            ++next_;
            apply(std::move(ready));
        }
        full.swap(full_);
    }
    return full.empty() ? ok() : write_full(std::move(full));
}

void Assembler::apply(Event event) {
    std::visit(
        Overloaded{
            [&](ZeroChunk& zero) REQUIRES(mutex_) {
                tree_.extent({.zero = true, .size = zero.size, .pack = 0, .slot = {}, .id = {}});
            },
            [&](DataChunk& chunk) REQUIRES(mutex_) { apply_chunk(std::move(chunk)); },
            [&](AddDirectory& it) REQUIRES(mutex_) { tree_.directory(it.path, it.meta); },
            [&](AddSymlink& it) REQUIRES(mutex_) { tree_.symlink(it.path, it.target); },
            [&](BeginFile& it) REQUIRES(mutex_) { tree_.begin_file(it.path, it.meta); },
            [&](EndFile&) REQUIRES(mutex_) { tree_.end_file(); },
        },
        event);
    if (tree_.pending() >= tree_chunk_size) cut_tree();
}

void Assembler::apply_chunk(DataChunk chunk) {
    Placed placed;
    const auto own = run_.find(chunk.id);
    if (own != run_.end()) {
        placed = own->second;
    } else if (chunk.known) {
        placed = {number_of(chunk.known->pack), ChunkType::data, chunk.known->slot};
    } else {
        placed =
            store(chunk.id, ChunkType::data, chunk.packed.bytes, chunk.packed.encoding, chunk.size);
    }
    tree_.extent({.zero = false,
                  .size = chunk.size,
                  .pack = placed.pack,
                  .slot = placed.slot,
                  .id = chunk.id});
}

std::uint32_t Assembler::number_of(const PackRef& pack) {
    const auto [place, added] =
        numbers_.emplace(pack.name, static_cast<std::uint32_t>(packs_.size()));
    if (added) {
        packs_.push_back(pack);
        finished_.push_back(true);
    }
    return place->second;
}

Placed Assembler::store(const ChunkId& id, ChunkType type, ByteView packed, Encoding encoding,
                        std::size_t plain) {
    if (!open_) {
        const Salt salt = access_.new_salt();
        const auto number = static_cast<std::uint32_t>(packs_.size());
        packs_.push_back({.name = {}, .salt = salt, .size = 0});
        finished_.push_back(false);
        own_.insert(number);
        open_.emplace(Open{number, PackBuilder(access_.keys, salt)});
    }
    const Placed placed{open_->number, type, open_->builder.add(id, type, packed, encoding, plain)};
    run_.emplace(id, placed);
    if (open_->builder.is_full()) {
        full_.push_back({open_->number, std::move(open_->builder)});
        open_.reset();
    }
    return placed;
}

void Assembler::cut_tree() {
    const Bytes records = tree_.take();
    Bytes typed{static_cast<std::byte>(ChunkType::tree)};
    append(typed, records);
    const ChunkId id = chunk_id(access_.keys, typed);
    const auto own = run_.find(id);
    Placed placed;
    if (own != run_.end()) {
        placed = own->second;
    } else {
        const Packed packed = encode_chunk(records);
        placed = store(id, ChunkType::tree, packed.bytes, packed.encoding, records.size());
    }
    tree_chunks_.push_back({.zero = false,
                            .size = records.size(),
                            .pack = placed.pack,
                            .slot = placed.slot,
                            .id = id});
}

Result<void> Assembler::write_full(std::vector<Full> full) {
    for (Full& pack : full) {
        const PackBuilder::Finished finished = std::move(pack.builder).finish();
        auto put = access_.store.put(pack_object(finished.pack.name), finished.bytes, true);
        const MutexLock lock(mutex_);
        TRY(failed(std::move(put)));
        packs_[pack.number] = finished.pack;
        finished_[pack.number] = true;
        numbers_.emplace(finished.pack.name, pack.number);
        stored_ += finished.pack.size;
        if (run_.size() >= run_entries_max) TRY(failed(flush_index(false)));
    }
    return ok();
}

/// Moves the run's own chunks into an index segment: those whose pack is written, or all.
Result<void> Assembler::flush_index(bool all) {
    std::vector<std::pair<ChunkId, Placed>> ready;
    for (const auto& [id, placed] : run_)
        if (finished_[placed.pack]) ready.emplace_back(id, placed);
    CHECK(!all || ready.size() == run_.size());
    // Packs first: an index never points at something that a crash can take away.
    TRY(access_.store.barrier());
    if (ready.empty()) return ok();
    std::ranges::sort(ready, {}, &std::pair<ChunkId, Placed>::first);
    IndexWriter writer(access_.store, access_.keys, access_.environment.random);
    for (const auto& [id, placed] : ready)
        TRY(writer.add(id, placed.type, {packs_[placed.pack], placed.slot}));
    const auto written = TRY(writer.finish());
    for (const std::string& object : written) TRY(index_.add_segment(object));
    for (const auto& [id, placed] : ready) run_.erase(id);
    return ok();
}

Result<Assembler::Assembled> Assembler::finish() {
    std::vector<Full> full;
    {
        const MutexLock lock(mutex_);
        if (!failure_.has_value()) return failure_.error();
        CHECK(waiting_.empty());
        if (tree_.pending() > 0) cut_tree();
        if (open_) full_.push_back({open_->number, std::move(open_->builder)});
        open_.reset();
        full.swap(full_);
    }
    TRY(write_full(std::move(full)));
    const MutexLock lock(mutex_);
    TRY(failed(flush_index(true)));
    return Assembled{.packs = packs_,
                     .tree = tree_chunks_,
                     .root = tree_.root(),
                     .entries = tree_.entries(),
                     .stored = stored_};
}

std::vector<PackRef> Assembler::borrowed() {
    const MutexLock lock(mutex_);
    std::vector<PackRef> packs;
    for (std::uint32_t number = 0; number < packs_.size(); ++number)
        if (!own_.contains(number)) packs.push_back(packs_[number]);
    return packs;
}

}  // namespace lifeboat::vault

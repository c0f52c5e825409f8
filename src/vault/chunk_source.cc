#include "vault/chunk_source.h"

#include <fmt/core.h>

namespace lifeboat::vault {
namespace {

constexpr std::uint64_t read_size_max = 4U << 20U;

}  // namespace

std::size_t ChunkSource::run_length(std::span<const Extent> extents) const {
    std::size_t count = 1;
    while (count < extents.size()) {
        const Extent& before = extents[count - 1];
        const Extent& next = extents[count];
        if (next.zero || next.pack != before.pack ||
            next.slot.offset != before.slot.offset + before.slot.stored ||
            next.slot.offset + std::uint64_t{next.slot.stored} - extents[0].slot.offset >
                read_size_max)
            break;
        ++count;
    }
    return count;
}

Result<void> ChunkSource::read(std::span<const Extent> extents, ChunkType type, const Sink& sink) {
    while (!extents.empty()) {
        if (extents.front().zero) {
            TRY(sink(extents.front(), {}));
            extents = extents.subspan(1);
            continue;
        }
        const std::size_t count = run_length(extents);
        TRY(read_run(extents.first(count), type, sink));
        extents = extents.subspan(count);
    }
    return ok();
}

Result<void> ChunkSource::read_run(std::span<const Extent> run, ChunkType type, const Sink& sink) {
    if (run[0].pack >= packs_.size()) return corrupt("a chunk in no known pack");
    const PackRef& pack = packs_[run[0].pack];
    const Slot& first = run.front().slot;
    const Slot& last = run.back().slot;
    const std::uint64_t size = std::uint64_t{last.offset} + last.stored - first.offset;
    const auto damaged = [&](std::string_view what) {
        return corrupt(fmt::format("pack '{}': chunk {} at offset {}: {}", pack_object(pack.name),
                                   first.ordinal, first.offset, what));
    };
    if (last.offset < first.offset || std::uint64_t{last.offset} + last.stored > pack.size)
        return damaged("it lies outside of the pack");
    auto bytes = access_.store.get_range(pack_object(pack.name), first.offset, size);
    if (!bytes.has_value()) {
        if (bytes.error().kind == ErrorKind::not_found) return damaged("the pack is missing");
        if (bytes.error().kind == ErrorKind::corrupt) return damaged("the pack is cut off");
        return std::move(bytes).error();
    }
    const crypto::Key key = pack_key(access_.keys, pack.salt);
    for (const Extent& extent : run) {
        const ByteView stored =
            ByteView(*bytes).subspan(extent.slot.offset - first.offset, extent.slot.stored);
        const Bytes plain =
            TRY(open_chunk(access_.keys, key, pack, {extent.id, type, extent.slot}, stored));
        TRY(sink(extent, plain));
    }
    return ok();
}

}  // namespace lifeboat::vault

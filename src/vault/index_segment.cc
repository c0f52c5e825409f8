#include "vault/index_segment.h"

#include <fmt/core.h>

#include <algorithm>

namespace lifeboat::vault {
namespace {

constexpr std::string_view magic = "LBINDX01";
constexpr std::string_view end_magic = "LBIXEND1";
constexpr std::size_t header_size = 56;
constexpr std::size_t footer_size = 48;
constexpr std::size_t entry_size = 32 + 1 + 4 + slot_size;
constexpr std::size_t block_size = index_block_entries * entry_size + crypto::tag_size;

std::uint64_t fence_of(const ChunkId& id) { return load_be<std::uint64_t>(id, 0); }

Bytes block_associated(const Keys& keys, const Salt& salt, std::size_t block, std::size_t entries) {
    Bytes out;
    append(out, keys.vault);
    append(out, salt);
    append_le(out, static_cast<std::uint64_t>(block));
    append_le(out, static_cast<std::uint32_t>(entries));
    return out;
}

Bytes table_associated(const Keys& keys, ByteView header) {
    Bytes out;
    append(out, keys.vault);
    append(out, header);
    append(out, as_bytes("table"));
    return out;
}

Digest footer_mac(const Keys& keys, const Salt& salt, ByteView header, ByteView table) {
    Bytes covered = to_bytes(header);
    append(covered, table);
    append_le(covered, static_cast<std::uint64_t>(table.size()));
    return crypto::hmac_sha256(object_key(keys.index, salt, "index footer"), covered);
}

Bytes header_of(const Salt& salt, std::size_t entries, std::size_t blocks) {
    Bytes out;
    append(out, as_bytes(magic));
    append_le(out, std::uint16_t{1});  // version
    append_le(out, std::uint16_t{0});  // flags
    append_le(out, std::uint32_t{0});  // reserved
    append(out, salt);
    append_le(out, static_cast<std::uint32_t>(entries));
    append_le(out, static_cast<std::uint32_t>(blocks));
    CHECK(out.size() == header_size);
    return out;
}

void append_entry(Bytes& out, const IndexEntry& entry) {
    append(out, entry.id);
    append_le(out, static_cast<std::uint8_t>(entry.type));
    append_le(out, entry.pack);
    append_slot(out, entry.slot);
}

Bytes segment_bytes(const Keys& keys, const Salt& salt, std::span<const IndexEntry> entries,
                    std::span<const PackRef> packs) {
    const std::size_t blocks = (entries.size() + index_block_entries - 1) / index_block_entries;
    const crypto::Key key = object_key(keys.index, salt, "index");
    Bytes out = header_of(salt, entries.size(), blocks);
    const Bytes header = out;
    Bytes table;
    append_le(table, static_cast<std::uint32_t>(packs.size()));
    for (const PackRef& pack : packs) append_pack_ref(table, pack);
    for (std::size_t block = 0; block < blocks; ++block) {
        const auto part = entries.subspan(
            block * index_block_entries,
            std::min(index_block_entries, entries.size() - block * index_block_entries));
        Bytes plain;
        plain.reserve(part.size() * entry_size);
        for (const IndexEntry& entry : part) append_entry(plain, entry);
        append(out, crypto::seal(key, nonce_of(block, Part::body),
                                 block_associated(keys, salt, block, entries.size()), plain));
        append_le(table, fence_of(part.front().id));
    }
    const Bytes sealed =
        crypto::seal(key, nonce_of(0, Part::table), table_associated(keys, header), table);
    append(out, sealed);
    append_le(out, static_cast<std::uint64_t>(sealed.size()));
    append(out, footer_mac(keys, salt, header, sealed));
    append(out, as_bytes(end_magic));
    return out;
}

}  // namespace

std::string index_object(const Digest& name) { return "index/" + to_hex(name); }

Result<std::shared_ptr<const IndexSegment>> IndexSegment::load(Store& store, const Keys& keys,
                                                               const std::string& object) {
    const auto damaged = [&](std::string_view what) {
        return corrupt(fmt::format("index '{}': {}", object, what));
    };
    const ObjectInfo info = TRY(store.status(object));
    if (info.size < header_size + footer_size) return damaged("shorter than an index can be");
    const Bytes header = TRY(store.get_range(object, 0, header_size));
    const Bytes footer = TRY(store.get_range(object, info.size - footer_size, footer_size));
    const auto table_size = load_le<std::uint64_t>(footer, 0);
    if (as_text(ByteView(header).first(8)) != magic || load_le<std::uint16_t>(header, 8) != 1)
        return damaged("header at offset 0: not an index of version 1");
    if (as_text(ByteView(footer).last(8)) != end_magic ||
        table_size > info.size - header_size - footer_size)
        return damaged(
            fmt::format("footer at offset {}: not that of an index", info.size - footer_size));
    const std::uint64_t table_at = info.size - footer_size - table_size;
    const Bytes table = TRY(store.get_range(object, table_at, table_size));

    auto segment = std::make_shared<IndexSegment>();
    segment->object_ = object;
    segment->salt_ = Decoder(ByteView(header).subspan(16)).array<32>();
    segment->entries_ = load_le<std::uint32_t>(header, 48);
    const std::size_t blocks = load_le<std::uint32_t>(header, 52);
    if (!std::ranges::equal(footer_mac(keys, segment->salt_, header, table),
                            ByteView(footer).subspan(8, 32)))
        return damaged(
            fmt::format("header, table at offset {} or footer: authentication failed", table_at));
    segment->key_ = object_key(keys.index, segment->salt_, "index");
    auto plain = crypto::open(segment->key_, nonce_of(0, Part::table),
                              table_associated(keys, header), table);
    if (!plain.has_value()) return damaged("table: authentication failed");
    Decoder in(*plain);
    const auto packs = in.le<std::uint32_t>();
    if (in.left() != std::size_t{packs} * pack_ref_size + blocks * 8)
        return damaged("table: a wrong length");
    for (std::uint32_t i = 0; i < packs; ++i) segment->packs_.push_back(read_pack_ref(in));
    for (std::size_t i = 0; i < blocks; ++i) segment->fences_.push_back(in.le<std::uint64_t>());
    if (header_size + segment->entries_ * entry_size + blocks * crypto::tag_size != table_at)
        return damaged("blocks are missing");
    return std::shared_ptr<const IndexSegment>(std::move(segment));
}

std::pair<std::size_t, std::size_t> IndexSegment::candidates(const ChunkId& id) const {
    const std::uint64_t fence = fence_of(id);
    // The block before the first fence that is not below may hold it too, at its end.
    const auto low = std::ranges::lower_bound(fences_, fence);
    const auto high = std::ranges::upper_bound(fences_, fence);
    const auto first = low == fences_.begin() ? low : low - 1;
    return {static_cast<std::size_t>(first - fences_.begin()),
            static_cast<std::size_t>(high - fences_.begin())};
}

Result<std::vector<IndexEntry>> IndexSegment::read_block(Store& store, const Keys& keys,
                                                         std::size_t block) const {
    CHECK(block < fences_.size());
    const std::size_t count = std::min(index_block_entries, entries_ - block * index_block_entries);
    const std::uint64_t offset = header_size + block * block_size;
    const auto damaged = [&](std::string_view what) {
        return corrupt(
            fmt::format("index '{}': block {} at offset {}: {}", object_, block, offset, what));
    };
    const Bytes sealed =
        TRY(store.get_range(object_, offset, count * entry_size + crypto::tag_size));
    auto plain = crypto::open(key_, nonce_of(block, Part::body),
                              block_associated(keys, salt_, block, entries_), sealed);
    if (!plain.has_value()) return damaged("authentication failed");
    std::vector<IndexEntry> entries(count);
    Decoder in(*plain);
    for (IndexEntry& entry : entries) {
        entry.id = in.array<32>();
        entry.type = static_cast<ChunkType>(in.le<std::uint8_t>());
        entry.pack = in.le<std::uint32_t>();
        entry.slot = read_slot(in);
        if (entry.pack >= packs_.size()) return damaged("names a pack that is not in its table");
    }
    return entries;
}

Result<void> IndexWriter::add(const ChunkId& id, ChunkType type, const Location& location) {
    CHECK(entries_.empty() || entries_.back().id <= id);
    const auto [place, added] =
        numbers_.emplace(location.pack.name, static_cast<std::uint32_t>(packs_.size()));
    if (added) packs_.push_back(location.pack);
    entries_.push_back({.id = id, .type = type, .pack = place->second, .slot = location.slot});
    return entries_.size() == index_segment_entries ? put_segment() : ok();
}

Result<void> IndexWriter::put_segment() {
    Salt salt{};
    random_->fill(salt);
    const Bytes bytes = segment_bytes(*keys_, salt, entries_, packs_);
    const std::string object = index_object(crypto::sha256(bytes));
    TRY(store_->put(object, bytes));
    written_.push_back(object);
    entries_.clear();
    packs_.clear();
    numbers_.clear();
    return ok();
}

Result<std::vector<std::string>> IndexWriter::finish() {
    if (!entries_.empty()) TRY(put_segment());
    return std::move(written_);
}

}  // namespace lifeboat::vault

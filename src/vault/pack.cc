#include "vault/pack.h"

#include <fmt/core.h>

#include <algorithm>

#include "platform/codec/compress.h"

namespace lifeboat::vault {
namespace {

constexpr std::string_view magic = "LBPACK01";
constexpr std::string_view end_magic = "LBPKEND1";
constexpr std::size_t entry_size = 1 + 32 + slot_size;
// A chunk below this size is not worth a try; one whose first bytes do not shrink is stored as it
// is.
constexpr std::size_t compress_min = 64;
constexpr std::size_t probe_size = 4096;

Bytes associated(const Keys& keys, const Salt& salt, const ChunkEntry& entry) {
    Bytes out;
    out.reserve(16 + 32 + 8 + 2 + 32 + 4);
    append(out, keys.vault);
    append(out, salt);
    append_le(out, std::uint64_t{entry.slot.ordinal});
    append_le(out, static_cast<std::uint8_t>(entry.type));
    append_le(out, static_cast<std::uint8_t>(entry.slot.encoding));
    append(out, entry.id);
    append_le(out, entry.slot.plain);
    return out;
}

Bytes table_associated(const Keys& keys, ByteView header) {
    Bytes out;
    append(out, keys.vault);
    append(out, header);
    append(out, as_bytes("table"));
    return out;
}

/// Covers what the seals of chunks and table do not: the header and the lengths.
Digest footer_mac(const Keys& keys, ByteView header, ByteView table, std::uint32_t table_size) {
    Bytes covered = to_bytes(header);
    append(covered, table);
    append_le(covered, table_size);
    const Salt salt = Decoder(header.subspan(16)).array<32>();
    return crypto::hmac_sha256(object_key(keys.data, salt, "pack footer"), covered);
}

}  // namespace

void append_slot(Bytes& out, const Slot& slot) {
    append_le(out, slot.ordinal);
    append_le(out, slot.offset);
    append_le(out, slot.stored);
    append_le(out, slot.plain);
    append_le(out, static_cast<std::uint8_t>(slot.encoding));
}

Slot read_slot(Decoder& in) {
    Slot slot;
    slot.ordinal = in.le<std::uint32_t>();
    slot.offset = in.le<std::uint32_t>();
    slot.stored = in.le<std::uint32_t>();
    slot.plain = in.le<std::uint32_t>();
    slot.encoding = static_cast<Encoding>(in.le<std::uint8_t>());
    return slot;
}

void append_pack_ref(Bytes& out, const PackRef& pack) {
    append(out, pack.name);
    append(out, pack.salt);
    append_le(out, pack.size);
}

PackRef read_pack_ref(Decoder& in) {
    PackRef pack;
    pack.name = in.array<32>();
    pack.salt = in.array<32>();
    pack.size = in.le<std::uint32_t>();
    return pack;
}

std::string pack_object(const Digest& name) {
    const std::string hex = to_hex(name);
    return fmt::format("packs/{}/{}", hex.substr(0, 2), hex);
}

std::optional<Digest> digest_in_name(std::string_view object) {
    const auto raw = from_hex(object.substr(object.rfind('/') + 1));
    if (!raw.has_value() || raw->size() != 32) return std::nullopt;
    return Decoder(*raw).array<32>();
}

ChunkId chunk_id(const Keys& keys, ByteView typed) { return crypto::hmac_sha256(keys.id, typed); }

Packed encode_chunk(ByteView plain) {
    if (plain.size() >= compress_min) {
        const ByteView probe = plain.first(std::min(plain.size(), probe_size));
        const bool worth =
            plain.size() <= probe_size || compress(probe).size() < probe_size - probe_size / 16;
        // A file may begin with what does not shrink and go on with what does: look in the middle
        // too.
        const bool middle = !worth && plain.size() >= 4 * probe_size &&
                            compress(plain.subspan(plain.size() / 2, probe_size)).size() <
                                probe_size - probe_size / 16;
        if (worth || middle) {
            Bytes packed = compress(plain);
            if (packed.size() < plain.size()) return {std::move(packed), Encoding::zstd};
        }
    }
    return {to_bytes(plain), Encoding::raw};
}

crypto::Key pack_key(const Keys& keys, const Salt& salt) {
    return object_key(keys.data, salt, "pack");
}

PackBuilder::PackBuilder(const Keys& keys, const Salt& salt)
    : keys_(&keys), salt_(salt), key_(pack_key(keys, salt)) {
    append(bytes_, as_bytes(magic));
    append_le(bytes_, std::uint16_t{1});  // version
    append_le(bytes_, std::uint16_t{0});  // flags
    append_le(bytes_, std::uint32_t{0});  // reserved
    append(bytes_, salt);
    CHECK(bytes_.size() == pack_header_size);
}

Slot PackBuilder::add(const ChunkId& id, ChunkType type, ByteView packed, Encoding encoding,
                      std::size_t plain) {
    CHECK(plain <= chunk_size_max && packed.size() <= chunk_size_max);
    ChunkEntry entry{.id = id, .type = type, .slot = {}};
    entry.slot = {.ordinal = static_cast<std::uint32_t>(entries_.size()),
                  .offset = static_cast<std::uint32_t>(bytes_.size()),
                  .stored = static_cast<std::uint32_t>(packed.size() + crypto::tag_size),
                  .plain = static_cast<std::uint32_t>(plain),
                  .encoding = encoding};
    append(bytes_, crypto::seal(key_, nonce_of(entry.slot.ordinal, Part::body),
                                associated(*keys_, salt_, entry), packed));
    entries_.push_back(entry);
    return entry.slot;
}

PackBuilder::Finished PackBuilder::finish() && {
    Bytes plain;
    plain.reserve(entries_.size() * entry_size + 4);
    append_le(plain, static_cast<std::uint32_t>(entries_.size()));
    for (const ChunkEntry& entry : entries_) {
        append_le(plain, static_cast<std::uint8_t>(entry.type));
        append(plain, entry.id);
        append_slot(plain, entry.slot);
    }
    const Bytes header = to_bytes(ByteView(bytes_).first(pack_header_size));
    const Bytes table = crypto::seal(key_, nonce_of(entries_.size(), Part::table),
                                     table_associated(*keys_, header), plain);
    const auto table_size = static_cast<std::uint32_t>(table.size());
    append(bytes_, table);
    append_le(bytes_, table_size);
    append_le(bytes_, static_cast<std::uint32_t>(entries_.size()));
    append(bytes_, footer_mac(*keys_, header, table, table_size));
    append(bytes_, as_bytes(end_magic));
    Finished finished;
    finished.pack = {.name = crypto::sha256(bytes_),
                     .salt = salt_,
                     .size = static_cast<std::uint32_t>(bytes_.size())};
    finished.bytes = std::move(bytes_);
    return finished;
}

Result<Bytes> open_chunk(const Keys& keys, const crypto::Key& key, const PackRef& pack,
                         const ChunkEntry& entry, ByteView stored) {
    const auto damaged = [&](std::string_view what) {
        return corrupt(fmt::format("pack '{}': chunk {} at offset {}: {}", pack_object(pack.name),
                                   entry.slot.ordinal, entry.slot.offset, what));
    };
    if (entry.slot.plain > chunk_size_max) return damaged("an impossible length");
    auto opened = crypto::open(key, nonce_of(entry.slot.ordinal, Part::body),
                               associated(keys, pack.salt, entry), stored);
    if (!opened.has_value()) return damaged("authentication failed");
    Bytes plain;
    if (entry.slot.encoding == Encoding::zstd) {
        auto inflated = decompress(*opened, entry.slot.plain);
        if (!inflated.has_value()) return damaged(inflated.error().message);
        plain = std::move(*inflated);
    } else {
        plain = std::move(*opened);
    }
    if (plain.size() != entry.slot.plain) return damaged("a wrong length");
    Bytes typed;
    typed.reserve(plain.size() + 1);
    typed.push_back(static_cast<std::byte>(entry.type));
    append(typed, plain);
    if (chunk_id(keys, typed) != entry.id) return damaged("its bytes do not match its id");
    return plain;
}

Result<PackTable> read_pack_table(const Keys& keys, const Digest& name, ByteView pack) {
    const auto damaged = [&](std::string_view what) {
        return corrupt(fmt::format("pack '{}': {}", pack_object(name), what));
    };
    if (pack.size() < pack_header_size + pack_footer_size + crypto::tag_size)
        return damaged("shorter than a pack can be");
    const ByteView header = pack.first(pack_header_size);
    const ByteView footer = pack.last(pack_footer_size);
    if (as_text(header.first(8)) != magic || load_le<std::uint16_t>(header, 8) != 1)
        return damaged("header at offset 0: not a pack of version 1");
    const auto table_size = load_le<std::uint32_t>(footer, 0);
    const auto count = load_le<std::uint32_t>(footer, 4);
    const std::size_t body_end = pack.size() - pack_footer_size;
    if (as_text(footer.last(8)) != end_magic || table_size > body_end - pack_header_size)
        return damaged(fmt::format("footer at offset {}: not that of a pack", body_end));
    const ByteView table = pack.subspan(body_end - table_size, table_size);
    const Digest mac = footer_mac(keys, header, table, table_size);
    if (!std::ranges::equal(mac, footer.subspan(8, 32)))
        return damaged(fmt::format("header, table at offset {} or footer: authentication failed",
                                   body_end - table_size));

    PackTable result{.salt = Decoder(header.subspan(16)).array<32>(), .entries = {}};
    auto plain = crypto::open(pack_key(keys, result.salt), nonce_of(count, Part::table),
                              table_associated(keys, header), table);
    if (!plain.has_value()) return damaged("table of contents: authentication failed");
    Decoder in(*plain);
    if (in.le<std::uint32_t>() != count || in.left() != std::size_t{count} * entry_size)
        return damaged("table of contents: a wrong length");
    std::size_t expected = pack_header_size;
    for (std::uint32_t i = 0; i < count; ++i) {
        ChunkEntry entry;
        entry.type = static_cast<ChunkType>(in.le<std::uint8_t>());
        entry.id = in.array<32>();
        entry.slot = read_slot(in);
        if (entry.slot.ordinal != i || entry.slot.offset != expected)
            return damaged(fmt::format("table of contents: chunk {} lies elsewhere", i));
        expected += entry.slot.stored;
        result.entries.push_back(entry);
    }
    if (expected != body_end - table_size) return damaged("table of contents: chunks are missing");
    return result;
}

}  // namespace lifeboat::vault

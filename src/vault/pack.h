#pragma once
/// Packs: immutable objects of about 32 MiB that hold sealed chunks. Pure.
///
///     header 48 | sealed chunk … | sealed table of contents | footer 48
///
/// A chunk is bound to its slot: key per pack (salt), nonce per ordinal, and vault, salt, ordinal,
/// type, encoding, id and length in the associated data. Bytes: docs/format/vault.md.

#include <map>
#include <optional>
#include <vector>

#include "vault/keys.h"

namespace lifeboat::vault {

using ChunkId = Digest;  ///< HMAC-SHA-256(id key, type ‖ plain bytes)

enum class ChunkType : std::uint8_t { data = 1, tree = 2 };
enum class Encoding : std::uint8_t { raw = 0, zstd = 1 };

constexpr std::size_t chunk_size_max = std::size_t{4} << 20U;
constexpr std::uint32_t pack_target_size = 32U << 20U;
constexpr std::size_t pack_header_size = 48;
constexpr std::size_t pack_footer_size = 48;

/// Where a chunk lies within its pack, and what is needed to open it there.
struct Slot {
    std::uint32_t ordinal = 0;
    std::uint32_t offset = 0;
    std::uint32_t stored = 0;  ///< bytes in the pack, tag included
    std::uint32_t plain = 0;
    Encoding encoding = Encoding::raw;
    bool operator==(const Slot&) const = default;
};
constexpr std::size_t slot_size = 17;
void append_slot(Bytes& out, const Slot& slot);
Slot read_slot(Decoder& in);

/// Which pack: its name, and what a reader needs of it, so that its header need not be read.
struct PackRef {
    Digest name{};
    Salt salt{};
    std::uint32_t size = 0;
    auto operator<=>(const PackRef&) const = default;
};
constexpr std::size_t pack_ref_size = 68;
void append_pack_ref(Bytes& out, const PackRef& pack);
PackRef read_pack_ref(Decoder& in);

/// "packs/ab/abcdef…"
std::string pack_object(const Digest& name);
/// The digest that an object's name ends in, or nothing.
std::optional<Digest> digest_in_name(std::string_view object);

struct ChunkEntry {
    ChunkId id{};
    ChunkType type = ChunkType::data;
    Slot slot;
};

/// Requires: `typed` is the chunk's plain bytes behind one byte for its type.
ChunkId chunk_id(const Keys& keys, ByteView typed);

/// A chunk's bytes as they are sealed: compressed when that helps.
struct Packed {
    Bytes bytes;
    Encoding encoding = Encoding::raw;
};
Packed encode_chunk(ByteView plain);

/// A pack that is being filled. Not thread-safe.
class PackBuilder {
public:
    PackBuilder(const Keys& keys, const Salt& salt);

    /// Requires: plain is what `packed` encodes the bytes of, at most chunk_size_max.
    Slot add(const ChunkId& id, ChunkType type, ByteView packed, Encoding encoding,
             std::size_t plain);
    std::size_t size() const { return bytes_.size(); }
    bool is_full() const { return bytes_.size() >= pack_target_size; }

    struct Finished {
        PackRef pack;
        Bytes bytes;
    };
    Finished finish() &&;

private:
    const Keys* keys_;
    Salt salt_;
    crypto::Key key_;
    Bytes bytes_;
    std::vector<ChunkEntry> entries_;
};

/// Opens one chunk from its stored bytes. Checks the seal, the length and the id.
/// Errors: corrupt, naming the pack, the chunk and the offset.
Result<Bytes> open_chunk(const Keys& keys, const crypto::Key& pack_key, const PackRef& pack,
                         const ChunkEntry& entry, ByteView stored);
crypto::Key pack_key(const Keys& keys, const Salt& salt);

/// The table of contents of a pack whose head and tail are given. Errors: corrupt.
struct PackTable {
    Salt salt{};
    std::vector<ChunkEntry> entries;
};
/// From all bytes of a pack: header, footer, table.
Result<PackTable> read_pack_table(const Keys& keys, const Digest& name, ByteView pack);

}  // namespace lifeboat::vault

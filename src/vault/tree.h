#pragma once
/// The tree of a point: its entries and, for files, the extents that make up their bytes.
///
/// It is written as a stream of records, cut between records into tree chunks that lie in packs
/// like any other: so neither the writer nor a manifest grows with the point. Extents name packs by
/// their number in the manifest's list. Pure.

#include <optional>

#include "vault/merkle.h"
#include "vault/pack.h"
#include "vault/vault.h"

namespace lifeboat::vault {

/// A stretch of a file: a chunk, or zeros that are stored nowhere.
struct Extent {
    bool zero = false;
    std::uint64_t size = 0;
    std::uint32_t pack = 0;  ///< number in the manifest's list
    Slot slot;
    ChunkId id{};
};

/// Turns entries into records and leaves of the Merkle tree. Not thread-safe.
class TreeWriter {
public:
    void directory(const std::string& path, const FileMeta& meta);
    void symlink(const std::string& path, const std::string& target);
    void begin_file(const std::string& path, const FileMeta& meta);
    void extent(const Extent& extent);
    void end_file();

    /// Records that have come together; taking them begins the next tree chunk.
    std::size_t pending() const { return records_.size(); }
    Bytes take() { return std::exchange(records_, {}); }
    crypto::Digest root() const { return merkle_.root(); }
    std::uint64_t entries() const { return merkle_.count(); }

private:
    void flush_extents();
    void leaf(const Entry& entry, const crypto::Digest& content);

    Bytes records_;
    Merkle merkle_;
    Entry file_;
    std::vector<Extent> extents_;  ///< of the open file, not yet in a record
    crypto::Sha256 content_;
};

/// A point's entries with their extents, read back.
struct Tree {
    std::vector<Entry> entries;
    /// extents[first[i]] up to extents[first[i + 1]] are those of entries[i].
    std::vector<std::size_t> first{0};
    std::vector<Extent> extents;
    crypto::Digest root{};

    std::span<const Extent> extents_of(std::size_t entry) const {
        return std::span(extents).subspan(first[entry], first[entry + 1] - first[entry]);
    }
};

/// Reads tree chunks in order. Not thread-safe.
class TreeReader {
public:
    /// Errors: corrupt.
    Result<void> add(ByteView records);
    /// Requires: all chunks were added. Errors: corrupt (ends within a file, a path that leads out
    /// of the tree or through something that is no directory, a path twice).
    Result<Tree> finish();

private:
    Result<void> record(std::uint8_t kind, Decoder& in);
    Result<void> extents(Decoder& in);
    void close(const crypto::Digest& content);

    Tree tree_;
    Merkle merkle_;
    bool in_file_ = false;
    crypto::Sha256 content_;
};

/// True for a relative path without empty, "." and ".." components that fits a record.
bool is_tree_path(std::string_view path);

}  // namespace lifeboat::vault

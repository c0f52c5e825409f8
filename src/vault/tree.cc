#include "vault/tree.h"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>

#include "platform/base/text.h"

namespace lifeboat::vault {
namespace {

enum class Record : std::uint8_t { directory = 1, symlink = 2, file = 3, extents = 4, end = 5 };
constexpr std::size_t extents_per_record = 1024;

void append_meta(Bytes& out, const FileMeta& meta) {
    append_le(out, meta.mode);
    append_instant(out, meta.modified);
}

FileMeta read_meta(Decoder& in) {
    FileMeta meta;
    meta.mode = in.le<std::uint32_t>();
    meta.modified = in.instant();
    return meta;
}

/// What an extent holds, without where it lies: so a root outlives repacking.
void hash_extent(crypto::Sha256& content, const Extent& extent) {
    Bytes bytes;
    append_le(bytes, static_cast<std::uint8_t>(extent.zero ? 0 : 1));
    append_le(bytes, extent.size);
    if (!extent.zero) append(bytes, extent.id);
    content.update(bytes);
}

crypto::Digest leaf_hash(const Entry& entry, const crypto::Digest& content) {
    Bytes bytes{std::byte{0}};
    append_le(bytes, static_cast<std::uint8_t>(entry.type));
    append_meta(bytes, entry.meta);
    append_text(bytes, entry.path);
    append_text(bytes, entry.target);
    append_le(bytes, entry.size);
    append(bytes, content);
    return crypto::sha256(bytes);
}

crypto::Digest finish(crypto::Sha256& content) {
    return std::exchange(content, crypto::Sha256()).finish();
}

/// Every path once, and only below directories: a restore must never write through a link.
Result<void> check_paths(const std::vector<Entry>& entries) {
    std::unordered_map<std::string_view, Entry::Type> types;
    for (const Entry& entry : entries) {
        if (!is_tree_path(entry.path))
            return corrupt(fmt::format("the tree holds the path '{}'", entry.path));
        if (!types.emplace(entry.path, entry.type).second)
            return corrupt(fmt::format("the tree holds '{}' twice", entry.path));
    }
    for (const Entry& entry : entries) {
        const std::string_view path = entry.path;
        for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
             slash = path.find('/', slash + 1)) {
            const auto parent = types.find(path.substr(0, slash));
            if (parent != types.end() && parent->second != Entry::Type::directory)
                return corrupt(
                    fmt::format("'{}' of the tree lies below something that is no "
                                "directory",
                                entry.path));
        }
    }
    return ok();
}

}  // namespace

bool is_tree_path(std::string_view path) {
    if (path.empty() || path.size() > 4096 || path.find('\0') != std::string_view::npos)
        return false;
    return std::ranges::none_of(split(path, '/'), [](std::string_view part) {
        return part.empty() || part == "." || part == "..";
    });
}

void TreeWriter::leaf(const Entry& entry, const crypto::Digest& content) {
    merkle_.add(leaf_hash(entry, content));
}

void TreeWriter::directory(const std::string& path, const FileMeta& meta) {
    append_le(records_, static_cast<std::uint8_t>(Record::directory));
    append_meta(records_, meta);
    append_text(records_, path);
    leaf({.type = Entry::Type::directory, .path = path, .target = {}, .size = 0, .meta = meta},
         finish(content_));
}

void TreeWriter::symlink(const std::string& path, const std::string& target) {
    append_le(records_, static_cast<std::uint8_t>(Record::symlink));
    append_text(records_, path);
    append_text(records_, target);
    leaf({.type = Entry::Type::symlink,
          .path = path,
          .target = target,
          .size = 0,
          .meta = {.mode = 0, .modified = {}}},
         finish(content_));
}

void TreeWriter::begin_file(const std::string& path, const FileMeta& meta) {
    append_le(records_, static_cast<std::uint8_t>(Record::file));
    append_meta(records_, meta);
    append_text(records_, path);
    file_ = {.type = Entry::Type::file, .path = path, .target = {}, .size = 0, .meta = meta};
}

void TreeWriter::extent(const Extent& extent) {
    file_.size += extent.size;
    if (extent.zero && !extents_.empty() && extents_.back().zero) {
        extents_.back().size += extent.size;
        return;
    }
    // The last one stays open, because zeros may follow on zeros.
    if (extents_.size() >= extents_per_record) flush_extents();
    extents_.push_back(extent);
}

void TreeWriter::flush_extents() {
    if (extents_.empty()) return;
    append_le(records_, static_cast<std::uint8_t>(Record::extents));
    append_le(records_, static_cast<std::uint16_t>(extents_.size()));
    for (const Extent& extent : extents_) {
        hash_extent(content_, extent);
        append_le(records_, static_cast<std::uint8_t>(extent.zero ? 0 : 1));
        append_le(records_, extent.size);
        if (extent.zero) continue;
        append_le(records_, extent.pack);
        append_slot(records_, extent.slot);
        append(records_, extent.id);
    }
    extents_.clear();
}

void TreeWriter::end_file() {
    flush_extents();
    append_le(records_, static_cast<std::uint8_t>(Record::end));
    append_le(records_, file_.size);
    leaf(file_, finish(content_));
}

Result<void> TreeReader::add(ByteView records) {
    Decoder in(records);
    while (!in.at_end()) TRY(record(in.le<std::uint8_t>(), in));
    return in.done("a tree chunk");
}

void TreeReader::close(const crypto::Digest& content) {
    merkle_.add(leaf_hash(tree_.entries.back(), content));
    tree_.first.push_back(tree_.extents.size());
}

Result<void> TreeReader::record(std::uint8_t kind, Decoder& in) {
    const auto record = static_cast<Record>(kind);
    const bool of_file = record == Record::extents || record == Record::end;
    if (of_file != in_file_) return corrupt("the records of a tree come in a wrong order");
    switch (record) {
        case Record::directory:
        case Record::file: {
            Entry entry;
            entry.type = record == Record::file ? Entry::Type::file : Entry::Type::directory;
            entry.meta = read_meta(in);
            entry.path = in.text();
            tree_.entries.push_back(std::move(entry));
            if (record == Record::directory) close(vault::finish(content_));
            in_file_ = record == Record::file;
            return ok();
        }
        case Record::symlink: {
            Entry entry;
            entry.type = Entry::Type::symlink;
            entry.meta.mode = 0;
            entry.path = in.text();
            entry.target = in.text();
            tree_.entries.push_back(std::move(entry));
            close(vault::finish(content_));
            return ok();
        }
        case Record::extents:
            return extents(in);
        case Record::end:
            if (in.le<std::uint64_t>() != tree_.entries.back().size)
                return corrupt("a file of the tree has another size than its extents");
            in_file_ = false;
            close(vault::finish(content_));
            return ok();
    }
    return corrupt(fmt::format("unknown record {} in a tree", kind));
}

Result<void> TreeReader::extents(Decoder& in) {
    const auto count = in.le<std::uint16_t>();
    for (std::uint16_t i = 0; i < count && !in.failed(); ++i) {
        Extent extent;
        extent.zero = in.le<std::uint8_t>() == 0;
        extent.size = in.le<std::uint64_t>();
        if (!extent.zero) {
            extent.pack = in.le<std::uint32_t>();
            extent.slot = read_slot(in);
            extent.id = in.array<32>();
            if (extent.slot.plain != extent.size)
                return corrupt("an extent has another size than its chunk");
        }
        hash_extent(content_, extent);
        tree_.entries.back().size += extent.size;
        tree_.extents.push_back(extent);
    }
    return ok();
}

Result<Tree> TreeReader::finish() {
    if (in_file_) return corrupt("the tree ends within a file");
    TRY(check_paths(tree_.entries));
    tree_.root = merkle_.root();
    return std::move(tree_);
}

}  // namespace lifeboat::vault

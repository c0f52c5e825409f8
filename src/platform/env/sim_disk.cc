#include "platform/env/sim_disk.h"

#include <algorithm>
#include <set>

#include "platform/env/real_files.h"

namespace lifeboat {
namespace {

constexpr int symlinks_max = 40;
constexpr std::size_t sector = 512;  // what a disk writes whole or not at all

void apply_write(Bytes& bytes, const SimWrite& write) {
    if (write.is_truncation) {
        bytes.resize(write.offset);
        return;
    }
    const std::size_t end = write.offset + write.bytes.size();
    if (bytes.size() < end) bytes.resize(end);
    std::ranges::copy(write.bytes, bytes.begin() + static_cast<std::ptrdiff_t>(write.offset));
}

void apply_names(const NameOperation& operation, SimEntries SimNode::* entries) {
    for (const NameChange& change : operation) {
        SimEntries& changed = (*change.directory).*entries;
        if (change.node) {
            changed[change.name] = change.node;
        } else {
            changed.erase(change.name);
        }
    }
}

/// Some first writes are on the disk, the next of them in part.
Bytes keep_prefix(const SimNode& node, SeededRandom& random) {
    Bytes bytes = node.durable;
    const std::size_t whole = random.below(node.pending.size());
    for (std::size_t i = 0; i < whole; ++i) apply_write(bytes, node.pending[i]);
    SimWrite torn = node.pending[whole];
    if (torn.is_truncation) return bytes;
    torn.bytes.resize(random.below(torn.bytes.size() + 1));
    if (!torn.bytes.empty()) apply_write(bytes, torn);
    return bytes;
}

/// Each sector is the old or the new one: the disk wrote them in an order of its own.
Bytes tear_sectors(const SimNode& node, const Bytes& newest, SeededRandom& random) {
    Bytes bytes = node.durable;
    bytes.resize(random.one_in(2) ? newest.size() : node.durable.size());
    for (std::size_t at = 0; at < std::min(bytes.size(), newest.size()); at += sector) {
        if (random.one_in(2)) continue;
        const std::size_t end = std::min({at + sector, bytes.size(), newest.size()});
        std::copy(newest.begin() + static_cast<std::ptrdiff_t>(at),
                  newest.begin() + static_cast<std::ptrdiff_t>(end),
                  bytes.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return bytes;
}

Bytes left_of(const SimNode& node, Loss loss, SeededRandom& random) {
    if (node.pending.empty() || loss == Loss::everything) return node.durable;
    Bytes newest = node.durable;
    for (const SimWrite& write : node.pending) apply_write(newest, write);
    if (loss == Loss::nothing) return newest;
    switch (random.below(4)) {
        case 0:
            return node.durable;
        case 1:
            return newest;
        case 2:
            return keep_prefix(node, random);
        default:
            return tear_sectors(node, newest, random);
    }
}

/// Calls `visit` once for every node below and including `node`.
template <class Visit>
void for_each_node(const SimNodePtr& node, std::set<const SimNode*>& seen, const Visit& visit) {
    if (!seen.insert(node.get()).second) return;
    visit(*node);
    for (const auto& [name, child] : node->entries) for_each_node(child, seen, visit);
}

}  // namespace

SimDisk::SimDisk() : root_(std::make_shared<SimNode>()) {
    root_->type = FileType::directory;
    root_->mode = 0755;
}

Result<SimDisk::Place> SimDisk::walk(std::string_view verb, const Path& shown, const Path& path,
                                     bool follow, int links_left) const {
    if (links_left < 0) return file_error(verb, shown, ELOOP);
    std::vector<std::string> parts;
    for (const Path& part : (Path("/") / path).lexically_normal()) {
        if (!part.empty() && part != "/") parts.push_back(part.string());
    }
    Place place{.directory = root_, .name = {}, .node = root_};
    Path here = "/";
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (!place.node) return file_error(verb, shown, ENOENT);
        if (place.node->type != FileType::directory) return file_error(verb, shown, ENOTDIR);
        const auto found = place.node->entries.find(parts[i]);
        const bool exists = found != place.node->entries.end();
        place = Place{
            .directory = place.node, .name = parts[i], .node = exists ? found->second : nullptr};
        const bool last = i + 1 == parts.size();
        if (exists && place.node->type == FileType::symlink && (!last || follow)) {
            Path onward = here / place.node->target;  // an absolute target replaces `here`
            for (std::size_t j = i + 1; j < parts.size(); ++j) onward /= parts[j];
            return walk(verb, shown, onward, follow, links_left - 1);
        }
        here /= parts[i];
    }
    return place;
}

Result<SimDisk::Place> SimDisk::find_place(std::string_view verb, const Path& path,
                                           bool follow) const {
    auto place = TRY(walk(verb, path, path, follow, symlinks_max));
    if (place.name.empty()) return file_error(verb, path, EBUSY);
    return place;
}

Result<SimNodePtr> SimDisk::find(std::string_view verb, const Path& path, bool follow) const {
    const auto place = TRY(walk(verb, path, path, follow, symlinks_max));
    if (!place.node) return file_error(verb, path, ENOENT);
    return place.node;
}

void SimDisk::change_names(NameOperation operation) {
    apply_names(operation, &SimNode::entries);
    pending_names_.push_back(std::move(operation));
}

void SimDisk::write(SimNode& node, std::uint64_t offset, ByteView bytes) {
    SimWrite write{.is_truncation = false, .offset = offset, .bytes = to_bytes(bytes)};
    apply_write(node.bytes, write);
    node.pending.push_back(std::move(write));
}

void SimDisk::truncate(SimNode& node, std::uint64_t size) {
    SimWrite cut{.is_truncation = true, .offset = size, .bytes = {}};
    apply_write(node.bytes, cut);
    node.pending.push_back(std::move(cut));
}

void SimDisk::sync(SimNode& node) {
    for (const SimWrite& write : node.pending) apply_write(node.durable, write);
    node.pending.clear();
}

void SimDisk::sync_directory(const SimNodePtr& directory) {
    // With an operation on this directory goes everything older that shares a directory with it: a
    // file that was moved here after it was created there does not appear there again.
    std::set<const SimNode*> touched = {directory.get()};
    std::vector<bool> taken(pending_names_.size());
    for (std::size_t i = pending_names_.size(); i-- > 0;) {
        const NameOperation& operation = pending_names_[i];
        taken[i] = std::ranges::any_of(operation, [&](const NameChange& change) {
            return touched.contains(change.directory.get());
        });
        if (!taken[i]) continue;
        for (const NameChange& change : operation) touched.insert(change.directory.get());
    }
    std::vector<NameOperation> left;
    for (std::size_t i = 0; i < pending_names_.size(); ++i) {
        if (taken[i]) {
            apply_names(pending_names_[i], &SimNode::durable_entries);
        } else {
            left.push_back(std::move(pending_names_[i]));
        }
    }
    pending_names_ = std::move(left);
}

void SimDisk::sync_all() {
    for (const NameOperation& operation : pending_names_) {
        apply_names(operation, &SimNode::durable_entries);
    }
    pending_names_.clear();
    std::set<const SimNode*> seen;
    for_each_node(root_, seen, [this](SimNode& node) { sync(node); });
}

std::uint64_t SimDisk::used() const {
    std::uint64_t bytes = 0;
    std::set<const SimNode*> seen;
    for_each_node(root_, seen, [&bytes](const SimNode& node) { bytes += node.bytes.size(); });
    return bytes;
}

void SimDisk::settle_names(Loss loss, SeededRandom& random) {
    const std::uint64_t course = random.below(4);  // none, all, or until it stops somewhere
    const bool all = loss == Loss::nothing || (loss == Loss::seeded && course == 1);
    const bool none = loss == Loss::everything || (loss == Loss::seeded && course == 0);
    // Within a directory names become durable in order; directories do so apart from each other.
    std::set<const SimNode*> stopped;
    for (const NameOperation& operation : pending_names_) {
        const bool after_stop = std::ranges::any_of(operation, [&](const NameChange& change) {
            return stopped.contains(change.directory.get());
        });
        if (!all && (none || after_stop || random.one_in(3))) {
            for (const NameChange& change : operation) stopped.insert(change.directory.get());
        } else {
            apply_names(operation, &SimNode::durable_entries);
        }
    }
    pending_names_.clear();
}

void SimDisk::lose_unsynced(Loss loss, SeededRandom& random) {
    settle_names(loss, random);
    std::set<const SimNode*> seen;
    for_each_node(root_, seen, [&](SimNode& node) {
        node.entries = node.durable_entries;  // before it goes down: only what is left is visited
        node.bytes = left_of(node, loss, random);
        node.durable = node.bytes;
        node.pending.clear();
        node.locked = false;
    });
}

}  // namespace lifeboat

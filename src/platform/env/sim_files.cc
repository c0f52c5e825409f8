#include "platform/env/sim_files.h"

#include <fmt/core.h>

#include <algorithm>

#include "platform/env/real_files.h"
#include "platform/env/sim_file.h"

namespace lifeboat {

SimFiles::SimFiles(const Clock& clock, std::uint64_t seed) : clock_(clock), random_(seed) {}

std::uint64_t SimFiles::operations() const {
    const MutexLock lock(mutex_);
    return operations_;
}

void SimFiles::crash_at(std::uint64_t n) {
    CHECK(n > 0);
    const MutexLock lock(mutex_);
    crash_at_ = operations_ + n;
}

void SimFiles::crash() {
    const MutexLock lock(mutex_);
    off_ = true;
}

bool SimFiles::crashed() const {
    const MutexLock lock(mutex_);
    return off_;
}

void SimFiles::reboot() {
    const MutexLock lock(mutex_);
    disk_.lose_unsynced(loss_, random_);
    off_ = false;
    crash_at_ = 0;
    ++boot_;
}

void SimFiles::set_loss(Loss loss) {
    const MutexLock lock(mutex_);
    loss_ = loss;
}

void SimFiles::set_capacity(std::uint64_t bytes) {
    const MutexLock lock(mutex_);
    capacity_ = bytes;
}

void SimFiles::set_sync_failure(const Path& path, bool fails) {
    const MutexLock lock(mutex_);
    if (fails) {
        failing_syncs_.insert(path);
    } else {
        failing_syncs_.erase(path);
    }
}

Result<void> SimFiles::flip_byte(const Path& path, std::uint64_t offset) {
    const MutexLock lock(mutex_);
    const auto node = TRY(disk_.find("flip a byte of", path, true));
    if (offset >= node->bytes.size()) return file_error("flip a byte of", path, EINVAL);
    node->bytes[offset] ^= std::byte{0xff};
    if (offset < node->durable.size()) node->durable[offset] ^= std::byte{0xff};
    return ok();
}

Result<void> SimFiles::powered() const {
    if (off_) return unavailable("the simulated machine is off");
    return ok();
}

Result<void> SimFiles::begin_operation() {
    TRY(powered());
    if (++operations_ == crash_at_) off_ = true;
    return ok();
}

Result<void> SimFiles::change_names(NameOperation operation) {
    TRY(begin_operation());
    disk_.change_names(std::move(operation));
    return powered();
}

Result<SimNodePtr> SimFiles::create(const SimDisk::Place& place, FileType type,
                                    std::uint32_t permissions) {
    auto node = std::make_shared<SimNode>();
    node->type = type;
    node->mode = permissions;
    node->modified = clock_.now();
    TRY(change_names({NameChange{place.directory, place.name, node}}));
    return node;
}

Result<SimNodePtr> SimFiles::open_node(const Path& path, OpenMode mode, std::uint32_t permissions) {
    const std::string_view verb = mode == OpenMode::create ? "create" : "open";
    if (mode == OpenMode::read || mode == OpenMode::update) return disk_.find(verb, path, true);
    // A new file never appears at the end of a symlink; an existing one is opened through it.
    const auto place = TRY(disk_.find_place(verb, path, mode != OpenMode::create));
    if (!place.node) return create(place, FileType::regular, permissions);
    if (mode == OpenMode::create) return file_error(verb, path, EEXIST);
    if (mode == OpenMode::create_or_empty && place.node->type == FileType::regular) {
        TRY(cut(*place.node, 0));
    }
    return place.node;
}

Result<std::unique_ptr<File>> SimFiles::open(const Path& path, OpenMode mode,
                                             std::uint32_t permissions) {
    const MutexLock lock(mutex_);
    TRY(powered());
    auto node = TRY(open_node(path, mode, permissions));
    if (node->type != FileType::regular) return file_error("open", path, EISDIR);
    return std::make_unique<SimFile>(*this, std::move(node), path, mode, boot_);
}

Result<FileStatus> SimFiles::status(const Path& path) {
    const MutexLock lock(mutex_);
    TRY(powered());
    const auto node = TRY(disk_.find("stat", path, false));
    const std::size_t size =
        node->type == FileType::symlink ? node->target.string().size() : node->bytes.size();
    return FileStatus{.type = node->type,
                      .size = size,
                      .modified = node->modified,
                      .mode = node->mode,
                      .owner = node->owner};
}

Result<std::vector<std::string>> SimFiles::list(const Path& directory) {
    const MutexLock lock(mutex_);
    TRY(powered());
    const auto node = TRY(disk_.find("list", directory, true));
    if (node->type != FileType::directory) return file_error("list", directory, ENOTDIR);
    std::vector<std::string> names;
    for (const auto& [name, entry] : node->entries) names.push_back(name);
    return names;
}

Result<void> SimFiles::make_directories(const Path& directory, std::uint32_t permissions) {
    const MutexLock lock(mutex_);
    TRY(powered());
    const std::string_view verb = "create the directory";
    Path here = "/";
    for (const Path& part : (Path("/") / directory).lexically_normal()) {
        if (part.empty() || part == "/") continue;
        here /= part;
        const auto place = TRY(disk_.find_place(verb, here, true));
        if (!place.node) {
            TRY(create(place, FileType::directory, permissions));
        } else if (place.node->type != FileType::directory) {
            return file_error(verb, directory, EEXIST);
        }
    }
    return ok();
}

Result<void> SimFiles::rename(const Path& from, const Path& to) {
    const MutexLock lock(mutex_);
    TRY(powered());
    const std::string verb = fmt::format("rename '{}' to", from.string());
    const auto source = TRY(disk_.find_place(verb, from, false));
    const auto target = TRY(disk_.find_place(verb, to, false));
    if (!source.node) return file_error(verb, to, ENOENT);
    if (source.node == target.node) return ok();
    const bool directory = source.node->type == FileType::directory;
    if (target.node) {
        const bool onto_directory = target.node->type == FileType::directory;
        if (onto_directory != directory) {
            return file_error(verb, to, onto_directory ? EISDIR : ENOTDIR);
        }
        if (!target.node->entries.empty()) return file_error(verb, to, ENOTEMPTY);
    }
    const Path inside = to.lexically_normal().lexically_relative(from.lexically_normal());
    if (directory && !inside.empty() && *inside.begin() != "..") {
        return file_error(verb, to, EINVAL);
    }
    return change_names({NameChange{source.directory, source.name, nullptr},
                         NameChange{target.directory, target.name, source.node}});
}

Result<void> SimFiles::link(const Path& from, const Path& to) {
    const MutexLock lock(mutex_);
    TRY(powered());
    const std::string verb = fmt::format("link '{}' as", from.string());
    const auto source = TRY(disk_.find(verb, from, false));
    const auto target = TRY(disk_.find_place(verb, to, false));
    if (target.node) return file_error(verb, to, EEXIST);
    if (source->type == FileType::directory) return file_error(verb, to, EPERM);
    return change_names({NameChange{target.directory, target.name, source}});
}

Result<void> SimFiles::make_symlink(const Path& target, const Path& link) {
    const MutexLock lock(mutex_);
    TRY(powered());
    const auto place = TRY(disk_.find_place("create the symlink", link, false));
    if (place.node) return file_error("create the symlink", link, EEXIST);
    auto node = std::make_shared<SimNode>();
    node->type = FileType::symlink;
    node->mode = 0777;
    node->modified = clock_.now();
    node->target = target;
    return change_names({NameChange{place.directory, place.name, node}});
}

Result<Path> SimFiles::read_symlink(const Path& link) {
    const MutexLock lock(mutex_);
    TRY(powered());
    const auto node = TRY(disk_.find("read the symlink", link, false));
    if (node->type != FileType::symlink) return file_error("read the symlink", link, EINVAL);
    return node->target;
}

Result<void> SimFiles::remove_place(const SimDisk::Place& place, const Path& shown) {
    if (!place.node) return file_error("remove", shown, ENOENT);
    if (!place.node->entries.empty()) return file_error("remove", shown, ENOTEMPTY);
    return change_names({NameChange{place.directory, place.name, nullptr}});
}

Result<void> SimFiles::remove(const Path& file) {
    const MutexLock lock(mutex_);
    TRY(powered());
    const auto place = TRY(disk_.find_place("remove", file, false));
    return remove_place(place, file);
}

Result<void> SimFiles::remove_below(const SimDisk::Place& place, const Path& shown) {
    const SimEntries entries = place.node->entries;  // a copy: it changes under the loop
    for (const auto& [name, node] : entries) {
        TRY(remove_below(SimDisk::Place{place.node, name, node}, shown / name));
    }
    return remove_place(place, shown);
}

Result<void> SimFiles::remove_tree(const Path& directory) {
    const MutexLock lock(mutex_);
    TRY(powered());
    auto place = disk_.find_place("remove", directory, false);
    if (!place.has_value()) {
        if (place.error().kind == ErrorKind::not_found) return ok();
        return std::move(place).error();
    }
    return place->node ? remove_below(*place, directory) : ok();
}

Result<void> SimFiles::set_owner(const Path& path, std::uint32_t uid, std::uint32_t gid) {
    (void)gid;  // FileStatus does not show it
    const MutexLock lock(mutex_);
    TRY(powered());
    const auto node = TRY(disk_.find("set the owner of", path, false));
    TRY(begin_operation());
    node->owner = uid;
    return powered();
}

Result<void> SimFiles::set_permissions(const Path& path, std::uint32_t permissions) {
    const MutexLock lock(mutex_);
    TRY(powered());
    const auto node = TRY(disk_.find("set the permissions of", path, true));
    TRY(begin_operation());
    node->mode = permissions;
    return powered();
}

bool SimFiles::sync_fails(const SimNode& node) const {
    for (const Path& path : failing_syncs_) {
        const auto failing = disk_.find("sync", path, true);
        if (failing.has_value() && failing->get() == &node) return true;
    }
    return false;
}

Result<void> SimFiles::sync_directory(const Path& directory) {
    const MutexLock lock(mutex_);
    TRY(powered());
    const auto node = TRY(disk_.find("sync the directory", directory, true));
    if (node->type != FileType::directory) {
        return file_error("sync the directory", directory, ENOTDIR);
    }
    TRY(begin_operation());
    TRY(powered());
    if (sync_fails(*node)) return file_error("sync the directory", directory, EIO);
    disk_.sync_directory(node);
    return ok();
}

Result<void> SimFiles::sync_all(const Path& path) {
    const MutexLock lock(mutex_);
    TRY(powered());
    TRY(disk_.find("sync the file system of", path, true));
    TRY(begin_operation());
    TRY(powered());
    disk_.sync_all();
    return ok();
}

std::uint64_t SimFiles::room() const {
    const std::uint64_t used = disk_.used();
    return capacity_ > used ? capacity_ - used : 0;
}

Result<std::uint64_t> SimFiles::free_space(const Path& path) {
    const MutexLock lock(mutex_);
    TRY(powered());
    TRY(disk_.find("ask for the free space of", path, true));
    return room();
}

Result<std::unique_ptr<FileLock>> SimFiles::lock(const Path& file) {
    const MutexLock guard(mutex_);
    TRY(powered());
    auto place = TRY(disk_.find_place("open the lock", file, true));
    SimNodePtr node = place.node;
    if (!node) node = TRY(create(place, FileType::regular, 0600));
    if (node->locked) {
        return conflict(fmt::format("'{}' is locked by another process", file.string()),
                        "Wait until it ends, or stop it.");
    }
    node->locked = true;
    return std::make_unique<SimFileLock>(*this, std::move(node), boot_);
}

Result<void> SimFiles::write(const Path& shown, SimNode& node, std::uint64_t offset,
                             ByteView bytes) {
    const std::uint64_t end = offset + bytes.size();
    const std::uint64_t growth = end > node.bytes.size() ? end - node.bytes.size() : 0;
    const std::uint64_t available = growth > 0 ? room() : 0;
    const bool full = growth > available;
    if (full) {
        const std::uint64_t missing = std::min<std::uint64_t>(growth - available, bytes.size());
        bytes = bytes.first(bytes.size() - missing);
    }
    TRY(begin_operation());
    if (!bytes.empty()) disk_.write(node, offset, bytes);
    node.modified = clock_.now();
    TRY(powered());
    return full ? Result<void>(file_error("write", shown, ENOSPC)) : ok();
}

Result<void> SimFiles::cut(SimNode& node, std::uint64_t size) {
    TRY(begin_operation());
    disk_.truncate(node, size);
    node.modified = clock_.now();
    return powered();
}

Result<void> SimFiles::sync(const Path& shown, SimNode& node) {
    TRY(begin_operation());
    TRY(powered());
    if (sync_fails(node)) {
        node.pending.clear();  // shown to programs, and never on the disk
        return file_error("sync", shown, EIO);
    }
    disk_.sync(node);
    return ok();
}

}  // namespace lifeboat

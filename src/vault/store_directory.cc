/// A vault in a directory. An object is a file; it appears by link(), which never replaces
/// anything.
///
/// tmp/ holds what is being written; after a crash it is garbage that prune removes. Directories
/// are made on demand and synced up to the root before the first durable object in them is
/// confirmed.

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "platform/base/text.h"
#include "platform/task/mutex.h"
#include "vault/store.h"

namespace lifeboat::vault {
namespace {

constexpr std::uint32_t directory_mode = 0700;

Error name_error(const std::string& name) {
    return invalid(fmt::format("not an object name: '{}'", name));
}

bool is_object_name(std::string_view name) {
    const auto parts = split(name, '/');
    return !parts.empty() && std::ranges::all_of(parts, [](std::string_view part) {
        return !part.empty() && part.front() != '.' && part.size() <= 255 &&
               std::ranges::all_of(part, [](char c) { return c > ' ' && c != '\\' && c < 127; });
    });
}

class AppendFile final : public AppendObject {
public:
    AppendFile(std::unique_ptr<File> file, std::string name)
        : file_(std::move(file)), name_(std::move(name)) {}

    Result<void> append(ByteView bytes) override { return named(file_->append(bytes)); }
    Result<void> sync() override { return named(file_->sync()); }

private:
    Result<void> named(Result<void> result) {
        if (result.has_value()) return result;
        return std::move(result).error().in(fmt::format("object '{}'", name_));
    }

    std::unique_ptr<File> file_;
    std::string name_;
};

class DirectoryStore final : public Store {
public:
    DirectoryStore(Path root, Environment& environment)
        : root_(std::move(root)), files_(environment.files), random_(environment.random) {}

    Result<void> put(const std::string& name, ByteView bytes, bool deferred) override {
        if (!is_object_name(name)) return name_error(name);
        auto done = put_file(name, bytes, deferred);
        if (done.has_value()) return done;
        return std::move(done).error().in(fmt::format("object '{}'", name));
    }

    Result<void> barrier() override { return files_.sync_all(root_); }

    Result<ObjectInfo> status(const std::string& name) override {
        if (!is_object_name(name)) return name_error(name);
        const auto found = TRY(files_.status(root_ / name));
        if (found.type != FileType::regular)
            return corrupt(fmt::format("object '{}' is not a file", name));
        return ObjectInfo{name, found.size, found.modified};
    }

    Result<Bytes> get(const std::string& name) override {
        if (!is_object_name(name)) return name_error(name);
        auto file = TRY(files_.open(root_ / name, OpenMode::read));
        const std::uint64_t size = TRY(file->size());
        return read(*file, name, 0, size);
    }

    Result<Bytes> get_range(const std::string& name, std::uint64_t offset,
                            std::size_t size) override {
        if (!is_object_name(name)) return name_error(name);
        auto file = TRY(files_.open(root_ / name, OpenMode::read));
        return read(*file, name, offset, size);
    }

    Result<std::vector<ObjectInfo>> list(const std::string& prefix) override {
        std::vector<ObjectInfo> found;
        const std::size_t slash = prefix.rfind('/');
        const std::string directory = slash == std::string::npos ? "" : prefix.substr(0, slash);
        TRY(list_directory(directory, prefix, found));
        std::ranges::sort(found, {}, &ObjectInfo::name);
        return found;
    }

    Result<void> remove(const std::string& name) override {
        if (!is_object_name(name)) return name_error(name);
        TRY(files_.remove(root_ / name));
        return files_.sync_directory((root_ / name).parent_path());
    }

    Result<std::unique_ptr<AppendObject>> create_append(const std::string& name) override {
        if (!is_object_name(name)) return name_error(name);
        const Path path = root_ / name;
        TRY(make_parent(path.parent_path(), false));
        auto file = TRY(files_.open(path, OpenMode::create));
        TRY(files_.sync_directory(path.parent_path()));
        return std::unique_ptr<AppendObject>(std::make_unique<AppendFile>(std::move(file), name));
    }

    Result<std::uint64_t> free_space() override { return files_.free_space(root_); }
    std::string describe() const override { return fmt::format("directory {}", root_.string()); }

private:
    Result<void> put_file(const std::string& name, ByteView bytes, bool deferred) {
        const Path path = root_ / name;
        TRY(make_parent(root_ / "tmp", true));
        TRY(make_parent(path.parent_path(), deferred));
        const Path temporary = root_ / "tmp" / random_.hex(12);
        auto written = write_temporary(temporary, bytes, deferred);
        if (written.has_value()) written = files_.link(temporary, path);
        // Ignored: a temporary that stays is garbage, which prune removes.
        (void)files_.remove(temporary);
        if (!written.has_value()) {
            if (written.error().kind != ErrorKind::conflict) return written;
            return confirm_existing(path, bytes, deferred);
        }
        if (deferred) return ok();
        auto synced = files_.sync_directory(path.parent_path());
        if (!synced.has_value())
            (void)files_.remove(path);  // Ignored: the sync's error says it all.
        return synced;
    }

    Result<void> write_temporary(const Path& temporary, ByteView bytes, bool deferred) {
        auto file = TRY(files_.open(temporary, OpenMode::create));
        TRY(file->append(bytes));
        return deferred ? ok() : file->sync();
    }

    /// The same bytes under the same name are success, once they are as durable as was asked for.
    Result<void> confirm_existing(const Path& path, ByteView bytes, bool deferred) {
        auto file = TRY(files_.open(path, OpenMode::update));
        const std::uint64_t size = TRY(file->size());
        Bytes present(size == bytes.size() ? bytes.size() : 0);
        if (size == bytes.size()) {
            const std::size_t count = TRY(file->read_at(0, present));
            present.resize(count);
        }
        if (!std::ranges::equal(present, bytes)) return conflict("exists with other bytes");
        if (deferred) return ok();
        TRY(file->sync());
        return files_.sync_directory(path.parent_path());
    }

    /// Makes the directory; unless deferred, its name is durable on return, up to the root.
    Result<void> make_parent(const Path& directory, bool deferred) {
        {
            const MutexLock lock(mutex_);
            if (durable_.contains(directory) || (deferred && made_.contains(directory)))
                return ok();
        }
        TRY(files_.make_directories(directory, directory_mode));
        if (!deferred) {
            for (Path at = directory; at != root_ && at.has_relative_path(); at = at.parent_path())
                TRY(files_.sync_directory(at.parent_path()));
        }
        const MutexLock lock(mutex_);
        (deferred ? made_ : durable_).insert(directory);
        return ok();
    }

    static Result<Bytes> read(File& file, const std::string& name, std::uint64_t offset,
                              std::uint64_t size) {
        Bytes bytes(size);
        const std::size_t count = TRY(file.read_at(offset, bytes));
        if (count != size)
            return corrupt(fmt::format("object '{}' ends at offset {}, {} bytes too early", name,
                                       offset + count, size - count));
        return bytes;
    }

    Result<void> list_directory(const std::string& directory, const std::string& prefix,
                                std::vector<ObjectInfo>& found) {
        auto names = files_.list(directory.empty() ? root_ : root_ / directory);
        if (!names.has_value()) {
            if (names.error().kind == ErrorKind::not_found) return ok();
            return std::move(names).error();
        }
        for (const std::string& entry : *names) {
            const std::string name = directory.empty() ? entry : directory + "/" + entry;
            const std::size_t common = std::min(name.size(), prefix.size());
            if (name.compare(0, common, prefix, 0, common) != 0) continue;
            auto status = files_.status(root_ / name);
            if (!status.has_value()) {
                if (status.error().kind == ErrorKind::not_found) continue;  // removed meanwhile
                return std::move(status).error();
            }
            // What is being written is no object, unless it is asked for.
            const bool hidden = name == "tmp" && !prefix.starts_with("tmp/");
            if (status->type == FileType::directory && !hidden)
                TRY(list_directory(name, prefix, found));
            else if (status->type == FileType::regular && name.starts_with(prefix))
                found.push_back({name, status->size, status->modified});
        }
        return ok();
    }

    const Path root_;
    Files& files_;
    Random& random_;
    Mutex mutex_;
    std::set<Path> made_ GUARDED_BY(mutex_);
    std::set<Path> durable_ GUARDED_BY(mutex_);
};

}  // namespace

Result<std::unique_ptr<Store>> open_directory_store(const Path& directory,
                                                    Environment& environment) {
    auto status = environment.files.status(directory);
    // A vault may be reached through a symlink.
    if (status.has_value() && status->type == FileType::symlink)
        status = environment.files.status(directory / ".");
    if (!status.has_value() || status->type != FileType::directory) {
        if (!status.has_value() && status.error().kind != ErrorKind::not_found)
            return std::move(status).error();
        return not_found(fmt::format("no vault directory '{}'", directory.string()),
                         "Make one with `lifeboat vault init`, or correct the path in the plan.");
    }
    return std::unique_ptr<Store>(std::make_unique<DirectoryStore>(directory, environment));
}

}  // namespace lifeboat::vault

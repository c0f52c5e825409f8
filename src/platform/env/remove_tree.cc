#include "platform/env/remove_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "platform/env/fd.h"
#include "platform/env/real_files.h"

namespace lifeboat {
namespace {

// A directory that others fill as fast as we empty it is given up after that many rounds.
constexpr int rounds_max = 5;

Result<void> remove_entry(int parent, const std::string& name, const Path& shown);

/// Names in an open directory, read through a descriptor of its own.
Result<std::vector<std::string>> names_in(int directory, const Path& shown) {
    const int duplicate = ::fcntl(directory, F_DUPFD_CLOEXEC, 3);
    DIR* stream = duplicate < 0 ? nullptr : ::fdopendir(duplicate);
    if (stream == nullptr) return file_error("list", shown, errno);
    ::rewinddir(stream);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(stream)) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
        errno = 0;
    }
    const int failed = errno;
    ::closedir(stream);
    if (failed != 0) return file_error("list", shown, failed);
    return names;
}

/// Removes what is in the directory `name` of `parent`, then the directory.
Result<void> remove_directory(int parent, const std::string& name, const Path& shown) {
    for (int round = 0; round < rounds_max; ++round) {
        // O_NOFOLLOW: a symlink put here since we looked must not lead us out of the tree.
        const Fd fd(uninterrupted([&] {
            return ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        }));
        if (!fd.valid()) {
            if (errno == ENOENT) return ok();
            return file_error("remove", shown, errno);
        }
        const auto names = TRY(names_in(fd.get(), shown));
        for (const std::string& entry : names) TRY(remove_entry(fd.get(), entry, shown / entry));
        if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return ok();
        if (errno != ENOTEMPTY && errno != EEXIST) return file_error("remove", shown, errno);
    }
    return file_error("remove", shown, ENOTEMPTY);
}

Result<void> remove_entry(int parent, const std::string& name, const Path& shown) {
    if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return ok();
    if (errno == EISDIR || errno == EPERM) {
        const int first = errno;
        struct stat found{};
        if (::fstatat(parent, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISDIR(found.st_mode)) {
            return remove_directory(parent, name, shown);
        }
        errno = first;
    }
    return file_error("remove", shown, errno);
}

}  // namespace

Result<void> remove_real_tree(const Path& path) {
    Path top = path;
    if (!top.has_filename()) top = top.parent_path();  // "directory/" would follow a symlink
    if (top.empty() || top == top.root_path() || top.filename() == "." || top.filename() == "..") {
        return invalid("will not remove '" + path.string() + "' with all that is in it");
    }
    return remove_entry(AT_FDCWD, top.string(), top);
}

}  // namespace lifeboat

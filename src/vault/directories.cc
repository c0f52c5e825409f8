#include "vault/directories.h"

namespace lifeboat::vault {
namespace {

Path parent_of(const Path& path) { return path.has_parent_path() ? path.parent_path() : Path("."); }

}  // namespace

Result<void> make_durable_directories(Files& files, const Path& directory) {
    std::vector<Path> missing;
    for (Path at = directory; !files.status(at).has_value() && at != parent_of(at);
         at = parent_of(at))
        missing.push_back(at);
    TRY(files.make_directories(directory, 0700));
    for (const Path& made : missing) TRY(files.sync_directory(parent_of(made)));
    return ok();
}

}  // namespace lifeboat::vault

#pragma once
/// Removal of a whole directory tree. Internal to env.

#include "platform/env/files.h"

namespace lifeboat {

/// Removes the tree; a symlink, at the top or inside, is removed and never followed, even when
/// somebody exchanges directories for symlinks meanwhile. Success when absent.
Result<void> remove_real_tree(const Path& path);

}  // namespace lifeboat

#pragma once
/// Directories whose names survive a crash.

#include "platform/env/files.h"

namespace lifeboat::vault {

/// Makes the directory and its missing parents. Durable: each name that was missing.
Result<void> make_durable_directories(Files& files, const Path& directory);

}  // namespace lifeboat::vault

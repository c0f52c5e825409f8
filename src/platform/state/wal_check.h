#pragma once
/// Looks for damage in SQLite's write-ahead log, which SQLite itself takes for the log's end.
///
/// After a kill -9 the log holds the newest transactions. SQLite reads it up to the first frame
/// whose checksum is wrong and drops the rest without a word: right for a transaction that was torn
/// while it was written, wrong for one that was acknowledged. Since every commit is synced, only
/// the last transaction can be torn; two commits behind a bad frame mean that the disk has changed
/// bytes.

#include "platform/env/files.h"

namespace lifeboat {

/// Checks the log of the database `path`, if there is one; blocks nobody. What it cannot see:
/// damage to the last transaction itself. Errors: corrupt, naming file and frame.
Result<void> check_wal(Files& files, const Path& path);

}  // namespace lifeboat

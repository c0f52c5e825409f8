#pragma once
/// Files that people ask for (`--html FILE`, `evidence export FILE`): replaced whole where there is
/// a file, followed where there is a symlink, written to where there is a device or a pipe.

#include <string>
#include <string_view>

#include "platform/env/files.h"
#include "platform/task/context.h"

namespace lifeboat::cli {

/// Whether the file could be written as far as one can tell without doing it: said before what it
/// is to hold takes its time. For verbs that print a report too: "-" is refused. Errors: invalid,
/// not_found, denied, …
Result<void> expect_writable(Files& files, const std::string& file);
/// Durable on return, where durability is a word.
Result<void> write_result_file(Files& files, const std::string& file, std::string_view text);

/// All of standard input. Errors: exhausted (more than `limit` bytes), cancelled.
Result<Bytes> read_standard_input(const Context& context, std::uint64_t limit);

}  // namespace lifeboat::cli

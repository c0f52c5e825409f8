#include "surface/cli/result_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "platform/env/fd.h"

namespace lifeboat::cli {
namespace {

namespace fs = std::filesystem;
constexpr std::uint32_t for_everybody = 0644;

Error unable(const std::string& file, int problem) {
    return from_errno(fmt::format("write '{}'", file), problem);
}

Error is_directory(const std::string& file) {
    return invalid(fmt::format("'{}' is a directory", file), "Name a file in it.");
}

/// A device, a pipe: replacing it by a file would take it from everybody else.
bool is_special(const fs::file_status& status) {
    return fs::exists(status) && !fs::is_regular_file(status);
}

/// The file that a symlink leads to, also where there is none yet: the link itself stays.
Path behind(const std::string& file) {
    constexpr int links_max = 40;  // as the kernel follows
    std::error_code problem;
    Path target = file;
    for (int i = 0; i < links_max && fs::is_symlink(target, problem); ++i)
        target = target.parent_path() / fs::read_symlink(target, problem);
    return target;
}

Result<void> write_into(const std::string& file, std::string_view text) {
    const Fd fd(uninterrupted([&] {
        return ::open(file.c_str(), O_WRONLY | O_CLOEXEC);  // NOLINT(*-vararg)
    }));
    if (!fd.valid()) return unable(file, errno);
    while (!text.empty()) {
        const ssize_t count =
            uninterrupted([&] { return ::write(fd.get(), text.data(), text.size()); });
        if (count < 0) return unable(file, errno);
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return ok();
}

}  // namespace

Result<void> expect_writable(Files& files, const std::string& file) {
    if (file == "-")
        return invalid("'-' would be standard output, which has the report", "Name a file.");
    std::error_code problem;
    const fs::file_status there = fs::status(file, problem);
    if (fs::is_directory(there)) return is_directory(file);
    if (is_special(there))
        return ::faccessat(AT_FDCWD, file.c_str(), W_OK, AT_EACCESS) == 0
                   ? ok()
                   : Result<void>(unable(file, errno));
    const Path target = behind(file);
    const Path folder = target.has_parent_path() ? target.parent_path() : Path(".");
    if (::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
        return unable(file, errno);
    if (!fs::is_directory(folder, problem)) return unable(file, ENOTDIR);
    const std::uint64_t free = TRY(files.free_space(folder));
    if (free == 0) return unable(file, ENOSPC);
    return ok();
}

Result<void> write_result_file(Files& files, const std::string& file, std::string_view text) {
    std::error_code problem;
    const fs::file_status there = fs::status(file, problem);
    if (fs::is_directory(there)) return is_directory(file);
    if (is_special(there)) return write_into(file, text);
    return write_file_durably(files, behind(file), as_bytes(text), for_everybody);
}

Result<Bytes> read_standard_input(const Context& context, std::uint64_t limit) {
    constexpr std::size_t piece = 1U << 16U;
    constexpr int look_every_ms = 100;  // for Ctrl-C, which arrives as a stop token
    Bytes bytes;
    while (!context.stopped()) {
        pollfd ready{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
        if (::poll(&ready, 1, look_every_ms) <= 0) continue;
        const std::size_t filled = bytes.size();
        bytes.resize(filled + piece);
        const ssize_t count =
            uninterrupted([&] { return ::read(STDIN_FILENO, bytes.data() + filled, piece); });
        if (count < 0) return from_errno("read standard input", errno);
        bytes.resize(filled + static_cast<std::size_t>(count));
        if (count == 0) return bytes;
        if (bytes.size() > limit)
            return exhausted(fmt::format("standard input is larger than {} bytes", limit));
    }
    return cancelled("interrupted");
}

}  // namespace lifeboat::cli

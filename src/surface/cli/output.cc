#include "surface/cli/output.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "platform/codec/utf8.h"
#include "platform/observe/redact.h"
#include "surface/cli/aside.h"

namespace lifeboat::cli {
namespace {

/// What is no UTF-8 (an excerpt of a broken file) must not confuse the terminal.
std::string well_formed(std::string text) {
    std::string clean;
    for (std::size_t at = 0; at < text.size();) {
        const Utf8Char next = decode_utf8(text, at);
        if (next.valid)
            clean.append(text, at, next.size);
        else
            clean += "\xef\xbf\xbd";
        at += next.size;
    }
    return clean;
}

/// All of it, also into a pipe that does not block. Returns the errno that stopped it, or 0.
int write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = ::write(descriptor, text.data(), text.size());
        if (count >= 0) {
            text.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno == EAGAIN) {
            pollfd ready{.fd = descriptor, .events = POLLOUT, .revents = 0};
            (void)::poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

/// What somebody redirected it to, as far as the system says.
std::string name_of(int descriptor) {
    std::array<char, 4096> name{};
    const std::string link = fmt::format("/proc/self/fd/{}", descriptor);
    const ssize_t size = ::readlink(link.c_str(), name.data(), name.size());
    if (size <= 0) return {};
    return fmt::format(" ('{}')", std::string_view(name.data(), static_cast<std::size_t>(size)));
}

/// A file system may keep the bad news until the file is closed.
int flush(int descriptor) {
    const int copy = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return 0;  // it was never open: whatever was written has failed already
    return ::close(copy) == 0 || errno == EINTR ? 0 : errno;
}

std::string_view code_of(Tone tone) {
    switch (tone) {
        case Tone::good:
            return "\x1b[32m";
        case Tone::warning:
            return "\x1b[33m";
        case Tone::bad:
            return "\x1b[31m";
        case Tone::faint:
            return "\x1b[2m";
        case Tone::strong:
            return "\x1b[1m";
        case Tone::plain:
            break;
    }
    return "";
}

}  // namespace

void Output::line(std::string_view text) const {
    put(STDOUT_FILENO, well_formed(redact(text)) + "\n");
}
void Output::note(std::string_view text) const {
    put(STDERR_FILENO, well_formed(redact(text)) + "\n");
}
void Output::document(const Json& value) const { line(dump_pretty(value)); }
void Output::event(const Json& value) const { line(dump(value)); }
void Output::drawing(std::string_view text) const { put(STDOUT_FILENO, redact(text)); }
void Output::frame(std::string_view text) const { put(STDERR_FILENO, redact(text)); }

bool Output::is_behind() const {
    const Aside* aside = aside_;
    return aside != nullptr && aside->is_behind();
}

void Output::put(int descriptor, std::string text) const {
    if (Aside* aside = aside_) return aside->give(descriptor, std::move(text));
    put_now(descriptor, text);
}

void Output::put_now(int descriptor, std::string_view text) const {
    if (descriptor == STDOUT_FILENO && problem_ == EPIPE) return;
    const int problem = write_all(descriptor, text);
    // Ignored on standard error: there is nowhere left to say that it could not be said.
    if (descriptor == STDOUT_FILENO) keep(problem);
}

void Output::keep(int problem) const {
    int none = 0;
    if (problem == 0 || !problem_.compare_exchange_strong(none, problem)) return;
    if (problem == EPIPE) return;  // `| head` has seen enough
    // One that was closed from the beginning is open for reading now: see open_standard_streams().
    put_now(STDERR_FILENO,
            "lifeboat: error: unable to write to standard output" +
                (problem == EBADF ? std::string(": it is closed\n")
                                  : fmt::format("{}: {}\n", name_of(STDOUT_FILENO),
                                                std::generic_category().message(problem))));
}

ExitCode Output::finish(ExitCode code) const {
    if (problem_ == 0) keep(flush(STDOUT_FILENO));
    return problem_ == 0 || problem_ == EPIPE ? code : ExitCode::failed;
}

void open_standard_streams() {
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (::fcntl(descriptor, F_GETFD) < 0 && errno == EBADF)
            // The lowest free number is this one. Open for reading: writing to it still fails.
            (void)::open("/dev/null", O_RDONLY);  // NOLINT(cppcoreguidelines-pro-type-vararg)
}

void Output::error(const Error& error) const {
    if (options_.json) {
        document(Json{{"error", to_json(error)}});
        return;
    }
    note(fmt::format("lifeboat: {} {}", paint(Tone::bad, "error:"), error.message));
    if (!error.hint.empty()) note("  " + error.hint);
}

std::string Output::paint(Tone tone, std::string_view text) const {
    const std::string_view code = code_of(tone);
    if (!options_.colour || code.empty()) return std::string(text);
    return fmt::format("{}{}\x1b[0m", code, text);
}

std::size_t visible_width(std::string_view text) {
    std::size_t width = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\x1b') {
            while (i < text.size() && text[i] != 'm') ++i;
            continue;
        }
        if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) ++width;
    }
    return width;
}

std::string clip(std::string_view text, std::size_t width) {
    if (visible_width(text) <= width) return std::string(text);
    if (width == 0) return {};
    std::string kept;
    std::size_t columns = 0;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t end = i + 1;
        if (text[i] == '\x1b') {
            while (end < text.size() && text[end - 1] != 'm') ++end;
        } else {
            while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
                ++end;
            if (++columns == width) break;
        }
        kept += text.substr(i, end - i);
        i = end;
    }
    return kept + "…";
}

TerminalSize terminal_size() {
    winsize size{};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        return {};
    return TerminalSize{.width = size.ws_col, .height = size.ws_row};
}

std::vector<std::string> aligned(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], visible_width(row[i]));
    }
    std::vector<std::string> lines;
    for (const auto& row : rows) {
        std::string text;
        for (std::size_t i = 0; i < row.size(); ++i) {
            text += row[i];
            if (i + 1 < row.size()) text.append(widths[i] - visible_width(row[i]) + 2, ' ');
        }
        lines.push_back(std::move(text));
    }
    return lines;
}

void Output::table(const std::vector<std::vector<std::string>>& rows) const {
    for (const std::string& text : aligned(rows)) line(text);
}

}  // namespace lifeboat::cli

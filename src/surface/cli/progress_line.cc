#include "surface/cli/progress_line.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "platform/base/size.h"

namespace lifeboat::cli {
namespace {

constexpr std::chrono::milliseconds frame_every{100};
constexpr std::chrono::seconds line_every{2};
constexpr std::chrono::milliseconds known_after{500};  ///< before that a rate is a guess

std::string amount(std::uint64_t value, std::string_view unit) {
    return unit == "bytes" ? human_size(value) : fmt::format("{}", value);
}

}  // namespace

std::string progress_text(std::string_view what, std::uint64_t done, std::uint64_t total,
                          std::string_view unit, Duration elapsed) {
    const double part = total == 0 ? 0 : std::min(1.0, double(done) / double(total));
    std::string text(what);
    if (total > 0) text += fmt::format("  {:>3}%", static_cast<int>(part * 100));
    text += "  " + amount(done, unit);
    if (total > 0) text += " of " + amount(total, unit);
    if (unit != "bytes") text += fmt::format(" {}", unit);
    if (elapsed < known_after || done == 0) return text;
    const double seconds = std::chrono::duration<double>(elapsed).count();
    if (unit == "bytes")
        text +=
            fmt::format(", {}/s", human_size(static_cast<std::uint64_t>(double(done) / seconds)));
    if (total > done) {
        const std::chrono::duration<double> rest(seconds * double(total - done) / double(done));
        text += ", about " + human_duration(std::chrono::duration_cast<Duration>(rest)) + " left";
    }
    return text;
}

ProgressLine::ProgressLine(const Output& output, const Clock& clock, std::string what)
    : output_(output), clock_(clock), what_(std::move(what)), began_(clock.monotonic()) {}

ProgressLine::~ProgressLine() {
    MutexLock lock(mutex_);
    if (!drawn_) return;
    (void)std::fputs("\r\x1b[K", stderr);
    (void)std::fflush(stderr);
}

void ProgressLine::update(std::uint64_t done, std::uint64_t total, std::string_view unit) {
    if (output_.json()) return;
    const Monotonic now = clock_.monotonic();
    MutexLock lock(mutex_);
    if (output_.live()) {
        if (drawn_ && now - told_ < frame_every) return;
        told_ = now;
        drawn_ = true;
        const std::string line =
            clip(progress_text(what_, done, total, unit, now - began_), terminal_size().width - 1);
        (void)std::fprintf(stderr, "\r\x1b[K%s", line.c_str());
        (void)std::fflush(stderr);
        return;
    }
    // What is over at once needs no telling.
    if (total == 0 || now - std::max(told_, began_) < line_every) return;
    const std::uint64_t tenth = std::min<std::uint64_t>(10, done * 10 / total);
    if (tenth <= tenth_) return;
    tenth_ = tenth;
    told_ = now;
    output_.note(progress_text(what_, done, total, unit, now - began_));
}

}  // namespace lifeboat::cli

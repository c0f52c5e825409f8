#include "platform/observe/log.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <utility>

#include "platform/codec/json.h"
#include "platform/observe/redact.h"
#include "platform/task/mutex.h"

namespace lifeboat::log {
namespace {

struct Settings {
    std::function<void(const Line&)> sink;
    const Clock* clock = nullptr;
};

struct Logger {
    std::atomic<Level> from{Level::warning};  // read on every call, without the lock
    Mutex mutex;
    std::shared_ptr<const Settings> settings GUARDED_BY(mutex);
};

Logger& logger() {
    static auto* const instance = new Logger;  // used by threads that outlive main's statics
    return *instance;
}

std::shared_ptr<const Settings> current_settings() {
    Logger& log = logger();
    const MutexLock lock(log.mutex);
    return log.settings;
}

/// In one call, so that lines of several threads and processes do not mix.
void put_line(std::string text) {
    text += '\n';
    std::string_view rest = text;
    while (!rest.empty()) {
        const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;  // Ignored: there is nowhere left to say so.
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
}

/// Without line breaks and control characters: a message must not forge a line or drive a terminal.
std::string one_line(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n') {
            out += "\\n";
        } else if (c == '\t') {
            out += ' ';
        } else if (byte < 0x20 || byte == 0x7f) {
            out += fmt::format("\\x{:02x}", byte);
        } else {
            out += c;
        }
    }
    return out;
}

}  // namespace

void configure(Level from, std::function<void(const Line&)> sink, const Clock& clock) {
    auto settings =
        std::make_shared<const Settings>(Settings{.sink = std::move(sink), .clock = &clock});
    Logger& log = logger();
    const MutexLock lock(log.mutex);
    log.settings = std::move(settings);
    log.from = from;
}

void write(Level level, std::string_view module, std::string_view message) {
    if (level < logger().from.load()) return;
    const std::shared_ptr<const Settings> settings = current_settings();
    if (settings == nullptr || settings->sink == nullptr) return;
    settings->sink({.at = settings->clock->now(),
                    .level = level,
                    .module = std::string(module),
                    .message = redact(message)});
}

std::string_view to_string(Level level) {
    switch (level) {
        case Level::debug:
            return "debug";
        case Level::info:
            return "info";
        case Level::warning:
            return "warning";
        case Level::error:
            return "error";
    }
    return "error";
}

std::string plain_text(const Line& line) {
    const auto second = std::chrono::floor<std::chrono::seconds>(line.at);
    const std::chrono::hh_mm_ss time(second - std::chrono::floor<std::chrono::days>(second));
    return fmt::format("{:02}:{:02}:{:02} {} {}: {}", time.hours().count(), time.minutes().count(),
                       time.seconds().count(), to_string(line.level), line.module,
                       one_line(line.message));
}

std::string json_text(const Line& line) {
    return dump({{"at", format_instant(line.at)},
                 {"level", to_string(line.level)},
                 {"module", line.module},
                 {"message", line.message}});
}

void to_standard_error(const Line& line) { put_line(plain_text(line)); }
void to_standard_error_json(const Line& line) { put_line(json_text(line)); }

}  // namespace lifeboat::log

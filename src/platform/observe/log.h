#pragma once
/// Structured log: one line a message on standard error, `--log-json` for machines. Redacted.
///
/// A log line tells about the program; what happened to the platform is in the journal.
/// Thread-safe.

#include <fmt/core.h>

#include <functional>
#include <string>
#include <string_view>

#include "platform/base/time.h"

namespace lifeboat::log {

enum class Level { debug, info, warning, error };

struct Line {
    Instant at;
    Level level;
    std::string module;
    std::string message;  ///< already redacted
};

/// Where lines go and from which level on. Set once at start; the default drops below `warning`.
void configure(Level from, std::function<void(const Line&)> sink, const Clock& clock);
void write(Level level, std::string_view module, std::string_view message);

template <class... T>
void debug(std::string_view module, fmt::format_string<T...> text, T&&... values) {
    write(Level::debug, module, fmt::format(text, std::forward<T>(values)...));
}
template <class... T>
void info(std::string_view module, fmt::format_string<T...> text, T&&... values) {
    write(Level::info, module, fmt::format(text, std::forward<T>(values)...));
}
template <class... T>
void warning(std::string_view module, fmt::format_string<T...> text, T&&... values) {
    write(Level::warning, module, fmt::format(text, std::forward<T>(values)...));
}
template <class... T>
void error(std::string_view module, fmt::format_string<T...> text, T&&... values) {
    write(Level::error, module, fmt::format(text, std::forward<T>(values)...));
}

}  // namespace lifeboat::log

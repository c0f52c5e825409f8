#pragma once
/// Structured log: one line a message on standard error, `--log-json` for machines. Redacted.
///
/// A message that spans lines is written with its line breaks escaped.
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
/// The sinks to configure with: one line on standard error, written in one piece.
void to_standard_error(const Line& line);       ///< for people
void to_standard_error_json(const Line& line);  ///< `--log-json`
std::string plain_text(const Line& line);  ///< "11:06:43 warning vault: message", no line break
std::string json_text(const Line& line);   ///< one object: at, level, module, message
std::string_view to_string(Level level);

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

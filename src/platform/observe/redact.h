#pragma once
/// The one place that keeps secrets out of what people and files see.
///
/// Every resolved secret is registered here; everything that leaves (log, journal payloads, errors,
/// `--json`, output of steps) passes redact(). Passwords inside URLs are masked even when nobody
/// registered them. Thread-safe.

#include <string>
#include <string_view>

namespace lifeboat {

/// From now on `value` is replaced by "‹secret›" wherever it appears, also URL-, base64- and
/// JSON-escaped. Values shorter than 4 characters are refused by the plan, and ignored here.
void register_secret(std::string_view value);
std::string redact(std::string_view text);

}  // namespace lifeboat

#pragma once
/// JSON values: nlohmann's ordered_json under one name, non-throwing parsing, canonical text.
///
/// Only this header and the sources see the library. Objects keep insertion order, so that what
/// people read comes in the order in which it was written; dump_canonical is for hashes.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "platform/base/result.h"
#include "platform/base/time.h"

namespace lifeboat {

using Json = nlohmann::ordered_json;

/// Errors: invalid (with line and column), also for invalid UTF-8 and nesting deeper than 100.
Result<Json> parse_json(std::string_view text);
/// One line, UTF-8; invalid bytes are replaced, never thrown.
std::string dump(const Json& value);
/// Indented by two, for people.
std::string dump_pretty(const Json& value);
/// One line with sorted keys: equal values have equal text. What hashes and signatures cover.
std::string dump_canonical(const Json& value);

/// Typed access to a member of an object. Errors: corrupt (absent or of another type), naming
/// `key`.
Result<std::string> get_string(const Json& object, std::string_view key);
Result<std::int64_t> get_integer(const Json& object, std::string_view key);
Result<std::uint64_t> get_unsigned(const Json& object, std::string_view key);
Result<bool> get_bool(const Json& object, std::string_view key);
Result<Instant> get_instant(const Json& object, std::string_view key);
/// The member, or `fallback` when it is absent or of another type.
std::string string_or(const Json& object, std::string_view key, std::string fallback);
std::int64_t integer_or(const Json& object, std::string_view key, std::int64_t fallback);
bool bool_or(const Json& object, std::string_view key, bool fallback);

Json to_json(const Error& error);          ///< {"kind", "message", "hint"}
Error error_from_json(const Json& value);  ///< reads what to_json wrote; tolerant

}  // namespace lifeboat

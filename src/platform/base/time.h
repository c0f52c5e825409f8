#pragma once
/// Time as values: durations and instants with microseconds, their text forms, and the Clock
/// interface.
///
/// Instants are UTC. Text of an instant is RFC 3339 with `Z`; text of a duration is what people
/// write in a plan (`15m`, `1h30m`, `250ms`). Nothing here reads a clock: Clock is an interface.

#include <chrono>
#include <string>
#include <string_view>

#include "platform/base/result.h"

namespace lifeboat {

using Duration = std::chrono::microseconds;
using Instant = std::chrono::sys_time<Duration>;                    ///< wall time, UTC
using Monotonic = std::chrono::duration<std::int64_t, std::micro>;  ///< since an arbitrary start

/// The only source of time. Wall time may jump; monotonic time never goes back.
/// Thread-safe.
class Clock {
public:
    virtual ~Clock() = default;
    virtual Instant now() const = 0;
    virtual Monotonic monotonic() const = 0;
};

/// Parses `90s`, `15m`, `1h30m`, `1.5h`, `30d`, `2w`, `250ms`, `0`. Units: us ms s m h d w.
/// Errors: invalid (empty, unknown unit, negative, above 100 years).
Result<Duration> parse_duration(std::string_view text);
/// The shortest exact text that parse_duration reads back, e.g. "1h30m", "250ms", "0s".
std::string format_duration(Duration duration);
/// For people: at most two units, rounded: "4m10s", "12 days" is "12d", "850ms", "3.2s".
std::string human_duration(Duration duration);

/// Parses RFC 3339 (`2025-12-04T02:00:00Z`, `+01:00` offsets, a fraction, a space for `T`), or a
/// date. Errors: invalid.
Result<Instant> parse_instant(std::string_view text);
/// "2025-12-04T02:00:00.123456Z"; the fraction is left out when zero.
std::string format_instant(Instant instant);

}  // namespace lifeboat

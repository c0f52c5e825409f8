#include "core/schedule/every.h"

#include <algorithm>

namespace lifeboat::schedule {
namespace {

constexpr Duration retry_first = std::chrono::seconds(5);
constexpr Duration every_least = std::chrono::seconds(1);  // `every: 0` must not spin

}  // namespace

Due next_due(std::optional<Instant> last, Duration every, Instant now) {
    if (!last) return {.at = now, .missed = 0};
    every = std::max(every, every_least);
    if (*last >= now) return {.at = now + every, .missed = 0};
    const Duration passed = now - *last;
    if (passed < every) return {.at = *last + every, .missed = 0};
    // The interval that ends now is due; those before it were missed. Due times stay anchored to
    // the last run, so that the next one is not pushed back by how late this one begins.
    const auto whole = passed / every;
    return {.at = *last + every * whole,
            .missed = static_cast<unsigned>(std::min<std::int64_t>(whole - 1, 1'000'000))};
}

Duration retry_after(unsigned failures, Duration every) {
    every = std::max(every, every_least);
    Duration wait = retry_first;
    for (unsigned i = 1; i < failures && wait < every; ++i) wait *= 2;
    return std::min(wait, every);
}

}  // namespace lifeboat::schedule

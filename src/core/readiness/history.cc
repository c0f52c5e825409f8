#include "core/readiness/history.h"

#include <algorithm>

namespace lifeboat::readiness {
namespace {

/// What a few samples cannot rule out: the fewer, the wider.
constexpr double thin_slack = 0.5;

Duration at_rank(const std::vector<Duration>& sorted, unsigned percent) {
    const std::size_t rank = (sorted.size() * percent + 99) / 100;
    return sorted[std::max<std::size_t>(rank, 1) - 1];
}

Duration scaled(Duration value, double factor) {
    return Duration(static_cast<std::int64_t>(static_cast<double>(value.count()) * factor));
}

}  // namespace

std::string_view to_string(Basis basis) {
    switch (basis) {
        case Basis::measured:
            return "measured";
        case Basis::estimate:
            return "estimate";
        case Basis::assumed:
            break;
    }
    return "assumed";
}

Spread spread_of(std::vector<Duration> samples) {
    std::ranges::sort(samples);
    Spread spread{.p5 = at_rank(samples, 5),
                  .p50 = at_rank(samples, 50),
                  .p95 = at_rank(samples, 95),
                  .basis = Basis::measured,
                  .samples = samples.size()};
    if (samples.size() < enough_samples) {
        const double slack = thin_slack / static_cast<double>(samples.size());
        spread.p5 = scaled(spread.p5, 1.0 - slack);
        spread.p95 = scaled(spread.p95, 1.0 + slack);
    }
    return spread;
}

Spread measured_or(const std::vector<Duration>* samples, Spread own) {
    if (samples == nullptr || samples->empty()) return own;
    const Spread measured = spread_of(*samples);
    if (measured.samples >= enough_samples || measured.p95 >= own.p95) return measured;
    own.p5 = std::min(own.p5, measured.p5);
    own.samples = measured.samples;
    return own;
}

}  // namespace lifeboat::readiness

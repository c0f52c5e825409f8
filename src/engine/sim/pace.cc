#include "engine/sim/pace.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace lifeboat::engine::sim {
namespace {

using readiness::Basis;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr double quantile_95 = 1.6449;  // of the normal distribution
// The slowest of twenty: three times an estimate, five times what is merely assumed.
constexpr int tail_of_estimate = 3;
constexpr int tail_of_assumption = 5;
constexpr Duration longest = std::chrono::hours(24 * 30);

struct Usual {
    std::string_view verb;
    Duration time;
};
/// What a verb takes where nobody says more.
constexpr std::array<Usual, 12> usual_times{{
    {"restore", minutes(15)},
    {"provision", minutes(20)},
    {"deploy", minutes(5)},
    {"monitor", minutes(5)},
    {"start", minutes(2)},
    {"repoint", minutes(2)},
    {"redirect", minutes(2)},
    {"verify", minutes(2)},
    {"smoke", minutes(2)},
    {"wait", minutes(2)},
    {"rebuild-protection", minutes(5)},
    {"notify", seconds(5)},
}};

Duration usual_time(std::string_view verb) {
    const auto found = std::ranges::find(usual_times, verb, &Usual::verb);
    return found == usual_times.end() ? Duration(minutes(1)) : found->time;
}

double normal(Chance& chance) {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - chance.unit()));
    return radius * std::cos(2.0 * std::numbers::pi * chance.unit());
}

}  // namespace

Pace Pace::around(Duration median, Duration p95, Basis basis) {
    Pace pace;
    pace.median_ = median;
    pace.basis_ = basis;
    const auto ratio = static_cast<double>(p95.count()) /
                       static_cast<double>(std::max<std::int64_t>(median.count(), 1));
    pace.sigma_ = ratio > 1.0 ? std::log(ratio) / quantile_95 : 0.0;
    return pace;
}

Pace Pace::measured(const std::vector<Duration>& samples) {
    const readiness::Spread spread = readiness::spread_of(samples);
    Pace pace = around(spread.p50, std::max(spread.p95, spread.p50 * 2), Basis::measured);
    if (samples.size() >= readiness::enough_samples) pace.samples_ = samples;
    return pace;
}

Pace Pace::of_step(const runbook::Node& node, const readiness::History& history,
                   std::string_view own_site) {
    const std::string site = node.site == own_site ? std::string() : node.site;
    if (const auto* samples =
            history.find({.verb = node.verb, .component = node.component, .site = site});
        samples != nullptr && !samples->empty())
        return measured(*samples);
    // Whoever watches for a while stops when the while is over.
    if (node.verb == "monitor") {
        const Duration watched =
            node.estimate > Duration::zero() ? node.estimate : usual_time(node.verb);
        return around(watched, watched,
                      node.estimate > Duration::zero() ? Basis::estimate : Basis::assumed);
    }
    if (node.estimate > Duration::zero())
        return around(node.estimate, node.estimate * tail_of_estimate, Basis::estimate);
    const Duration usual = usual_time(node.verb);
    return around(usual, usual * tail_of_assumption);
}

Duration Pace::draw(Chance& chance) const {
    if (!samples_.empty()) {
        const Duration sample = samples_[chance.below(samples_.size())];
        return Duration(static_cast<std::int64_t>(static_cast<double>(sample.count()) *
                                                  (0.9 + 0.2 * chance.unit())));
    }
    const double factor = std::exp(sigma_ * normal(chance));
    const double drawn = static_cast<double>(median_.count()) * factor;
    return Duration(
        static_cast<std::int64_t>(std::min(drawn, static_cast<double>(longest.count()))));
}

}  // namespace lifeboat::engine::sim

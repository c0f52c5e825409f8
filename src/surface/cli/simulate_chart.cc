#include "surface/cli/simulate_chart.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <vector>

namespace lifeboat::cli {
namespace {

namespace sim = engine::sim;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr double width = 720, height = 150;
constexpr double left = 26, right = 608;            // of the axis
constexpr double top = 30, bottom = 122;            // of the bars; above them the limit's label
constexpr double never_from = 648, never_to = 700;  // those that never came back
constexpr double label_line = 18, tick_line = 144;  // where text stands
constexpr double bar_width = (right - left) / 64;
constexpr double clear = 0.7;  // between two bars

struct Tick {
    Duration at;
    const char* text;
    bool minor;  ///< left out where there is little room
};
constexpr std::array<Tick, 12> ticks{{{seconds(1), "1s", false},
                                      {seconds(10), "10s", false},
                                      {minutes(1), "1m", false},
                                      {minutes(5), "5m", true},
                                      {minutes(15), "15m", false},
                                      {hours(1), "1h", false},
                                      {hours(4), "4h", false},
                                      {hours(12), "12h", true},
                                      {hours(48), "2d", false},
                                      {hours(24 * 7), "7d", true},
                                      {hours(24 * 28), "28d", false},
                                      {hours(24 * 365), "1y", false}}};

double doublings(Duration value) {
    return std::log2(static_cast<double>(std::max<std::int64_t>(value.count(), 1)));
}

double place_of(const TimeAxis& axis, Duration value) {
    const double share =
        (doublings(value) - doublings(axis.least)) / (doublings(axis.most) - doublings(axis.least));
    return left + std::clamp(share, 0.0, 1.0) * (right - left);
}

Duration value_at(const TimeAxis& axis, double place) {
    const double share = (place - left) / (right - left);
    const double ratio =
        static_cast<double>(axis.most.count()) / static_cast<double>(axis.least.count());
    return Duration(static_cast<std::int64_t>(static_cast<double>(axis.least.count()) *
                                              std::pow(ratio, share)));
}

struct Bar {
    double from = 0, to = 0;
    std::uint64_t count = 0;
    bool inside = false;
};

/// Where values are kept too coarsely to tell on which side of the limit they lie, the tally knows.
void settle(std::vector<Bar>& bars, const sim::GoalTally& tally) {
    std::uint64_t inside = 0;
    for (const Bar& bar : bars) inside += bar.inside ? bar.count : 0;
    const auto beyond = std::ranges::find(bars, false, &Bar::inside);
    if (beyond == bars.begin() || beyond == bars.end()) return;
    Bar& last = *std::prev(beyond);
    if (inside < tally.inside) {
        const std::uint64_t moved = std::min(beyond->count, tally.inside - inside);
        beyond->count -= moved;
        last.count += moved;
    } else {
        const std::uint64_t moved = std::min(last.count, inside - tally.inside);
        last.count -= moved;
        beyond->count += moved;
    }
}

/// Edges lie at the limit and whole bars from it, so that no bar is on both of its sides.
std::vector<Bar> bars_of(const TimeAxis& axis, const sim::Goal& goal, const sim::GoalTally& tally) {
    const double limit = place_of(axis, goal.limit);
    std::vector<double> edges{left};
    const double first = limit - bar_width * std::floor((limit - left) / bar_width);
    for (std::size_t i = 0; first + bar_width * static_cast<double>(i) < right - clear; ++i)
        if (const double edge = first + bar_width * static_cast<double>(i); edge > left + clear)
            edges.push_back(edge);
    edges.push_back(right);
    std::vector<Bar> bars;
    for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
        const Duration begin = i == 0 ? Duration::zero() : value_at(axis, edges[i]);
        const Duration end =
            i + 2 == edges.size() ? Duration(axis.most * 100) : value_at(axis, edges[i + 1]);
        bars.push_back(
            {edges[i], edges[i + 1], tally.values.between(begin, end), edges[i] < limit - clear});
    }
    settle(bars, tally);
    std::erase_if(bars, [](const Bar& bar) { return bar.count == 0; });
    return bars;
}

double share_of(const Bar& bar, const sim::GoalTally& tally) {
    return static_cast<double>(bar.count) / static_cast<double>(tally.trials);
}

std::string_view anchor_at(double x) {
    if (x < left + 40) return "start";
    return x > right - 40 ? "end" : "middle";
}

std::string axis_of(const TimeAxis& axis) {
    std::string out = fmt::format(R"(<line class="axis" x1="{}" y1="{}" x2="{}" y2="{}"/>)", left,
                                  bottom, right, bottom);
    for (const Tick& tick : ticks) {
        if (tick.at < axis.least || tick.at > axis.most) continue;
        const double x = place_of(axis, tick.at);
        const bool end = tick.at == axis.least || tick.at == axis.most;
        out += fmt::format(
            R"(<line class="grid" x1="{0:.1f}" y1="{1}" x2="{0:.1f}" y2="{2}"/>)"
            R"(<text class="{3}" x="{0:.1f}" y="{4}" text-anchor="middle">{5}</text>)",
            x, top, bottom + 5, tick.minor && !end ? "minor" : "tick", tick_line, tick.text);
    }
    return out;
}

std::string never_of(const sim::Goal& goal, const sim::GoalTally& tally) {
    const double share = static_cast<double>(tally.never) / static_cast<double>(tally.trials);
    const double tall = tally.never == 0 ? 0 : std::max(1.5, (bottom - top) * share);
    std::string out =
        fmt::format(R"(<line class="axis" x1="{0}" y1="{2}" x2="{1}" y2="{2}"/>)"
                    R"(<text class="tick" x="{3}" y="{4}" text-anchor="middle">{5}</text>)",
                    never_from - 8, never_to + 8, bottom, (never_from + never_to) / 2, tick_line,
                    goal.loss ? "all lost" : "never");
    if (tally.never == 0) return out;
    out += fmt::format(
        R"(<rect class="never" x="{}" y="{:.1f}" width="{}" height="{:.1f}"/>)"
        R"(<text class="never-text" x="{}" y="{:.1f}" text-anchor="middle">{:.{}f} %</text>)",
        never_from, bottom - tall, never_to - never_from, tall, (never_from + never_to) / 2,
        std::max(label_line, bottom - tall - 6), 100 * share, share < 0.0995 ? 1 : 0);
    return out;
}

}  // namespace

std::string html_escaped(std::string_view text) {
    std::string out;
    for (const char c : text) switch (c) {
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '&':
                out += "&amp;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += c;
        }
    return out;
}

void widen(TimeAxis& axis, const sim::Goal& goal, const sim::GoalTally& tally) {
    Duration low = goal.limit / 3, high = goal.limit * 3;
    if (const std::uint64_t count = tally.values.count(); count > 0) {
        low = std::min(low, tally.values.at_rank(std::max<std::uint64_t>(1, count / 100)));
        high = std::max(high, tally.values.at_rank(count - count / 200));
    }
    Duration from = ticks.front().at, to = ticks.back().at;
    for (const Tick& tick : ticks)
        if (tick.at <= low && tick.at < ticks.back().at) from = tick.at;
    for (auto tick = ticks.rbegin(); tick != ticks.rend(); ++tick)
        if (tick->at >= high && tick->at > from) to = tick->at;
    axis.least = axis.least == Duration::zero() ? from : std::min(axis.least, from);
    axis.most = std::max(axis.most, to);
    axis.has_never = axis.has_never || tally.never > 0;
}

void raise(TimeAxis& axis, const sim::Goal& goal, const sim::GoalTally& tally) {
    if (tally.trials == 0) return;
    for (const Bar& bar : bars_of(axis, goal, tally))
        axis.tallest = std::max(axis.tallest, share_of(bar, tally));
}

std::string draw_distribution(const TimeAxis& axis, const sim::Goal& goal,
                              const sim::GoalTally& tally, std::string_view label) {
    std::string out =
        fmt::format(R"(<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">)", width,
                    height, html_escaped(label));
    out += axis_of(axis);
    const double scale = axis.tallest > 0 ? (bottom - top) / axis.tallest : 0;
    for (const Bar& bar : bars_of(axis, goal, tally)) {
        const double tall = std::max(1.0, scale * share_of(bar, tally));
        out += fmt::format(
            R"(<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>)",
            bar.inside ? "inside" : "outside", bar.from + clear / 2, bottom - tall,
            std::max(0.4, bar.to - bar.from - clear), tall);
    }
    if (axis.has_never) out += never_of(goal, tally);
    const double limit = place_of(axis, goal.limit);
    out += fmt::format(
        R"(<line class="limit" x1="{0:.1f}" y1="{1}" x2="{0:.1f}" y2="{2}"/>)"
        R"(<text class="limit-text" x="{0:.1f}" y="{3}" text-anchor="{4}">limit {5}</text></svg>)",
        limit, label_line + 6, bottom, label_line, anchor_at(limit), human_duration(goal.limit));
    return out;
}

std::string draw_share(double share, std::string_view style) {
    return fmt::format(
        R"(<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">)"
        R"(<rect class="frame" x="0" y="0" width="100" height="10"/>)"
        R"(<rect class="{}" x="0" y="0" width="{:.1f}" height="10"/></svg>)",
        style, 100 * std::clamp(share, 0.0, 1.0));
}

}  // namespace lifeboat::cli

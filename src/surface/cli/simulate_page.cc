#include "surface/cli/simulate_page.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace lifeboat::cli {
namespace {

namespace sim = engine::sim;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// The picture of one objective: time grows to the right, each doubling as wide as the last.
constexpr double left = 8, right = 620, top = 14, bottom = 96;
constexpr double never_from = 640, never_to = 700;
constexpr double width = 712, height = 122;
constexpr Duration least = seconds(5);
constexpr Duration most = hours(24 * 30);
constexpr std::size_t bars = 102;

struct Tick {
    Duration at;
    const char* text;
};
constexpr std::array<Tick, 10> ticks{{{seconds(10), "10s"},
                                      {minutes(1), "1m"},
                                      {minutes(5), "5m"},
                                      {minutes(15), "15m"},
                                      {hours(1), "1h"},
                                      {hours(4), "4h"},
                                      {hours(12), "12h"},
                                      {hours(48), "2d"},
                                      {hours(24 * 7), "7d"},
                                      {hours(24 * 28), "28d"}}};

constexpr std::string_view style = R"(
:root{color-scheme:light dark;--ink:#1b1f24;--faint:#68737d;--line:#d7dce0;--ground:#fff;
--inside:#2f9e6e;--outside:#d9623b;--never:#8f2d2d;--limit:#1f5fbf}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--faint:#98a2ab;--line:#3a4147;
--ground:#16191c;--inside:#4cc38a;--outside:#f0835c;--never:#d05c5c;--limit:#79aefc}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground);max-width:62rem;
margin:2rem auto;padding:0 1rem}h1{font-size:1.4rem}h2{font-size:1.05rem;margin:2rem 0 .2rem}
p,.faint{color:var(--faint);margin:.2rem 0}
table{border-collapse:collapse;margin:.6rem 0;font-size:.9rem}
td,th{padding:.15rem .8rem .15rem 0;text-align:left;border-bottom:1px solid var(--line)}
svg{width:100%;max-width:712px;height:auto;display:block}svg text{font:10px system-ui,sans-serif;
fill:var(--faint)}.inside{fill:var(--inside)}.outside{fill:var(--outside)}.never{fill:var(--never)}
.limit{stroke:var(--limit);stroke-width:1.5;stroke-dasharray:4 2}.axis{stroke:var(--line)}
svg .limit-text{fill:var(--limit);font-weight:600}
)";

std::string escaped(std::string_view text) {
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

double place_of(Duration value) {
    const auto number = [](Duration d) { return std::log2(static_cast<double>(d.count())); };
    const double share =
        (number(std::clamp(value, least, most)) - number(least)) / (number(most) - number(least));
    return left + share * (right - left);
}

Duration value_at(double place) {
    const double share = (place - left) / (right - left);
    const double ratio = static_cast<double>(most.count()) / static_cast<double>(least.count());
    return Duration(
        static_cast<std::int64_t>(static_cast<double>(least.count()) * std::pow(ratio, share)));
}

void draw_axis(std::string& out) {
    out += fmt::format(R"(<line class="axis" x1="{}" y1="{}" x2="{}" y2="{}"/>)", left, bottom,
                       never_to, bottom);
    for (const Tick& tick : ticks)
        out += fmt::format(R"(<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>)",
                           place_of(tick.at), bottom + 13, tick.text);
}

void draw_bars(std::string& out, const sim::Goal& goal, const sim::GoalTally& tally) {
    const double bar = (right - left) / static_cast<double>(bars);
    std::array<std::uint64_t, bars> counts{};
    std::uint64_t highest = 1;
    for (std::size_t i = 0; i < bars; ++i) {
        const double from = left + bar * static_cast<double>(i);
        // The ends take what lies beyond them.
        const Duration begin = i == 0 ? Duration::zero() : value_at(from);
        const Duration end = i + 1 == bars ? Duration(most * 100) : value_at(from + bar);
        counts[i] = tally.values.between(begin, end);
        highest = std::max(highest, counts[i]);
    }
    const double scale = (bottom - top) / static_cast<double>(highest);
    for (std::size_t i = 0; i < bars; ++i) {
        if (counts[i] == 0) continue;
        const double x = left + bar * static_cast<double>(i);
        const double tall = std::max(0.8, scale * static_cast<double>(counts[i]));
        out += fmt::format(
            R"(<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>)",
            value_at(x + bar / 2) <= goal.limit ? "inside" : "outside", x, bottom - tall, bar - 0.6,
            tall);
    }
    if (tally.never == 0) return;
    // Beside the bars, by its share of all: full height is every time.
    const double share = static_cast<double>(tally.never) / static_cast<double>(tally.trials);
    const double tall = std::max(0.8, (bottom - top) * share);
    out += fmt::format(R"(<rect class="never" x="{}" y="{:.1f}" width="{}" height="{:.1f}"/>)"
                       R"(<text x="{}" y="{}" text-anchor="middle">{} {}</text>)",
                       never_from, bottom - tall, never_to - never_from, tall,
                       (never_from + never_to) / 2, bottom + 13, goal.loss ? "all lost" : "never",
                       share_text(tally.never, tally.trials));
}

void draw_goal(std::string& out, const sim::Stage& stage, const sim::Goal& goal,
               const sim::GoalTally& tally) {
    out += fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}: {} inside">)", width,
                       height, escaped(stage.title(goal)), share_text(tally.inside, tally.trials));
    draw_axis(out);
    draw_bars(out, goal, tally);
    const double limit = place_of(goal.limit);
    out += fmt::format(
        R"(<line class="limit" x1="{0:.1f}" y1="{1}" x2="{0:.1f}" y2="{2}"/>)"
        R"(<text class="limit-text" x="{3:.1f}" y="{4}" text-anchor="{5}">{6}</text></svg>)",
        limit, top - 4, bottom, limit > 400 ? limit - 4 : limit + 4, top,
        limit > 400 ? "end" : "start", human_duration(goal.limit));
}

void describe(std::string& out, const sim::Goal& goal, const sim::GoalTally& tally,
              const std::string& name) {
    if (tally.trials == 0) {
        out += fmt::format("<p>{}: no disaster concerns it</p>\n", escaped(name));
        return;
    }
    const auto text = [&](double percent) {
        return duration_or_never(tally.percentile(percent), goal.loss);
    };
    out += fmt::format(
        "<p>{}: <b>{} inside</b> · half within {}, 95 % within {}, 99 % within {}, worst {}</p>\n",
        escaped(name), share_text(tally.inside, tally.trials), text(50), text(95), text(99),
        text(100));
}

void add_goals(std::string& out, const std::vector<Simulated>& plans) {
    const sim::Stage& first = plans.front().tally->stage();
    for (std::size_t i = 0; i < first.goals().size(); ++i) {
        const sim::Goal& goal = first.goals()[i];
        out += fmt::format("<h2>{}</h2>\n", escaped(first.title(goal)));
        for (const Simulated& plan : plans) {
            const sim::Stage& stage = plan.tally->stage();
            const auto& goals = stage.goals();
            const auto found = std::ranges::find_if(goals, [&](const sim::Goal& one) {
                return one.name == goal.name && one.loss == goal.loss;
            });
            if (found == goals.end()) continue;
            const auto tally = plan.tally->of_all(static_cast<std::size_t>(found - goals.begin()));
            describe(out, *found, tally, plan.name);
            if (tally.trials > 0) draw_goal(out, stage, *found, tally);
            out += '\n';
        }
    }
}

void add_disasters(std::string& out, const Simulated& plan) {
    const sim::Stage& stage = plan.tally->stage();
    out +=
        fmt::format("<h2>Where it goes wrong: {}</h2>\n<table><tr><th>disaster</th><th>share</th>",
                    escaped(plan.name));
    for (const sim::Goal& goal : stage.goals())
        out += fmt::format("<th>{}</th>", escaped(stage.title(goal)));
    out += "</tr>\n";
    for (std::size_t a = 0; a < stage.acts().size(); ++a) {
        const sim::ActTally& act = plan.tally->acts()[a];
        out += fmt::format("<tr><td>{}</td><td>{}</td>", escaped(stage.acts()[a].name),
                           share_text(act.trials, plan.tally->trials()));
        for (const sim::GoalTally& goal : act.goals)
            out += fmt::format("<td>{}</td>",
                               goal.trials == 0 ? "·" : share_text(goal.inside, goal.trials));
        out += "</tr>\n";
    }
    out += "</table>\n";
}

void add_worst(std::string& out, const Simulated& plan, const SimulatedRuns& runs) {
    if (plan.tally->worst().empty()) return;
    const sim::Stage& stage = plan.tally->stage();
    out += fmt::format(
        "<h2>The worst: {}</h2>\n<table><tr><th>seed</th><th>disaster</th><th>objective</th>"
        "<th>came to</th></tr>\n",
        escaped(plan.name));
    for (const sim::Worst& one : plan.tally->worst()) {
        const sim::Goal& goal = stage.goals()[one.goal];
        const auto value = one.never ? std::nullopt : std::optional(one.value);
        out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", one.seed,
                           escaped(stage.acts()[one.act].name), escaped(stage.title(goal)),
                           duration_or_never(value, goal.loss));
    }
    out += fmt::format("</table>\n<p><code>{} --explain {}</code> tells one as a story.</p>\n",
                       escaped(runs.again), plan.tally->worst().front().seed);
}

}  // namespace

std::string simulated_page(const std::vector<Simulated>& plans, const SimulatedRuns& runs) {
    const sim::Tally& first = *plans.front().tally;
    std::string out = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>"
        "<meta name=\"viewport\" content=\"width=device-width\"/>"
        "<title>{0}: {1} simulated disasters</title>\n<style>{2}</style></head><body>\n"
        "<h1>{0}: {1} simulated disasters</h1>\n"
        "<p>Seeds from {3}. Nothing here was measured in a real disaster: it is what the plan "
        "leads "
        "to when its steps take as long as they were measured, declared or assumed to take.</p>\n",
        escaped(first.stage().plan().name), first.trials(), style, runs.seed);
    for (const std::string& line : first.stage().assumptions())
        out += fmt::format("<p>{}</p>\n", escaped(line));
    add_goals(out, plans);
    for (const Simulated& plan : plans) add_disasters(out, plan);
    for (const Simulated& plan : plans) add_worst(out, plan, runs);
    out += "</body></html>\n";
    return out;
}

}  // namespace lifeboat::cli

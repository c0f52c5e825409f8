#include "surface/cli/simulate_page.h"

#include <fmt/core.h>

#include <algorithm>

#include "surface/cli/simulate_chart.h"
#include "surface/cli/simulate_style.h"

namespace lifeboat::cli {
namespace {

namespace sim = engine::sim;

constexpr std::size_t steps_shown = 8;
constexpr std::size_t date_size = 10;  // of "2025-12-04T02:00:00Z"
constexpr std::uint64_t runs_enough = 1000;
constexpr double kept_well = 0.95;
constexpr double kept_half = 0.5;

/// What one objective came to in one plan.
struct Kept {
    std::size_t plan = 0;
    const sim::Goal* goal = nullptr;
    sim::GoalTally tally;
    bool was_tried = false;  ///< there were disasters at all
};

/// By objective, in the order of the plans: those plans that have it.
std::vector<std::vector<Kept>> kept_by_goal(const std::vector<Simulated>& plans) {
    std::vector<std::vector<Kept>> all;
    for (const std::string& name : goal_names(plans)) {
        std::vector<Kept>& rows = all.emplace_back();
        for (std::size_t p = 0; p < plans.size(); ++p) {
            const sim::Tally& tally = *plans[p].tally;
            if (const auto found = find_goal(tally.stage(), name))
                rows.push_back(
                    {p, &tally.stage().goals()[*found], tally.of_all(*found), tally.trials() > 0});
        }
    }
    return all;
}

std::string tag(std::size_t plan) {
    return fmt::format("<b class=\"tag\">{}</b>", letter_of(plan));
}

/// The letter of a plan and its name; nothing where there is only one.
std::string heading_of(const std::vector<Simulated>& plans, std::size_t plan) {
    if (plans.size() == 1) return {};
    return fmt::format("<h3>{} {}</h3>\n", tag(plan), html_escaped(plans[plan].name));
}

/// A mark that says without colour what the share means.
std::string_view mark_of(const sim::GoalTally& tally) {
    if (tally.share_inside() >= kept_well) return "●";
    return tally.share_inside() >= kept_half ? "◐" : "○";
}

std::string cell(std::string_view label, std::string_view text, std::string_view style = "number") {
    return fmt::format("<td class=\"{}\" data-label=\"{}\"><span>{}</span></td>", style, label,
                       text);
}

void add_head(std::string& out, const std::vector<Simulated>& plans, const SimulatedRuns& runs) {
    const sim::Tally& first = *plans.front().tally;
    const std::string plan = html_escaped(first.stage().plan().name);
    const std::string count = fmt::format("{} simulated disaster{}", grouped(first.trials()),
                                          first.trials() == 1 ? "" : "s");
    out += fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
        "<title>{0}: {1}</title>\n<style>{2}</style></head>\n<body>\n"
        "<header><h1>{0}: {1}</h1>\n",
        plan, count, simulate_style);
    out += fmt::format("<p class=\"soft\">Seeds from {}, simulated on {}.</p>\n", runs.seed,
                       format_instant(runs.at).substr(0, date_size));
    out += "<ul class=\"plans\">\n";
    for (std::size_t p = 0; p < plans.size(); ++p) {
        const std::uint64_t done = plans[p].tally->trials();
        out += fmt::format("<li>{} <code>{}</code>{}</li>\n", plans.size() > 1 ? tag(p) : "Plan",
                           html_escaped(plans[p].name),
                           done < runs.asked
                               ? fmt::format(" <span class=\"bad\">interrupted: {} of {} disasters"
                                             "</span>",
                                             grouped(done), grouped(runs.asked))
                               : "");
    }
    out += "</ul></header>\n<main>\n";
}

/// The page in one sentence for each plan.
void add_verdict(std::string& out, const std::vector<Simulated>& plans,
                 const std::vector<std::vector<Kept>>& goals) {
    out += "<div class=\"verdict\">\n";
    for (std::size_t p = 0; p < plans.size(); ++p) {
        std::size_t concerned = 0, well = 0, seldom = 0;
        for (const auto& rows : goals)
            for (const Kept& row : rows) {
                if (row.plan != p || row.tally.trials == 0) continue;
                ++concerned;
                well += row.tally.share_inside() >= kept_well ? 1U : 0U;
                seldom += row.tally.share_inside() < kept_half ? 1U : 0U;
            }
        out += fmt::format("<p>{}", plans.size() > 1 ? tag(p) + " " : "");
        if (concerned == 0)
            out += "No disaster was simulated that concerns an objective of it.</p>\n";
        else
            out += fmt::format(
                "Of {} objectives, <b>{} inside {} limit in at least 95 % of the disasters</b> "
                "that concern {}; {} in less than half of them.</p>\n",
                concerned,
                well == 0   ? "none stays"
                : well == 1 ? "1 stays"
                            : fmt::format("{} stay", well),
                well > 1 ? "their" : "its", well > 1 ? "them" : "it", seldom);
    }
    const Simulated& least =
        std::ranges::min(plans, {}, [](const Simulated& one) { return one.tally->trials(); });
    if (least.tally->trials() < runs_enough)
        out += fmt::format(
            "<p class=\"bad\">Few disasters were simulated ({}): the shares are "
            "rough.</p>\n",
            grouped(least.tally->trials()));
    out +=
        "<p class=\"soft\">Simulated, not proven: what the plan leads to when steps take as long "
        "as they were measured, estimated or assumed to take.</p></div>\n";
}

/// Against the first plan that has the objective, in points of a hundred.
std::string change_text(const std::vector<Kept>& rows, const Kept& row) {
    const Kept& base = rows.front();
    if (&row == &base || row.tally.trials == 0 || base.tally.trials == 0) return {};
    const double points = 100 * (row.tally.share_inside() - base.tally.share_inside());
    const char* sign = points >= 0.05 ? "▲ +" : points <= -0.05 ? "▼ −" : "± ";
    return fmt::format("{}{:.1f}{}", sign, std::abs(points),
                       row.goal->limit != base.goal->limit ? " *" : "");
}

void add_summary_row(std::string& out, const std::vector<Kept>& rows, const Kept& row,
                     bool several) {
    const sim::GoalTally& tally = row.tally;
    if (several) out += cell("plan", tag(row.plan));
    out += cell("limit", human_duration(row.goal->limit));
    if (tally.trials == 0) {
        out += cell("inside", row.was_tried ? "<span class=\"soft\">not concerned</span>"
                                            : "<span class=\"soft\">not simulated</span>");
        out += fmt::format("<td></td>{}<td></td><td></td>", several ? "<td></td>" : "");
        return;
    }
    const bool loss = row.goal->loss;
    out += cell("inside", fmt::format("{} <b>{}</b>", mark_of(tally),
                                      share_text(tally.inside, tally.trials)));
    out += fmt::format("<td>{}</td>", draw_share(tally.share_inside(), "inside"));
    if (several) {
        const std::string change = change_text(rows, row);
        out += change.empty() ? "<td></td>" : cell("change", change);
    }
    out += cell("half (p50)", duration_or_never(tally.percentile(50), loss));
    out += cell("95 % (p95)", duration_or_never(tally.percentile(95), loss));
}

void add_summary(std::string& out, const std::vector<Simulated>& plans,
                 const std::vector<std::vector<Kept>>& goals) {
    const bool several = plans.size() > 1;
    out +=
        "<section><h2>Objectives</h2>\n"
        "<p class=\"soft\">RTO: how long until it is back. RPO: how much data is lost. Inside: "
        "the share of the disasters concerning it that stayed within the limit: ● at least "
        "95 %, ◐ at least half, ○ less.</p>\n"
        "<table class=\"rows\"><thead><tr><th>objective</th>";
    out += several ? "<th>plan</th>" : "";
    out += "<th>limit</th><th>inside</th><th></th>";
    out += several ? "<th>change, points</th>" : "";
    out += "<th>half (p50)</th><th>95 % (p95)</th></tr></thead>\n";
    bool limits_differ = false;
    for (const auto& rows : goals) {
        out += "<tbody>\n";
        for (const Kept& row : rows) {
            out += "<tr>";
            if (&row == &rows.front())
                out += fmt::format("<th scope=\"rowgroup\" rowspan=\"{}\">{}<small>{}</small></th>",
                                   rows.size(), html_escaped(name_of(*row.goal)),
                                   row.goal->loss ? "data lost" : "time until it is back");
            add_summary_row(out, rows, row, several);
            out += "</tr>\n";
            limits_differ = limits_differ || row.goal->limit != rows.front().goal->limit;
        }
        out += "</tbody>\n";
    }
    out += "</table>\n";
    if (limits_differ)
        out += "<p class=\"soft\">* The limits differ: each plan is held against its own.</p>\n";
    out += "</section>\n";
}

void add_matrix_row(std::string& out, const sim::Tally& tally, std::size_t a,
                    const std::vector<std::vector<std::size_t>>& columns) {
    const sim::ActTally& act = tally.acts()[a];
    const sim::Stage& stage = tally.stage();
    const bool unanswered = act.began == 0 && act.trials > 0;
    out += fmt::format("<tr><th scope=\"row\">{}</th>", html_escaped(stage.acts()[a].name));
    out += cell("share", share_text(act.trials, tally.trials()));
    out += cell("noticed", mean_text(act.noticed, act.began));
    out += cell("begun", unanswered ? "<span class=\"bad\">never</span>"
                                    : mean_text(act.noticed + act.called, act.began));
    for (const auto& column : columns) {
        std::string lines;
        for (const std::size_t i : column) {
            const sim::GoalTally& goal = act.goals[i];
            if (goal.trials == 0) continue;
            lines += fmt::format("{}{} {} {}", lines.empty() ? "" : "<br/>",
                                 stage.goals()[i].loss ? "RPO" : "RTO", mark_of(goal),
                                 whole_share_text(goal.inside, goal.trials));
        }
        out += lines.empty() ? "<td class=\"none\"></td>"
                             : cell(html_escaped(stage.goals()[column.front()].name), lines);
    }
    out += "</tr>\n";
}

void add_matrices(std::string& out, const std::vector<Simulated>& plans) {
    out +=
        "<section><h2>Where it goes wrong</h2>\n"
        "<p class=\"soft\">For each disaster and component, the share of its runs inside the "
        "limit (·: not concerned), and how long on average until it was noticed and until "
        "somebody, or the plan itself, began the run.</p>\n";
    for (std::size_t p = 0; p < plans.size(); ++p) {
        const sim::Tally& tally = *plans[p].tally;
        const auto columns = goals_by_component(tally);
        out += heading_of(plans, p);
        out +=
            "<div class=\"wide\" tabindex=\"0\"><table class=\"matrix rows\"><thead><tr>"
            "<th>disaster</th><th>share</th><th>noticed</th><th>begun</th>";
        for (const auto& column : columns)
            out += fmt::format("<th>{}</th>",
                               html_escaped(tally.stage().goals()[column.front()].name));
        out += "</tr></thead><tbody>\n";
        for (std::size_t a = 0; a < tally.stage().acts().size(); ++a)
            add_matrix_row(out, tally, a, columns);
        out += "</tbody></table></div>\n";
    }
    out += "</section>\n";
}

void add_distributions(std::string& out, const std::vector<Simulated>& plans,
                       const std::vector<std::vector<Kept>>& goals) {
    out +=
        "<section><h2>Distributions</h2>\n<p class=\"soft keys\">"
        "<span><svg class=\"key\" viewBox=\"0 0 16 8\"><rect class=\"inside\" width=\"16\" "
        "height=\"8\"/></svg>inside the limit</span> "
        "<span><svg class=\"key\" viewBox=\"0 0 16 8\"><rect class=\"outside\" width=\"16\" "
        "height=\"8\"/></svg>beyond it</span> "
        "<span><svg class=\"key\" viewBox=\"0 0 16 8\"><rect class=\"never\" width=\"16\" "
        "height=\"8\"/></svg>never back, or all lost</span></p>\n"
        "<p class=\"soft\">Time grows to the right, each doubling as wide as the last. What "
        "lies beyond an end is drawn at it. The block at the right has a scale of its own: full "
        "height is every disaster.</p>\n";
    for (const auto& rows : goals) {
        TimeAxis axis;
        for (const Kept& row : rows)
            if (row.tally.trials > 0) widen(axis, *row.goal, row.tally);
        if (axis.most == Duration::zero()) continue;  // none of them was concerned
        for (const Kept& row : rows) raise(axis, *row.goal, row.tally);
        const std::string name = name_of(*rows.front().goal);
        out += fmt::format("<figure><h3>{}</h3>\n", html_escaped(name));
        for (const Kept& row : rows) {
            const std::string share = share_text(row.tally.inside, row.tally.trials);
            std::string text = spread_text(*row.goal, row.tally);
            if (row.tally.trials > 0) text = fmt::format("<b>{} inside</b> · {}", share, text);
            out += fmt::format("<figcaption>{}{}</figcaption>\n",
                               plans.size() > 1 ? tag(row.plan) + " " : "", text);
            if (row.tally.trials > 0)
                out += draw_distribution(axis, *row.goal, row.tally,
                                         fmt::format("{}: {} inside", name, share)) +
                       "\n";
        }
        out += "</figure>\n";
    }
    out += "</section>\n";
}

void add_worst(std::string& out, const std::vector<Simulated>& plans) {
    out +=
        "<section><h2>The worst runs</h2>\n<p class=\"soft\">A seed is a story: the command "
        "tells it step by step, the same everywhere.</p>\n";
    for (std::size_t p = 0; p < plans.size(); ++p) {
        const sim::Tally& tally = *plans[p].tally;
        const sim::Stage& stage = tally.stage();
        out += heading_of(plans, p);
        if (tally.worst().empty()) {
            out +=
                "<p>No run missed an objective, but for what nothing in the plan brings "
                "back.</p>\n";
            continue;
        }
        out +=
            "<table class=\"rows\"><thead><tr><th>seed</th><th>disaster</th><th>objective</th>"
            "<th>came to</th><th>tell it</th></tr></thead><tbody>\n";
        for (const sim::Worst& one : tally.worst()) {
            const sim::Goal& goal = stage.goals()[one.goal];
            const auto value = one.never ? std::nullopt : std::optional(one.value);
            out += "<tr>" + cell("seed", fmt::format("{}", one.seed)) +
                   cell("disaster", html_escaped(stage.acts()[one.act].name)) +
                   cell("objective", html_escaped(stage.title(goal))) +
                   cell("came to", duration_or_never(value, goal.loss)) +
                   cell("tell it",
                        fmt::format("<code>{} <span class=\"whole\">--explain {}</span></code>",
                                    html_escaped(plans[p].again), one.seed),
                        "name") +
                   "</tr>\n";
        }
        out += "</tbody></table>\n";
    }
    out += "</section>\n";
}

void add_steps(std::string& out, const std::vector<Simulated>& plans) {
    out +=
        "<section><h2>The steps that cost the most</h2>\n<p class=\"soft\">Of the time that the "
        "ends of runs waited for. Shorten these first, and measure those that are only "
        "estimated or assumed.</p>\n";
    for (std::size_t p = 0; p < plans.size(); ++p) {
        const auto steps = costly_steps(*plans[p].tally);
        out += heading_of(plans, p);
        if (steps.empty()) {
            out += "<p>No run began.</p>\n";
            continue;
        }
        out +=
            "<table class=\"rows\"><thead><tr><th>step</th><th>disaster</th><th>share</th>"
            "<th></th><th>half (p50)</th><th>95 % (p95)</th><th>slowest</th><th>rests on</th>"
            "</tr></thead><tbody>\n";
        Duration total{};
        for (const CostlyStep& step : steps) total += step.tally->total;
        for (std::size_t i = 0; i < std::min(steps_shown, steps.size()); ++i) {
            const CostlyStep& step = steps[i];
            const double share = static_cast<double>(step.tally->total.count()) /
                                 static_cast<double>(std::max<std::int64_t>(1, total.count()));
            out += "<tr>" + cell("step", html_escaped(step.step), "name") +
                   cell("disaster", html_escaped(step.act), "name") +
                   cell("share", share_of_cost(step, steps)) +
                   fmt::format("<td>{}</td>", draw_share(share, "inside")) +
                   cell("half (p50)", human_duration(step.percentile(50))) +
                   cell("95 % (p95)", human_duration(step.percentile(95))) +
                   cell("slowest", human_duration(step.tally->values.most())) +
                   cell("rests on", step.basis) + "</tr>\n";
        }
        out += "</tbody></table>\n";
    }
    out += "</section>\n";
}

void add_assumptions(std::string& out, const std::vector<Simulated>& plans) {
    out +=
        "<section><h2>What this rests on</h2>\n"
        "<p class=\"soft\">Nothing becomes proven by being simulated: drills and verifications "
        "do that, and what they measure here replaces what is estimated or assumed.</p>\n";
    for (std::size_t p = 0; p < plans.size(); ++p) {
        const sim::Stage& stage = plans[p].tally->stage();
        out += heading_of(plans, p) + "<ul>\n";
        for (const std::string& line : stage.assumptions())
            out += fmt::format("<li>{}</li>\n", html_escaped(line));
        out +=
            "<li>until a disaster is noticed: by the plan's own signals; how fast they ring is "
            "<b>assumed</b> where it was not measured here often enough</li>\n"
            "<li>until people answer, likewise: half within 4 minutes by day and 11 at night, one "
            "in twenty after 12 and 30; some calls go unheard</li>\n";
        out += "</ul>\n";
    }
    out +=
        "<p>For all: how often each kind of disaster strikes, good and bad days of providers, and "
        "how long wrong data goes unseen (half of it for more than 3 hours, one in twenty for "
        "more than 3 days) are <b>assumed</b>.</p>\n</section>\n";
}

void add_broken(std::string& out, const std::vector<Simulated>& plans) {
    for (const Simulated& plan : plans)
        for (const auto& [seed, why] : plan.tally->broken())
            out += fmt::format("<p class=\"bad\">Seed {} broke the simulation itself: {}</p>\n",
                               seed, html_escaped(why));
}

}  // namespace

std::string simulated_page(const std::vector<Simulated>& plans, const SimulatedRuns& runs) {
    const auto goals = kept_by_goal(plans);
    std::string out;
    add_head(out, plans, runs);
    add_broken(out, plans);
    add_verdict(out, plans, goals);
    add_summary(out, plans, goals);
    add_matrices(out, plans);
    add_distributions(out, plans, goals);
    add_worst(out, plans);
    add_steps(out, plans);
    add_assumptions(out, plans);
    out += "</main></body></html>\n";
    return out;
}

}  // namespace lifeboat::cli

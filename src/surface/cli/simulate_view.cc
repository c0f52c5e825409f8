#include "surface/cli/simulate_view.h"

#include <fmt/core.h>

#include <algorithm>

namespace lifeboat::cli {
namespace {

namespace sim = engine::sim;
using Rows = std::vector<std::vector<std::string>>;

constexpr std::size_t steps_shown = 6;
constexpr std::size_t worst_shown = 5;
constexpr std::size_t column_max = 16;

Tone tone_of(const sim::GoalTally& goal) {
    if (goal.trials == 0) return Tone::faint;
    if (goal.inside == goal.trials) return Tone::good;
    return goal.share_inside() >= 0.95 ? Tone::warning : Tone::bad;
}

void show_goals(const Output& output, const sim::Tally& tally) {
    Rows rows{{"objective", "p50", "p95", "p99", "worst", "inside", ""}};
    const auto& goals = tally.stage().goals();
    for (std::size_t i = 0; i < goals.size(); ++i) {
        const sim::GoalTally all = tally.of_all(i);
        const bool loss = goals[i].loss;
        if (all.trials == 0) continue;
        const auto text = [&](double percent) {
            return duration_or_never(all.percentile(percent), loss);
        };
        rows.push_back({tally.stage().title(goals[i]), text(50), text(95), text(99), text(100),
                        output.paint(tone_of(all), share_text(all.inside, all.trials)),
                        output.paint(Tone::faint, by_plan_text(goals[i], all))});
    }
    output.table(rows);
}

/// A share of a hundred, short; 0 and 100 only when it is exactly that.
std::string short_share(const Output& output, const sim::GoalTally& goal) {
    if (goal.trials == 0) return output.paint(Tone::faint, "·");
    std::string text = "100";
    if (goal.inside == 0)
        text = "0";
    else if (goal.inside < goal.trials)
        text = fmt::format("{}", std::clamp(static_cast<int>(goal.share_inside() * 100), 1, 99));
    return output.paint(tone_of(goal), text);
}

/// Components by disasters: where it goes wrong.
void show_matrix(const Output& output, const sim::Tally& tally) {
    const sim::Stage& stage = tally.stage();
    const auto columns = goals_by_component(tally);
    Rows rows{{"inside, % RTO/RPO", "share", "noticed", "begun"}};
    for (const auto& column : columns)
        rows[0].push_back(clip(stage.goals()[column.front()].name, column_max));
    for (std::size_t a = 0; a < stage.acts().size(); ++a) {
        const sim::ActTally& act = tally.acts()[a];
        std::vector<std::string> row{stage.acts()[a].name, share_text(act.trials, tally.trials()),
                                     mean_text(act.noticed, act.began),
                                     act.began == 0 && act.trials > 0
                                         ? output.paint(Tone::bad, "never")
                                         : mean_text(act.noticed + act.called, act.began)};
        for (const auto& column : columns) {
            std::string cell;
            bool concerned = false;
            for (const std::size_t i : column) {
                concerned = concerned || act.goals[i].trials > 0;
                cell += (cell.empty() ? "" : "/") + short_share(output, act.goals[i]);
            }
            row.push_back(concerned ? cell : output.paint(Tone::faint, "·"));
        }
        rows.push_back(std::move(row));
    }
    output.table(rows);
}

void show_steps(const Output& output, const sim::Tally& tally) {
    const auto steps = costly_steps(tally);
    if (steps.empty()) return;
    output.line();
    Rows rows{{"the steps that cost the most", "", "share", "p50", "p95", "worst", "rests on"}};
    for (std::size_t i = 0; i < std::min(steps_shown, steps.size()); ++i) {
        const CostlyStep& step = steps[i];
        rows.push_back({"  " + step.step, step.act, share_of_cost(step, steps),
                        human_duration(step.percentile(50)), human_duration(step.percentile(95)),
                        human_duration(step.tally->values.most()), step.basis});
    }
    output.table(rows);
}

void show_worst(const Output& output, const Simulated& plan) {
    const sim::Tally& tally = *plan.tally;
    if (tally.worst().empty()) return;
    const sim::Stage& stage = tally.stage();
    output.line();
    Rows rows{{"the worst", "", "", ""}};
    for (std::size_t i = 0; i < std::min(worst_shown, tally.worst().size()); ++i) {
        const sim::Worst& one = tally.worst()[i];
        const sim::Goal& goal = stage.goals()[one.goal];
        rows.push_back(
            {fmt::format("  seed {}", one.seed), stage.acts()[one.act].name, stage.title(goal),
             one.never ? duration_or_never(std::nullopt, goal.loss) : human_duration(one.value)});
    }
    output.table(rows);
    output.line(output.paint(Tone::faint, fmt::format("  tell one: {} --explain {}", plan.again,
                                                      tally.worst()[0].seed)));
}

/// What the numbers rest on.
void show_notes(const Output& output, const Simulated& plan) {
    output.line();
    for (const std::string& line : plan.tally->stage().assumptions())
        output.line(output.paint(Tone::faint, "note: " + line));
    for (const auto& [seed, why] : plan.tally->broken())
        output.line(output.paint(Tone::bad, fmt::format("seed {}: {}", seed, why)));
}

void show_one(const Output& output, const Simulated& plan) {
    show_goals(output, *plan.tally);
    output.line();
    show_matrix(output, *plan.tally);
    show_steps(output, *plan.tally);
    show_worst(output, plan);
    show_notes(output, plan);
}

void show_side_by_side(const Output& output, const std::vector<Simulated>& plans,
                       const SimulatedRuns& runs) {
    Rows rows{{"objective"}};
    for (std::size_t p = 0; p < plans.size(); ++p) {
        const char letter = letter_of(p);
        const std::uint64_t done = plans[p].tally->trials();
        output.line(
            fmt::format("  {}: {}{}", letter, plans[p].name,
                        done < runs.asked ? fmt::format(" ({} disasters)", grouped(done)) : ""));
        for (const char* title : {"limit", "p50", "p95", "inside"})
            rows[0].push_back(fmt::format("{} {}", letter, title));
    }
    output.line();
    for (const std::string& name : goal_names(plans)) {
        std::vector<std::string> row{name};
        bool concerned = false;
        for (const Simulated& plan : plans) {
            const auto found = find_goal(plan.tally->stage(), name);
            if (!found) {
                row.insert(row.end(), 4, "–");
                continue;
            }
            const sim::Goal& goal = plan.tally->stage().goals()[*found];
            const sim::GoalTally all = plan.tally->of_all(*found);
            concerned = concerned || all.trials > 0;
            row.push_back(human_duration(goal.limit));
            if (all.trials == 0) {
                row.insert(row.end(), {"–", "–", output.paint(Tone::faint, "not concerned")});
                continue;
            }
            row.push_back(duration_or_never(all.percentile(50), goal.loss));
            row.push_back(duration_or_never(all.percentile(95), goal.loss));
            row.push_back(output.paint(tone_of(all), share_text(all.inside, all.trials)));
        }
        if (concerned) rows.push_back(std::move(row));
    }
    output.table(rows);
    for (const Simulated& plan : plans) {
        output.line();
        output.line(output.paint(Tone::strong, plan.name));
        show_matrix(output, *plan.tally);
    }
}

Json seconds_or_null(const std::optional<Duration>& duration) {
    return duration ? Json(std::chrono::duration<double>(*duration).count()) : Json(nullptr);
}

Json goal_json(const sim::Stage& stage, const sim::Goal& goal, const sim::GoalTally& tally) {
    return Json{{"component", goal.name},
                {"objective", goal.loss ? "rpo" : "rto"},
                {"title", stage.title(goal)},
                {"limit_s", std::chrono::duration<double>(goal.limit).count()},
                {"trials", tally.trials},
                {"inside", tally.inside},
                {"never", tally.never},
                {"never_by_plan", tally.by_plan},
                {"p50_s", seconds_or_null(tally.percentile(50))},
                {"p95_s", seconds_or_null(tally.percentile(95))},
                {"p99_s", seconds_or_null(tally.percentile(99))},
                {"worst_s", seconds_or_null(tally.percentile(100))}};
}

Json plan_json(const Simulated& plan) {
    const sim::Tally& tally = *plan.tally;
    const sim::Stage& stage = tally.stage();
    Json goals = Json::array(), acts = Json::array(), steps = Json::array();
    Json worst = Json::array();
    for (std::size_t i = 0; i < stage.goals().size(); ++i)
        goals.push_back(goal_json(stage, stage.goals()[i], tally.of_all(i)));
    for (std::size_t a = 0; a < stage.acts().size(); ++a) {
        const sim::ActTally& act = tally.acts()[a];
        Json own = Json::array();
        for (std::size_t i = 0; i < stage.goals().size(); ++i)
            if (act.goals[i].trials > 0)
                own.push_back(goal_json(stage, stage.goals()[i], act.goals[i]));
        const sim::Act& what = stage.acts()[a];
        acts.push_back(Json{{"disaster", what.name},
                            {"scenario", what.scenario ? Json(what.scenario->name) : Json()},
                            {"trials", act.trials},
                            {"answered", act.began},
                            {"ended", act.done},
                            {"waits_for_good", act.waiting},
                            {"objectives", own}});
    }
    for (const CostlyStep& step : costly_steps(tally))
        steps.push_back(Json{{"step", step.step},
                             {"disaster", step.act},
                             {"total_s", std::chrono::duration<double>(step.tally->total).count()},
                             {"times", step.tally->times},
                             {"basis", step.basis}});
    for (const sim::Worst& one : tally.worst())
        worst.push_back(Json{{"seed", one.seed},
                             {"disaster", stage.acts()[one.act].name},
                             {"objective", stage.title(stage.goals()[one.goal])},
                             {"value_s", one.never ? Json() : seconds_or_null(one.value)}});
    return Json{{"name", plan.name},
                {"plan", stage.plan().name},
                {"digest", stage.plan().digest},
                {"objectives", goals},
                {"disasters", acts},
                {"steps", steps},
                {"worst", worst},
                {"assumptions", stage.assumptions()},
                {"events", tally.events()}};
}

}  // namespace

void show_simulated(const Output& output, const std::vector<Simulated>& plans,
                    const SimulatedRuns& runs) {
    const sim::Tally& first = *plans.front().tally;
    std::uint64_t done = 0;
    for (const Simulated& plan : plans) done += plan.tally->trials();
    output.line(fmt::format(
        "{}: {} disaster{}{}, seeds from {}, in {:.1f} s: {} a second", plans[0].name,
        grouped(first.trials()), first.trials() == 1 ? "" : "s",
        first.trials() < runs.asked ? fmt::format(" of {} asked for", grouped(runs.asked)) : "",
        runs.seed, runs.seconds,
        grouped(
            static_cast<std::uint64_t>(static_cast<double>(done) / std::max(runs.seconds, 1e-6)))));
    output.line();
    if (plans.size() > 1) {
        show_side_by_side(output, plans, runs);
        return;
    }
    show_one(output, plans.front());
}

Json simulated_json(const std::vector<Simulated>& plans, const SimulatedRuns& runs) {
    Json all = Json::array();
    for (const Simulated& plan : plans) all.push_back(plan_json(plan));
    return Json{{"runs", plans.front().tally->trials()},
                {"asked", runs.asked},
                {"seed", runs.seed},
                {"seconds", runs.seconds},
                {"jobs", runs.jobs},
                {"plans", all}};
}

}  // namespace lifeboat::cli

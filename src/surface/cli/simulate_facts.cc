#include "surface/cli/simulate_facts.h"

#include <fmt/core.h>

#include <algorithm>

#include "platform/base/text.h"

namespace lifeboat::cli {

namespace sim = engine::sim;

char letter_of(std::size_t place) { return static_cast<char>('A' + place); }

std::string grouped(std::uint64_t number) {
    std::string text = fmt::format("{}", number);
    for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
    return text;
}

std::string share_text(std::uint64_t part, std::uint64_t whole) {
    if (whole == 0) return "–";
    if (part == whole) return "100 %";
    if (part == 0) return "0 %";
    const double share = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
    return fmt::format("{:.1f} %", std::clamp(share, 0.1, 99.9));
}

std::string whole_share_text(std::uint64_t part, std::uint64_t whole) {
    if (part == 0 || part == whole) return share_text(part, whole);
    return fmt::format("{} %", std::clamp<std::uint64_t>(part * 100 / whole, 1, 99));
}

std::string duration_or_never(const std::optional<Duration>& duration, bool loss) {
    if (duration) return human_duration(*duration);
    return loss ? "all lost" : "never";
}

std::string name_of(const sim::Goal& goal) {
    return fmt::format("{} {}", goal.name, goal.loss ? "RPO" : "RTO");
}

std::string spread_text(const sim::Goal& goal, const sim::GoalTally& tally) {
    if (tally.trials == 0) return "no disaster concerned it";
    std::vector<std::string> parts;
    if (const auto half = tally.percentile(50))
        parts.push_back(fmt::format("half {} {}", goal.loss ? "lost at most" : "back within",
                                    human_duration(*half)));
    if (const auto most = tally.percentile(95))
        parts.push_back(
            fmt::format("95 % {} {}", goal.loss ? "at most" : "within", human_duration(*most)));
    if (tally.never == 0) {
        parts.push_back(fmt::format("{} {}", goal.loss ? "at worst" : "the slowest after",
                                    human_duration(tally.values.most())));
        return join(parts, " · ");
    }
    const std::string_view fate = goal.loss ? "lost everything" : "never came back";
    const std::string share = share_text(tally.never, tally.trials);
    parts.push_back(fmt::format("{} {}", share, fate));
    const std::string_view why =
        goal.loss ? "the plan has no way back to its data" : "nothing in the plan brings it back";
    if (tally.by_plan == tally.never)
        parts.back() += fmt::format(": {}", why);
    else if (tally.by_plan > 0)
        parts.back() += fmt::format(" ({}: {})", share_text(tally.by_plan, tally.trials), why);
    return join(parts, " · ");
}

std::string by_plan_text(const sim::Goal& goal, const sim::GoalTally& tally) {
    if (tally.by_plan == 0) return {};
    return fmt::format("{}: {}", share_text(tally.by_plan, tally.trials),
                       goal.loss ? "no way back to its data" : "nothing brings it back");
}

std::string mean_text(Duration sum, std::uint64_t count) {
    return count == 0 ? "–" : human_duration(sum / static_cast<std::int64_t>(count));
}

std::vector<std::vector<std::size_t>> goals_by_component(const sim::Tally& tally) {
    std::vector<std::vector<std::size_t>> columns;
    const auto& goals = tally.stage().goals();
    for (std::size_t i = 0; i < goals.size(); ++i) {
        if (tally.of_all(i).trials == 0) continue;
        if (columns.empty() || goals[columns.back().front()].component != goals[i].component)
            columns.emplace_back();
        columns.back().push_back(i);
    }
    return columns;
}

std::vector<std::string> goal_names(const std::vector<Simulated>& plans) {
    std::vector<std::string> names;
    for (const Simulated& plan : plans)
        for (const sim::Goal& goal : plan.tally->stage().goals()) {
            std::string name = name_of(goal);
            if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
        }
    return names;
}

std::optional<std::size_t> find_goal(const sim::Stage& stage, const std::string& name) {
    for (std::size_t i = 0; i < stage.goals().size(); ++i)
        if (name_of(stage.goals()[i]) == name) return i;
    return std::nullopt;
}

Duration CostlyStep::percentile(double percent) const {
    const auto rank = static_cast<double>(tally->values.count()) * percent / 100.0;
    return tally->values.at_rank(std::max<std::uint64_t>(1, static_cast<std::uint64_t>(rank)));
}

std::vector<CostlyStep> costly_steps(const sim::Tally& tally) {
    std::vector<CostlyStep> steps;
    const auto& acts = tally.stage().acts();
    for (std::size_t a = 0; a < acts.size(); ++a)
        for (std::size_t s = 0; s < acts[a].nodes.size(); ++s)
            if (tally.acts()[a].steps[s].times > 0)
                steps.push_back({acts[a].name, acts[a].nodes[s].id.value,
                                 std::string(to_string(acts[a].paces[s].basis())),
                                 &tally.acts()[a].steps[s]});
    std::ranges::stable_sort(steps, [](const CostlyStep& a, const CostlyStep& b) {
        return a.tally->total > b.tally->total;
    });
    return steps;
}

std::string share_of_cost(const CostlyStep& step, const std::vector<CostlyStep>& all) {
    Duration total{};
    for (const CostlyStep& one : all) total += one.tally->total;
    return share_text(static_cast<std::uint64_t>(step.tally->total.count()),
                      static_cast<std::uint64_t>(total.count()));
}

}  // namespace lifeboat::cli

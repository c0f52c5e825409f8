#include "engine/sim/tally.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <tuple>

namespace lifeboat::engine::sim {
namespace {

constexpr std::size_t worst_kept = 10;
constexpr std::ptrdiff_t worst_of_goal = 3;  // so that one objective does not hide all others
constexpr std::size_t broken_kept = 5;
constexpr double never_ratio = 1e9;

bool is_worse(const Worst& a, const Worst& b) {
    return std::tuple(-a.ratio, a.seed) < std::tuple(-b.ratio, b.seed);
}

}  // namespace

void GoalTally::add(const Measure& measure, const Goal& goal) {
    if (!measure.applies) return;
    ++trials;
    if (measure.never) {
        ++never;
        if (measure.by_plan) ++by_plan;
        return;
    }
    values.add(measure.value);
    if (measure.is_inside(goal)) ++inside;
}

void GoalTally::merge(const GoalTally& other) {
    values.merge(other.values);
    trials += other.trials;
    inside += other.inside;
    never += other.never;
    by_plan += other.by_plan;
}

std::optional<Duration> GoalTally::percentile(double percent) const {
    const auto rank =
        static_cast<std::uint64_t>(std::ceil(static_cast<double>(trials) * percent / 100.0));
    if (trials == 0 || rank > values.count()) return std::nullopt;
    return values.at_rank(std::max<std::uint64_t>(rank, 1));
}

Tally::Tally(const Stage& stage) : stage_(&stage), acts_(stage.acts().size()) {
    for (std::size_t i = 0; i < acts_.size(); ++i) {
        acts_[i].goals.resize(stage.goals().size());
        acts_[i].steps.resize(stage.acts()[i].nodes.size());
    }
}

void Tally::add(const TrialResult& result) {
    ++trials_;
    events_ += result.events;
    crashes_ += result.crashes;
    ActTally& act = acts_[result.act];
    ++act.trials;
    if (result.began) ++act.began;
    if (result.status == runbook::RunStatus::finished) ++act.done;
    if (result.began && result.status != runbook::RunStatus::finished) ++act.waiting;
    act.noticed += result.noticed;
    act.called += result.started - result.noticed;
    Worst worst{.seed = result.seed, .act = result.act};
    for (std::uint32_t i = 0; i < result.measures.size(); ++i) {
        const Measure& measure = result.measures[i];
        const Goal& goal = stage_->goals()[i];
        act.goals[i].add(measure, goal);
        if (!measure.applies || measure.by_plan) continue;
        // An objective of zero is missed by anything.
        const double limit = std::max(1e6, static_cast<double>(goal.limit.count()));
        const double ratio =
            measure.never ? never_ratio : static_cast<double>(measure.value.count()) / limit;
        if (ratio <= worst.ratio) continue;
        worst.goal = i;
        worst.never = measure.never;
        worst.value = measure.value;
        worst.ratio = ratio;
    }
    if (worst.ratio > 1.0) note_worst(worst);
    for (const Cost& cost : result.path) {
        StepTally& step = act.steps[cost.node];
        ++step.times;
        step.total += cost.time;
        step.values.add(cost.time);
    }
    if (!result.broken.empty() && broken_.size() < broken_kept)
        broken_.emplace_back(result.seed, result.broken);
}

void Tally::note_worst(const Worst& one) {
    if (worst_.size() == worst_kept && !is_worse(one, worst_.back())) return;
    worst_.insert(std::ranges::upper_bound(worst_, one, is_worse), one);
    const auto same = [&](const Worst& other) { return other.goal == one.goal; };
    if (std::ranges::count_if(worst_, same) > worst_of_goal)
        worst_.erase(std::prev(std::find_if(worst_.rbegin(), worst_.rend(), same).base()));
    if (worst_.size() > worst_kept) worst_.pop_back();
}

void Tally::merge(const Tally& other) {
    trials_ += other.trials_;
    events_ += other.events_;
    crashes_ += other.crashes_;
    for (std::size_t i = 0; i < acts_.size(); ++i) {
        ActTally& to = acts_[i];
        const ActTally& from = other.acts_[i];
        to.trials += from.trials;
        to.began += from.began;
        to.done += from.done;
        to.waiting += from.waiting;
        to.noticed += from.noticed;
        to.called += from.called;
        for (std::size_t g = 0; g < to.goals.size(); ++g) to.goals[g].merge(from.goals[g]);
        for (std::size_t s = 0; s < to.steps.size(); ++s) {
            to.steps[s].times += from.steps[s].times;
            to.steps[s].total += from.steps[s].total;
            to.steps[s].values.merge(from.steps[s].values);
        }
    }
    for (const Worst& one : other.worst_) note_worst(one);
    broken_.insert(broken_.end(), other.broken_.begin(), other.broken_.end());
    std::ranges::sort(broken_);
    if (broken_.size() > broken_kept) broken_.resize(broken_kept);
}

GoalTally Tally::of_all(std::size_t goal) const {
    GoalTally all;
    for (const ActTally& act : acts_) all.merge(act.goals[goal]);
    return all;
}

}  // namespace lifeboat::engine::sim

#include <fmt/core.h>

#include <algorithm>

#include "core/watch/signal.h"
#include "engine/sim/trial.h"

namespace lifeboat::engine::sim {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

enum Purpose : unsigned {
    which = 100,
    when,
    noticing,
    discovering,
    zones,
    attacking,
    answering = 150,
    losing = 1000
};

constexpr unsigned account_taken_percent = 25;

constexpr Duration day = hours(24);
constexpr Duration night_begins = hours(22);
constexpr Duration night_ends = hours(7);
const Instant first_day{std::chrono::sys_days(std::chrono::year(2026) / 1 / 5)};  // a Monday

/// A corruption is seen after hours, sometimes after days.
const Pace& discovery() {
    static const Pace pace = Pace::around(hours(3), hours(72));
    return pace;
}

/// Nothing rings: customers call, or somebody happens to look.
Duration by_chance(Chance& chance, bool night) {
    static const Pace pace = Pace::around(minutes(20), hours(2));
    return pace.draw(chance) * (night ? 2 : 1);
}

bool is_emitted(const plan::Plan& plan, const std::string& alert) {
    return std::ranges::any_of(plan.components, [&](const plan::Component& component) {
        return std::ranges::find(component.alerts, alert) != component.alerts.end();
    });
}

/// Looks at something that is down until the signal holds. What dies may answer now and then.
Duration watch_it(const plan::Signal& signal, Duration every, Chance& chance) {
    const watch::SignalPolicy policy = watch::SignalPolicy::of(signal);
    watch::SignalState state;
    const Duration first = chance.between(Duration::zero(), every);
    constexpr unsigned looks_max = 1000;
    for (unsigned i = 0; i < looks_max; ++i) {
        const Duration at = first + i * every;
        const watch::Look look = chance.percent(8) ? watch::Look::well : watch::Look::failing;
        if (watch::observe(state, policy, first_day + at, look) == watch::SignalChange::holds)
            return at;
    }
    return first + looks_max * every;
}

/// When the signal holds; nothing: it never does.
std::optional<Duration> draw_signal(const Stage& stage, const Strikes& strikes,
                                    const plan::Signal& signal, Chance& chance) {
    const plan::Plan& plan = stage.plan();
    const Act& act = *strikes.act;
    const Duration lasting = signal.lasting.value_or(Duration::zero());
    switch (signal.type) {
        case plan::Signal::Type::unhealthy: {
            const plan::Component* component = plan.component(signal.name);
            if (component == nullptr || component->health.empty()) return std::nullopt;
            const auto index = static_cast<std::size_t>(component - plan.components.data());
            const bool down = strikes.hit[index] && !act.ways[index].corrupted;
            if (!down && !act.ways[index].touched) return std::nullopt;
            return watch_it(signal, act.check_every, chance);
        }
        case plan::Signal::Type::site_lost: {
            const bool watched =
                std::ranges::any_of(plan.components, [&](const plan::Component& component) {
                    return component.site == signal.name && !component.health.empty();
                });
            if (!watched || !act.damage.sites.contains(signal.name)) return std::nullopt;
            return 2 * act.check_every + chance.between(Duration::zero(), act.check_every) +
                   lasting;
        }
        case plan::Signal::Type::alert:
            if (!is_emitted(plan, signal.name)) return std::nullopt;
            return chance.between(seconds(30), minutes(3)) + lasting;
        case plan::Signal::Type::condition:
        case plan::Signal::Type::report: {
            static const Pace noticed = Pace::around(minutes(12), minutes(60));
            return noticed.draw(chance) * (strikes.night ? 2 : 1) + lasting;
        }
    }
    return std::nullopt;
}

std::string name_of(const plan::Signal& signal) {
    switch (signal.type) {
        case plan::Signal::Type::unhealthy:
            return fmt::format("{} is unhealthy", signal.name);
        case plan::Signal::Type::site_lost:
            return fmt::format("site {} is lost", signal.name);
        case plan::Signal::Type::alert:
            return fmt::format("alert {}", signal.name);
        default:
            return fmt::format("somebody notices: {}", signal.name);
    }
}

void draw_noticing(const Stage& stage, Strikes& strikes, std::uint64_t seed) {
    const plan::Scenario& scenario = *strikes.act->scenario;
    Chance chance = Chance::of(seed, noticing);
    if (const auto& measured = strikes.act->detection) {
        strikes.noticed = measured->draw(chance);
        strikes.started = strikes.noticed;  // measured until the run began
        strikes.because.emplace_back("as measured here");
        return;
    }
    const Duration chanced = by_chance(chance, strikes.night);
    if (scenario.detect && !scenario.detect->signals.empty()) {
        bool complete = true;
        std::optional<Duration> first, last;
        const plan::Signal* told = nullptr;
        for (const plan::Signal& signal : scenario.detect->signals) {
            const auto at = draw_signal(stage, strikes, signal, chance);
            complete = complete && at.has_value();
            if (!at) continue;
            if (!first || *at < *first) {
                first = at;
                told = &signal;
            }
            last = std::max(last, at);
        }
        strikes.noticed = scenario.detect->all ? (complete ? last : std::nullopt) : first;
        if (strikes.noticed && told != nullptr) strikes.because.push_back(name_of(*told));
    }
    if (!strikes.noticed || *strikes.noticed > chanced) {
        strikes.noticed = chanced;
        strikes.because = {"somebody finds out by chance"};
    }
    Chance people = Chance::of(seed, answering);
    const Duration response = draw_response(people, strikes.night);
    if (scenario.automatic)
        strikes.started = *strikes.noticed + seconds(5);
    else
        strikes.started = *strikes.noticed + (stage.has_people() ? response : response * 2);
}

}  // namespace

Strikes draw_strikes(const Stage& stage, std::uint64_t seed) {
    Strikes strikes;
    Chance what = Chance::of(seed, which);
    strikes.act = &stage.draw_act(what);
    Chance time = Chance::of(seed, when);
    strikes.at = first_day + time.between(Duration::zero(), 7 * day);
    const Duration of_day = (strikes.at - first_day) % day;
    strikes.night = of_day >= night_begins || of_day < night_ends;
    const Act& act = *strikes.act;
    Chance zone = Chance::of(seed, zones);
    strikes.hit.resize(act.ways.size());
    for (std::size_t i = 0; i < act.ways.size(); ++i) {
        const bool in_zone = zone.below(3) == 0;  // of three zones, one is gone
        strikes.hit[i] = act.ways[i].hit && (act.strike != Strike::zone || in_zone);
    }
    if (act.strike == Strike::corruption) {
        Chance seen = Chance::of(seed, discovering);
        strikes.unnoticed = discovery().draw(seen);
    }
    if (act.scenario != nullptr) draw_noticing(stage, strikes, seed);
    return strikes;
}

std::optional<Duration> draw_loss(const Strikes& strikes, std::uint32_t component,
                                  std::uint64_t seed) {
    const Act& act = *strikes.act;
    const Way& way = act.ways[component];
    // Who can write wrong data may hold the account, and delete what the account can delete.
    Chance harm = Chance::of(seed, attacking);
    const bool account_taken = act.attack && harm.percent(account_taken_percent);
    std::optional<Duration> best;
    for (std::size_t i = 0; i < way.sources.size(); ++i) {
        const readiness::WayBack& source = way.sources[i];
        if (!source.left) continue;
        if (account_taken && !way.survives_account[i]) continue;
        Chance chance = Chance::of(seed, losing + 10 * component + i);
        // The newest complete point is up to one interval older than it took to make; now and then
        // one was not made, or does not start.
        auto age = Duration(static_cast<std::int64_t>(
            chance.unit() * static_cast<double>(source.interval.count())));
        while (chance.percent(2)) age += source.interval;
        age += source.make + source.copy;
        if (way.corrupted) age += strikes.unnoticed;
        const auto& keep = source.protection->keep;
        if (keep && age > *keep + source.interval) continue;  // the last good one is deleted
        if (!best || age < *best) best = age;
    }
    return best;
}

}  // namespace lifeboat::engine::sim

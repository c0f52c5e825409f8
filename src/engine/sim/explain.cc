#include "engine/sim/explain.h"

#include <fmt/core.h>

#include <array>

#include "platform/base/text.h"

namespace lifeboat::engine::sim {
namespace {

using std::chrono::hours;

std::string moment(const Strikes& strikes) {
    constexpr std::array<std::string_view, 7> days{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};
    const auto day = std::chrono::floor<std::chrono::days>(strikes.at);
    const std::chrono::hh_mm_ss time(strikes.at - day);
    return fmt::format("{} {:02}:{:02}{}", days[std::chrono::weekday(day).c_encoding()],
                       time.hours().count(), time.minutes().count(),
                       strikes.night ? ", at night" : "");
}

std::string damage_text(const Stage& stage, const Strikes& strikes) {
    std::vector<std::string> hit;
    for (std::size_t i = 0; i < strikes.hit.size(); ++i)
        if (strikes.hit[i]) hit.push_back(stage.plan().components[i].name);
    const std::string names = hit.empty() ? "nothing for long" : join(hit, ", ");
    switch (strikes.act->strike) {
        case Strike::corruption:
            return fmt::format("the data of {} is wrong", names);
        case Strike::zone:
            return fmt::format("one of three zones is gone, and with it {}", names);
        case Strike::site: {
            const std::vector<std::string> sites(strikes.act->damage.sites.begin(),
                                                 strikes.act->damage.sites.end());
            return fmt::format("site {} is gone, and with it {}", join(sites, ", "), names);
        }
        case Strike::component:
            break;
    }
    return fmt::format("lost: {}", names);
}

std::string result_text(const Stage& stage, const Goal& goal, const Measure& measure) {
    std::string came = goal.loss ? "lost the last " + human_duration(measure.value)
                                 : "back after " + human_duration(measure.value);
    if (measure.never) {
        came = goal.loss ? "all data is lost" : "never came back";
        if (measure.by_plan)
            came += goal.loss ? ", the plan has no way back to it"
                              : ", nothing in the plan brings it back";
    }
    return fmt::format("{}: {}: {}", stage.title(goal), measure.is_inside(goal) ? "kept" : "missed",
                       came);
}

}  // namespace

Explanation explain(const Stage& stage, std::uint64_t seed) {
    Explanation told;
    const Strikes strikes = draw_strikes(stage, seed);
    const Act& act = *strikes.act;
    const Weather weather = Weather::draw(seed, act, strikes.night);
    told.disaster =
        fmt::format("{}: {}, {}", act.name, damage_text(stage, strikes), moment(strikes));
    told.circumstances.push_back(weather.text());
    if (act.strike == Strike::corruption)
        told.circumstances.push_back(
            fmt::format("the data went wrong {} before anybody saw a sign of it",
                        human_duration(strikes.unnoticed)));
    if (act.scenario == nullptr)
        told.circumstances.emplace_back("no scenario of the plan answers it");
    const auto apply = [&](Duration at, incident::Body body) {
        const incident::Event event{strikes.at + at, std::move(body)};
        if (incident::refusal(told.incident, event).empty())
            incident::apply_to(told.incident, event);
    };
    std::string severity;
    if (act.scenario != nullptr) severity = incident::severity_of(stage.plan(), *act.scenario).name;
    if (strikes.noticed)
        apply(*strikes.noticed, incident::Opened{.id = fmt::format("seed {}", seed),
                                                 .scenario = act.name,
                                                 .severity = severity,
                                                 .began = strikes.at,
                                                 .because = join(strikes.because, ", ")});
    if (strikes.started && act.scenario != nullptr && !act.scenario->automatic)
        apply(*strikes.started, incident::Noted{"people", "somebody is there, and begins the run"});
    for (std::uint32_t i = 0; i < act.ways.size(); ++i) {
        if (!strikes.hit[i] || !act.ways[i].corrupted) continue;
        if (const auto loss = draw_loss(strikes, i, seed))
            apply(
                strikes.started.value_or(Duration::zero()),
                incident::Noted{
                    "people", fmt::format("the last good state of {} is {} older than the "
                                          "first sign",
                                          stage.plan().components[i].name, human_duration(*loss))});
    }
    told.trial =
        run_trial(stage, {.seed = seed,
                          .faithful = true,
                          .tell = [&](Duration at, std::string_view who, const std::string& what) {
                              apply(at, incident::Noted{std::string(who), what});
                          }});
    for (std::size_t i = 0; i < told.trial.measures.size(); ++i) {
        const Measure& measure = told.trial.measures[i];
        if (!measure.applies) continue;
        const Goal& goal = stage.goals()[i];
        told.results.push_back(result_text(stage, goal, measure));
        told.met.push_back(measure.is_inside(goal));
    }
    return told;
}

}  // namespace lifeboat::engine::sim

#include "core/watch/match.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <set>

namespace lifeboat::watch {
namespace {

/// Verbs that look, tell, wait or hold back: their targets are not brought back by them.
constexpr std::array<std::string_view, 10> recovers_nothing{
    "verify",  "smoke",   "monitor", "notify",   "wait",
    "approve", "isolate", "fence",   "preserve", "backup"};

struct Reach {
    std::set<std::string> touched, recovered;
};

void collect(const std::vector<plan::Step>& steps, Reach& reach) {
    for (const plan::Step& step : steps) {
        collect(step.parallel, reach);
        reach.touched.insert(step.targets.begin(), step.targets.end());
        if (std::ranges::find(recovers_nothing, step.verb) == recovers_nothing.end())
            reach.recovered.insert(step.targets.begin(), step.targets.end());
    }
}

const Seen* find_seen(const Sight& sight, const std::string& component) {
    const auto found = sight.components.find(component);
    return found == sight.components.end() ? nullptr : &found->second;
}

bool is_unhealthy(const Sight& sight, const std::string& component) {
    const Seen* seen = find_seen(sight, component);
    return seen != nullptr && seen->health == Health::unhealthy;
}

/// The line that says why the signal holds; nothing when it does not.
std::optional<std::string> why(const plan::Plan& plan, const Sight& sight,
                               const std::map<std::string, std::string>& current_site,
                               const plan::Signal& signal) {
    switch (signal.type) {
        case plan::Signal::Type::unhealthy: {
            if (!is_unhealthy(sight, signal.name)) return std::nullopt;
            const Seen* seen = find_seen(sight, signal.name);
            return seen->why.empty() ? fmt::format("{} is unhealthy", signal.name)
                                     : fmt::format("{} is unhealthy: {}", signal.name, seen->why);
        }
        case plan::Signal::Type::site_lost:
            if (!is_site_lost(plan, sight, signal.name, current_site)) return std::nullopt;
            return fmt::format("site {} is lost: nothing there answers", signal.name);
        // Nobody has told: they come from monitoring and from people.
        case plan::Signal::Type::alert:
        case plan::Signal::Type::report:
        case plan::Signal::Type::condition:
            return std::nullopt;
    }
    return std::nullopt;
}

struct Ranked {
    Match match;
    std::size_t touched = 0;
    std::size_t place = 0;  ///< in the plan
};

}  // namespace

bool is_site_lost(const plan::Plan& plan, const Sight& sight, const std::string& site,
                  const std::map<std::string, std::string>& current_site) {
    unsigned unhealthy = 0;
    unsigned unseen = 0;
    for (const plan::Component& component : plan.components) {
        if (component.health.empty()) continue;
        const auto current = current_site.find(component.name);
        if ((current == current_site.end() ? component.site : current->second) != site) continue;
        const Seen* seen = find_seen(sight, component.name);
        switch (seen == nullptr ? Health::unknown : seen->health) {
            case Health::healthy:
            case Health::degraded:
                return false;
            case Health::unhealthy:
                ++unhealthy;
                break;
            case Health::unknown:
                ++unseen;
                break;
        }
    }
    // What could not be looked at is no proof of a loss, but must not hide one either.
    return unhealthy > 0 && unhealthy >= unseen;
}

std::vector<Match> match(const plan::Plan& plan, const Sight& sight,
                         const std::map<std::string, std::string>& current_site) {
    std::vector<Ranked> ranked;
    for (const plan::Scenario& scenario : plan.scenarios) {
        Reach reach;
        collect(scenario.steps, reach);
        Ranked one{.match = {.scenario = scenario.name, .applies = false, .because = {}},
                   .touched = reach.touched.size(),
                   .place = ranked.size()};
        one.match.explained = static_cast<unsigned>(std::ranges::count_if(
            reach.recovered, [&](const std::string& name) { return is_unhealthy(sight, name); }));
        if (scenario.detect && !scenario.detect->signals.empty()) {
            const auto& signals = scenario.detect->signals;
            for (const plan::Signal& signal : signals)
                if (auto line = why(plan, sight, current_site, signal))
                    one.match.because.push_back(std::move(*line));
            const std::size_t wanted = scenario.detect->all ? signals.size() : 1;
            one.match.applies = one.match.because.size() >= wanted;
        }
        ranked.push_back(std::move(one));
    }
    std::ranges::sort(ranked, [](const Ranked& a, const Ranked& b) {
        if (a.match.applies != b.match.applies) return a.match.applies;
        if (a.match.explained != b.match.explained) return a.match.explained > b.match.explained;
        return std::pair(a.touched, a.place) < std::pair(b.touched, b.place);
    });
    std::vector<Match> matches;
    for (Ranked& one : ranked) matches.push_back(std::move(one.match));
    return matches;
}

}  // namespace lifeboat::watch

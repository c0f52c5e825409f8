#include "surface/cli/promises.h"

#include <algorithm>

namespace lifeboat::cli {
namespace {

using readiness::Objective;
using readiness::Standing;

Json seconds_of(const std::optional<Duration>& duration) {
    return duration ? Json(std::chrono::duration<double>(*duration).count()) : Json(nullptr);
}

}  // namespace

std::vector<Promise> weigh_promises(const plan::Plan& plan, std::span<const readiness::Fact> facts,
                                    const Json& versions, Instant now, bool restorable) {
    std::vector<Promise> promises;
    const auto add = [&](const plan::Component& component, Objective objective,
                         const std::optional<Duration>& promised) {
        promises.push_back(
            Promise{.component = &component,
                    .objective = objective,
                    .promised = promised,
                    .proof = weigh(plan, facts, component.name, objective, "", versions, now)});
    };
    for (const plan::Component& component : plan.components) {
        if (component.objectives.rto) add(component, Objective::rto, component.objectives.rto);
        if (component.objectives.rpo) add(component, Objective::rpo, component.objectives.rpo);
        if (restorable && !component.protect.empty()) add(component, Objective::restorable, {});
    }
    return promises;
}

bool lies_ahead(Instant at, Instant now) {
    constexpr Duration clocks_differ = std::chrono::seconds(2);
    return at > now + clocks_differ;
}

std::string ago(Instant at, Instant now) {
    if (lies_ahead(at, now)) return "dated " + human_duration(at - now) + " ahead";
    return human_duration(std::max(Duration::zero(), Duration(now - at))) + " ago";
}

std::string_view words_for(Standing standing) {
    switch (standing) {
        case Standing::none:
            return "unproven";
        case Standing::proven:
            return "proven";
        case Standing::missed:
            return "MISSED";
        case Standing::expired:
            return "expired";
        case Standing::plan_changed:
            return "plan changed since";
        case Standing::versions_changed:
            return "versions changed since";
        case Standing::emulated:
            return "emulated only";
        case Standing::from_future:
            return "dated in the future";
        case Standing::clock_in_doubt:
            return "clock in doubt";
    }
    return "";
}

Tone tone_of(Standing standing) {
    switch (standing) {
        case Standing::proven:
            return Tone::good;
        case Standing::missed:
            return Tone::bad;
        default:
            return Tone::warning;
    }
}

std::string_view words_for(Objective objective) {
    switch (objective) {
        case Objective::rto:
            return "RTO";
        case Objective::rpo:
            return "RPO";
        case Objective::restorable:
            break;
    }
    return "restorable";
}

Json to_json(const Promise& promise) {
    Json json{{"component", promise.component->name},
              {"objective", to_string(promise.objective)},
              {"promised_s", seconds_of(promise.promised)},
              {"standing", to_string(promise.proof.standing)}};
    const auto& fact = promise.proof.fact;
    json["measured_s"] = fact ? seconds_of(fact->value) : Json(nullptr);
    json["age_s"] = fact ? seconds_of(promise.proof.age) : Json(nullptr);
    json["fact"] = fact ? readiness::to_json(*fact) : Json(nullptr);
    return json;
}

}  // namespace lifeboat::cli

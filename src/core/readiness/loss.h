#pragma once
/// What a component can lose in a disaster: the best of the ways back that the disaster leaves, at
/// its worst moment. Pure.

#include <string>
#include <string_view>

#include "core/readiness/forecast.h"
#include "core/readiness/reach.h"

namespace lifeboat::readiness {

/// How the steps of a scenario take the component's data back.
struct Choice {
    enum class Way { any, points, replica };
    Way way = Way::any;  ///< points: restored; replica: promoted where it stands
    std::string from;    ///< the method whose points a step asks for; "" = any
};

/// A scenario of which the plan says that somebody means harm: data is wrong, and it is cut off or
/// preserved. Whoever does it may hold the account, and what the account can delete.
bool is_attack(const plan::Scenario& scenario);
/// The account that a component and its points live in; "" = none is known.
std::string account_of(const plan::Plan& plan, const plan::Catalog& catalog,
                       const plan::Component& component);
/// The points outlive the account of their component: they are immutable, or belong to another one.
bool survives_account(const plan::Plan& plan, const plan::Catalog& catalog,
                      const plan::Component& component, const plan::Protection& protection);

/// A protection, and the worst that can be lost with it.
struct Option {
    const plan::Protection* protection = nullptr;
    Loss loss;  ///< `worst` is absent when the disaster leaves none of its points; `why` says so
};
/// Requires: the damage hits the component. `detection` counts when data is wrong: all that was
/// written meanwhile is lost with it. `where`: the site where it is brought back; "" = wherever its
/// points are.
std::vector<Option> options_of(const plan::Plan& plan, const plan::Catalog& catalog,
                               const History& history, const Damage& damage, bool attack,
                               const Spread& detection, const plan::Component& component,
                               std::string_view where = {});
/// Its points are deleted before the next one is made: now and then there is none.
bool has_gap(const plan::Protection& protection);
/// The best of them, as the scenario's steps choose.
Loss best_of(const std::vector<Option>& options, const plan::Component& component,
             const Choice& choice);

/// The share of the loss that rests on assumptions: neither measured nor declared.
Duration assumed_share(const std::vector<Part>& parts);

}  // namespace lifeboat::readiness

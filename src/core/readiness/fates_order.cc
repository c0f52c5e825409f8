// What is wrong with the order of a component's steps, and with the time that they are given.

#include <fmt/core.h>

#include <algorithm>

#include "core/readiness/fates.h"

namespace lifeboat::readiness {
namespace {

/// What is isolated stays so until it is released; elsewhere it may be started all the same.
bool lifts(const runbook::Node& free, const runbook::Node& hold) {
    const bool starts = is_one_of(free.verb, {"start", "repoint"});
    return hold.verb != "isolate" || !starts || free.site != hold.site;
}

}  // namespace

Flaw Fates::flaw(Flaw::Kind kind, Place step, Place other, std::string detail) const {
    return {.kind = kind,
            .at = course_.timed(step).at,
            .step = course_.id(step),
            .other = other == nowhere ? std::string() : course_.id(other),
            .detail = std::move(detail)};
}

/// A look at what is not back yet fails, and the run stops there. A look at wrong data may pass: it
/// is only no proof of what comes after it.
void Fates::inspect_proofs(Fate& fate) const {
    if (!fate.hit || fate.brings.empty()) return;
    std::vector<Place> makes;
    for (const Place at : fate.brings)
        if (is_one_of(course_.node(at).verb, {"restore", "promote"})) makes.push_back(at);
    if (makes.empty()) makes = fate.brings;
    const auto is_early = [&](Place proof) {
        return std::ranges::none_of(makes, [&](Place make) { return course_.waits(proof, make); });
    };
    std::vector<Place> early;
    for (const Place proof : fate.proofs)
        if (is_early(proof)) early.push_back(proof);
    const bool proven = early.size() < fate.proofs.size();
    for (const Place proof : early) {
        const bool stops = course_.node(proof).on_failure != plan::OnFailure::carry_on;
        if (proven && (fate.corrupted || !stops)) continue;
        fate.flaws.push_back(flaw(Flaw::Kind::looked_early, proof, makes.front(), {}));
    }
}

/// Of what is restored or promoted, the old one was cut off.
void Fates::inspect_holds(Fate& fate) const {
    if (fate.restore != nowhere || fate.promote != nowhere) return;
    for (const Place hold : fate.holds) {
        Place early = nowhere;
        bool freed = false;
        for (const Place free : fate.frees) {
            if (!lifts(course_.node(free), course_.node(hold))) continue;
            freed = freed || course_.waits(free, hold);
            early = free;
        }
        if (freed) continue;
        fate.flaws.push_back(flaw(Flaw::Kind::held, hold, early, {}));
        return;
    }
}

/// There is something to restore or to promote, at the site where it is to be.
void Fates::inspect_points(const plan::Component& component, Fate& fate) const {
    const bool restored = fate.restore != nowhere;
    const Place make = restored ? fate.restore : fate.promote;
    if (make == nowhere) return;
    const std::string from =
        restored ? string_or(course_.node(make).arguments, "from", "") : std::string();
    std::string why;
    bool elsewhere = false;
    for (const WayBack& way :
         sources_of(outline_.plan, catalog_, damage_, component, site_of_data(fate))) {
        const std::string& method = way.protection->method;
        if (is_replication(method) == restored || (!from.empty() && method != from)) continue;
        if (way.left) return;
        if (why.empty() || (way.elsewhere && !elsewhere)) why = way.why;
        elsewhere = elsewhere || way.elsewhere;
    }
    // Whether what is left can be trusted is a matter of the loss.
    if (elsewhere) fate.flaws.push_back(flaw(Flaw::Kind::not_there, make, nowhere, why));
}

/// While data is wrong, what uses it stands still: before the new one is made, and until it is
/// told.
void Fates::inspect_isolation(Fate& fate, const Fate& need, const std::string& name,
                              bool can_switch) const {
    if (fate.holds.empty() || !need.corrupted || need.restore == nowhere) return;
    const bool late = std::ranges::all_of(
        fate.holds, [&](Place hold) { return course_.waits(hold, need.restore); });
    if (late)
        fate.flaws.push_back(
            flaw(Flaw::Kind::isolated_late, fate.holds.front(), need.restore, name));
    for (const Place free : fate.frees) {
        const bool ends_hold = std::ranges::any_of(fate.holds, [&](Place hold) {
            return lifts(course_.node(free), course_.node(hold)) && course_.waits(free, hold);
        });
        if (!ends_hold) continue;
        const bool told = std::ranges::any_of(fate.switches, [&](Place at) {
            return course_.waits(at, need.restore) && (at == free || course_.waits(free, at));
        });
        const bool fit =
            can_switch && !fate.switches.empty() ? told : course_.waits(free, need.restore);
        if (fit) continue;
        const Place after =
            can_switch && !fate.switches.empty() ? fate.switches.back() : need.restore;
        fate.flaws.push_back(flaw(Flaw::Kind::released_early, free, after, name));
        return;
    }
}

void Fates::inspect_need(Place place, Place need) {
    Fate& fate = fates_[place];
    const Fate& other = fates_[need];
    const std::string& name = outline_.plan.components[need].name;
    inspect_isolation(fate, other, name, can_switch(place));
    const bool hurt = other.hit || other.touched;
    if (!hurt || other.renewed == nowhere || !can_switch(place) || fate.switches.empty()) return;
    if (!course_.any_waits(fate.switches, other.renewed))
        fate.flaws.push_back(
            flaw(Flaw::Kind::told_early, fate.switches.back(), other.renewed, name));
}

/// Everything that is wrong with its steps and their order.
void Fates::inspect(Place place) {
    Fate& fate = fates_[place];
    inspect_proofs(fate);
    inspect_holds(fate);
    inspect_points(outline_.plan.components[place], fate);
    for (const Place need : outline_.needs[place]) inspect_need(place, need);
    for (const std::vector<Place>* steps : {&fate.brings, &fate.proofs})
        for (const Place at : *steps)
            if (const Place stopped = course_.timed(at).stopped; stopped != nowhere) {
                fate.flaws.push_back(flaw(Flaw::Kind::times_out, stopped, nowhere, {}));
                return;
            }
}

}  // namespace lifeboat::readiness

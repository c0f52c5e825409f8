#include "core/readiness/fates.h"

#include <fmt/core.h>

#include <algorithm>

namespace lifeboat::readiness {
namespace {

/// After this it may run again, however it was held.
bool is_free(const runbook::Node& node) {
    if (node.verb != "scale") return is_one_of(node.verb, {"release", "start", "repoint"});
    const auto replicas = node.arguments.find("replicas");
    return replicas == node.arguments.end() || *replicas != 0;
}

std::string until_of(const runbook::Node& node) {
    const auto until = node.arguments.find("until");
    return until == node.arguments.end() ? std::string() : string_or(*until, "value", "");
}

/// Why it is not back, for people; "" when it is back in spite of it.
std::string reason_of(const Flaw& flaw) {
    switch (flaw.kind) {
        case Flaw::Kind::told_early:
            return fmt::format("{} comes before the new {} is there", flaw.step, flaw.detail);
        case Flaw::Kind::held:
            return flaw.other.empty()
                       ? fmt::format("{} cuts it off, and nothing takes that back", flaw.step)
                       : fmt::format("{} cuts it off, and {} does not wait for that", flaw.step,
                                     flaw.other);
        case Flaw::Kind::looked_early:
            return fmt::format("{} looks whether it is back before {}", flaw.step, flaw.other);
        case Flaw::Kind::not_there:
            return flaw.detail;
        case Flaw::Kind::times_out:
            return fmt::format("{} is stopped before it is done", flaw.step);
        default:
            return {};
    }
}

}  // namespace

Outline::Outline(const plan::Plan& the_plan) : plan(the_plan), needs(the_plan.components.size()) {
    for (std::size_t i = 0; i < needs.size(); ++i)
        for (const std::string& need : plan.components[i].needs)
            if (const Place at = place(need); at != nowhere) needs[i].push_back(at);
    // Needs have no circles: parse() refuses them. Not recursive: chains may be thousands long.
    std::vector<std::size_t> open(needs.size());
    std::vector<std::vector<Place>> users(needs.size());
    for (std::size_t i = 0; i < needs.size(); ++i) {
        open[i] = needs[i].size();
        for (const Place need : needs[i]) users[need].push_back(static_cast<Place>(i));
        if (open[i] == 0) in_order.push_back(static_cast<Place>(i));
    }
    for (std::size_t next = 0; next < in_order.size(); ++next)
        for (const Place user : users[in_order[next]])
            if (--open[user] == 0) in_order.push_back(user);
}

Fates::Fates(const Outline& outline, const plan::Catalog& catalog, const plan::Scenario& scenario,
             const Damage& damage, const Course& course)
    : outline_(outline),
      catalog_(catalog),
      scenario_(scenario),
      damage_(damage),
      course_(course),
      fates_(outline.plan.components.size()) {
    mark();
    place_nodes();
    for (const Place at : outline_.in_order)
        if (fates_[at].hit || fates_[at].touched) judge(at);
}

void Fates::mark() {
    for (const std::string& name : damage_.lost)
        if (const Place at = outline_.place(name); at != nowhere) fates_[at].hit = true;
    for (const std::string& name : damage_.corrupted)
        if (const Place at = outline_.place(name); at != nowhere)
            fates_[at].hit = fates_[at].corrupted = true;
    for (const std::string& name : damage_.touched)
        if (const Place at = outline_.place(name); at != nowhere)
            fates_[at].touched = !fates_[at].hit;
}

/// `back`: it does something for it; otherwise it looks whether it is back.
void Fates::bring(Place component, Place node, bool back) {
    Fate& fate = fates_[component];
    (back ? fate.brings : fate.proofs).push_back(node);
    const Duration end = course_.timed(node).finish.p50;
    if (fate.ends == nowhere || end >= course_.timed(fate.ends).finish.p50) fate.ends = node;
}

/// The plan expects it back: a later step looks whether it is.
bool Fates::proven_later(Place component) const {
    const std::string& name = outline_.plan.components[component].name;
    return std::ranges::any_of(course_.nodes(), [&](const runbook::Node& node) {
        return is_proof(node.verb) && (node.component == name || until_of(node) == name);
    });
}

/// What is made from a description: what needs it, and what a later step expects on the cluster.
void Fates::deployed(Place at) {
    const runbook::Node& node = course_.node(at);
    const plan::Component* into = outline_.plan.component(string_or(node.arguments, "into", ""));
    for (std::size_t i = 0; i < fates_.size(); ++i) {
        const plan::Component& component = outline_.plan.components[i];
        if (!fates_[i].hit && !fates_[i].touched) continue;
        const plan::KindSpec* kind = catalog_.kind(component.kind);
        const bool needs =
            std::ranges::find(component.needs, node.component) != component.needs.end();
        const bool on_it = fates_[i].hit && into != nullptr && component.site == into->site &&
                           kind != nullptr && kind->platform == "kubernetes" && !kind->stateful;
        const auto place = static_cast<Place>(i);
        if (!needs && !(on_it && proven_later(place))) continue;
        bring(place, at, true);
        fates_[i].switches.push_back(at);
        fates_[i].frees.push_back(at);
    }
}

void Fates::place_node(Place at) {
    const runbook::Node& node = course_.node(at);
    if (node.verb == "deploy" || node.verb == "provision") deployed(at);
    if (node.verb == "wait") {
        if (const Place seen = outline_.place(until_of(node)); seen != nowhere)
            bring(seen, at, false);
        return;
    }
    const Place component = outline_.place(node.component);
    if (component == nowhere) return;
    Fate& fate = fates_[component];
    if (is_one_of(node.verb, {"isolate", "stop"})) {
        fate.holds.push_back(at);
        // A disaster's own steps take it down, too.
        if (!fate.hit && (!damage_.lost.empty() || !damage_.corrupted.empty())) fate.touched = true;
    }
    if (is_bystander(node.verb)) return;
    if (node.verb == "restore") fate.restore = at;
    if (node.verb == "promote") fate.promote = at;
    if (is_switch(node.verb)) fate.switches.push_back(at);
    if (is_free(node)) fate.frees.push_back(at);
    if (node.verb == "start") fate.started = true;
    bring(component, at, !is_proof(node.verb));
}

void Fates::place_nodes() {
    for (Place at = 0; at < course_.nodes().size(); ++at) place_node(at);
    for (std::size_t i = 0; i < fates_.size(); ++i) {
        Fate& fate = fates_[i];
        const bool moved = fate.promote != nowhere &&
                           course_.node(fate.promote).site != outline_.plan.components[i].site;
        fate.renewed = fate.restore;
        if (fate.restore == nowhere && moved) fate.renewed = fate.promote;
    }
}

bool Fates::can_switch(Place component) const {
    return catalog_.verb(outline_.plan.components[component].kind, "repoint") != nullptr;
}

/// Whether and when it is back, after all that it needs has been judged.
void Fates::judge(Place place) {
    Fate& fate = fates_[place];
    const plan::Component& component = outline_.plan.components[place];
    const plan::KindSpec* kind = catalog_.kind(component.kind);
    const bool data_back = kind == nullptr || !kind->stateful || fate.restore != nowhere ||
                           fate.promote != nowhere || keeps_data(component, fate);
    if (fate.hit && (fate.brings.empty() || !data_back)) {
        fate.recovers = false;
        fate.forgotten = true;
        fate.why = course_.uncompiled().empty() ? "no step brings it back" : course_.uncompiled();
        return;
    }
    inspect(place);
    for (const Flaw& one : fate.flaws)
        if (fate.recovers) {
            fate.why = reason_of(one);
            fate.recovers = fate.why.empty();
        }
    if (!fate.recovers) return;
    if (fate.ends != nowhere) fate.finish = course_.timed(fate.ends).finish;
    for (const Place need : outline_.needs[place]) {
        const Fate& other = fates_[need];
        if (!other.hit && !other.touched) continue;
        const std::string& name = outline_.plan.components[need].name;
        if (!other.recovers) {
            fate.recovers = false;
            fate.why = "it needs " + name + ", which is not back";
            return;
        }
        if (other.renewed != nowhere && can_switch(place) && fate.switches.empty()) {
            fate.recovers = false;
            fate.why = "nothing tells it where the new " + name + " is";
            return;
        }
        if (other.finish.p50 > fate.finish.p50) fate.via = need;
        fate.finish = later(fate.finish, other.finish);
    }
}

bool Fates::keeps_data(const plan::Component& component, const Fate& fate) const {
    const bool gone = std::ranges::find(scenario_.lost, component.name) != scenario_.lost.end() ||
                      damage_.sites.contains(component.site);
    return fate.started && !gone && !fate.corrupted && fate.restore == nowhere;
}

std::string_view Fates::site_of_data(const Fate& fate) const {
    const Place make = fate.restore != nowhere ? fate.restore : fate.promote;
    return make == nowhere ? std::string_view() : std::string_view(course_.node(make).site);
}

}  // namespace lifeboat::readiness

#pragma once
/// What a disaster takes away, and which recovery points it leaves: the common ground of the
/// forecast (worst case) and of the simulation (drawn cases). Pure.

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/plan/catalog.h"
#include "core/plan/model.h"

namespace lifeboat::readiness {

struct Damage {
    std::set<std::string> sites;  ///< lost as a whole
    std::set<std::string>
        lost;  ///< components that are gone: named, at a lost site, on a lost cluster
    std::set<std::string> corrupted;  ///< there, and wrong
    std::set<std::string> touched;    ///< neither, but they need something that is

    bool hits(const std::string& component) const {
        return lost.contains(component) || corrupted.contains(component);
    }
};
/// What the scenario says that it takes, or what its signals see; not what goes with that.
Damage struck_by(const plan::Scenario& scenario);
Damage damage_of(const plan::Plan& plan, const plan::Catalog& catalog,
                 const plan::Scenario& scenario);
/// The damage when just this component is gone.
Damage damage_of_loss(const plan::Plan& plan, const plan::Catalog& catalog,
                      const std::string& component);

/// Something, not somebody, gives the signal: an alert that a component emits, a health check.
bool has_source(const plan::Plan& plan, const plan::Signal& signal);
/// It has a source, or people give it.
bool can_be_seen(const plan::Plan& plan, const plan::Signal& signal);

/// One protection as a way back to the data after a disaster.
struct WayBack {
    const plan::Protection* protection = nullptr;
    bool left = false;       ///< the disaster leaves its points, they can be trusted and be reached
    bool elsewhere = false;  ///< they are left, and not at the site where they are needed
    std::string why;         ///< when they are not left
    std::string place;       ///< where its points are read from: a site, or "vault"
    Duration interval{};     ///< between points; of a stream: how far it may lag
    Duration make{};         ///< until a point is complete
    Duration copy{};         ///< until it is where it is needed; 0 when no copy is needed
};
/// One per protection of the component, in the plan's order. `where`: the site where they are
/// needed; "" = the component's own, or wherever points are left when that is lost.
std::vector<WayBack> sources_of(const plan::Plan& plan, const plan::Catalog& catalog,
                                const Damage& damage, const plan::Component& component,
                                std::string_view where = {});

/// Follows every write, the wrong ones too: of no use against corruption.
bool is_replication(std::string_view method);
/// Looks, tells, waits or holds back: brings nothing back.
bool is_bystander(std::string_view verb);
/// Gives what needs something new its address, or starts it with that.
bool is_switch(std::string_view verb);
/// Shows that the component is back: the last thing that its recovery time counts.
bool is_proof(std::string_view verb);

}  // namespace lifeboat::readiness

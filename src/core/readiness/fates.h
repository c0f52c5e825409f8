#pragma once
/// What becomes of every component in one scenario: by which steps it is brought back, told, cut
/// off and proven, in which order, and when it is back. Inside of core/readiness. Pure.

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/readiness/course.h"
#include "core/readiness/forecast.h"
#include "core/readiness/reach.h"

namespace lifeboat::readiness {

inline bool is_one_of(std::string_view verb, std::initializer_list<std::string_view> verbs) {
    return std::ranges::find(verbs, verb) != verbs.end();
}

/// What does not change from scenario to scenario.
struct Outline {
    explicit Outline(const plan::Plan& plan);
    Place place(std::string_view name) const {
        const auto found = plan.component_index.find(name);
        return found == plan.component_index.end() ? nowhere : static_cast<Place>(found->second);
    }
    const plan::Plan& plan;
    std::vector<std::vector<Place>> needs;  ///< by component
    std::vector<Place> in_order;            ///< each after what it needs
};

/// A component in one scenario. Its steps are in the graph's order.
struct Fate {
    bool hit = false, touched = false, corrupted = false;
    std::vector<Place> brings;                   ///< steps that do something for it to be back
    std::vector<Place> proofs;                   ///< that show that it is
    std::vector<Place> switches;                 ///< that give it the addresses of what it needs
    std::vector<Place> holds;                    ///< that cut it off or stop it
    std::vector<Place> frees;                    ///< after which it runs again
    Place restore = nowhere, promote = nowhere;  ///< the last of each
    Place renewed = nowhere;  ///< since this step it has another address than before the disaster
    Place ends = nowhere;     ///< the last step that brings it back, or shows it
    bool started = false;     ///< where it stands, with the data that it has
    bool recovers = true, forgotten = false;
    Finish finish;
    Place via = nowhere;  ///< the need that is back last, and later than itself
    std::string why;      ///< when it does not recover
    std::vector<Flaw> flaws;
};

class Fates {
public:
    Fates(const Outline& outline, const plan::Catalog& catalog, const plan::Scenario& scenario,
          const Damage& damage, const Course& course);

    const Fate& of(Place component) const { return fates_[component]; }
    /// A scenario that does not say that it is gone, and starts it again where it stands.
    bool keeps_data(const plan::Component& component, const Fate& fate) const;
    /// The site where its data comes back; "" when no step says.
    std::string_view site_of_data(const Fate& fate) const;

private:
    void mark();
    void place_nodes();
    void place_node(Place at);
    void bring(Place component, Place node, bool back);
    void deployed(Place at);
    bool proven_later(Place component) const;
    void judge(Place component);
    void inspect(Place component);
    void inspect_proofs(Fate& fate) const;
    void inspect_holds(Fate& fate) const;
    void inspect_points(const plan::Component& component, Fate& fate) const;
    void inspect_need(Place component, Place need);
    void inspect_isolation(Fate& fate, const Fate& need, const std::string& name,
                           bool can_switch) const;
    bool can_switch(Place component) const;
    Flaw flaw(Flaw::Kind kind, Place step, Place other, std::string detail) const;

    const Outline& outline_;
    const plan::Catalog& catalog_;
    const plan::Scenario& scenario_;
    const Damage& damage_;
    const Course& course_;
    std::vector<Fate> fates_;
};

}  // namespace lifeboat::readiness

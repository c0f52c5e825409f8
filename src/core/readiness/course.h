#pragma once
/// The steps of a scenario as they would run: which waits for which, and when each is done.
/// Inside of core/readiness. Pure; not thread-safe (answers share a scratch pad).

#include <cstdint>
#include <string>
#include <vector>

#include "core/readiness/history.h"
#include "core/runbook/graph.h"

namespace lifeboat::readiness {

using Place = std::uint32_t;  ///< of a component in the plan, or of a node in the graph
constexpr Place nowhere = UINT32_MAX;

/// From the beginning of the run.
struct Finish {
    Duration p5{}, p50{}, p95{};
};
Finish later(const Finish& a, const Finish& b);
Finish operator+(const Finish& at, const Spread& took);

struct Timed {
    Spread took, approval;
    bool own_account = false;  ///< measured here, or declared for this very step
    Finish finish;
    Place before = nowhere;  ///< the node that it waits for longest
    Place stopped =
        nowhere;  ///< the node that is never done, for its time is too short: itself, or one before
    plan::Position at;
};

class Course {
public:
    /// Compiles as a preview does: kinds that this build cannot act on, too. A scenario that cannot
    /// be compiled has no nodes, and says why.
    Course(const plan::Plan& plan, const plan::Catalog& catalog, const History& history,
           const plan::Scenario& scenario);

    const std::vector<runbook::Node>& nodes() const { return graph_.nodes; }
    const runbook::Node& node(Place at) const { return graph_.nodes[at]; }
    const std::string& id(Place at) const { return graph_.nodes[at].id.value; }
    const Timed& timed(Place at) const { return timed_[at]; }
    const std::string& uncompiled() const { return uncompiled_; }
    /// `last` waits for `first`, directly or not.
    bool waits(Place last, Place first) const;
    /// One of `last` waits for `first`.
    bool any_waits(const std::vector<Place>& last, Place first) const;

private:
    void time_nodes(const plan::Plan& plan, const History& history, const plan::Scenario& scenario);

    runbook::Graph graph_;
    std::string uncompiled_;
    std::vector<std::vector<Place>> needs_;  ///< by node
    std::vector<Timed> timed_;
    mutable std::vector<Place> seen_, open_;  ///< of waits(): the question that a node was seen in
    mutable Place asked_ = 0;
};

}  // namespace lifeboat::readiness

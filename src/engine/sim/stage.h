#pragma once
/// A plan made ready to be tried: its disasters, the runs that answer them, and what each component
/// needs to be back. All trials share it. Immutable after make(), so threads may share it; it
/// refers to the plan, which must outlive it.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/readiness/reach.h"
#include "core/runbook/machine.h"
#include "engine/sim/pace.h"

namespace lifeboat::engine::sim {

struct Goal {
    std::uint32_t component = 0;  ///< its place in the plan
    std::string name;             ///< of the component
    bool loss = false;            ///< RPO; else RTO
    Duration limit{};
    plan::Position at;
};

/// How a component that is hit comes back in an act.
struct Way {
    bool hit = false, corrupted = false, touched = false;
    bool zone_safe = false;            ///< survives the loss of a zone by itself
    std::vector<std::uint32_t> steps;  ///< nodes of the run that bring it back, or prove it
    bool brought = false;              ///< one of them brings it back, not only proves it
    bool data_brought = false;         ///< … with its data
    bool restored = false;             ///< … from points
    bool promoted = false;             ///< … by taking over a replica
    std::string from;                  ///< the method whose points are used; "" = the best
    std::vector<std::uint32_t> needs;  ///< components
    std::vector<readiness::WayBack> sources;
    std::vector<bool> survives_account;  ///< by source: who takes the account cannot delete it
    Duration thaw{};                     ///< until points in cold storage can be read
};

enum class Strike { component, zone, site, corruption };

/// One kind of disaster, and the plan's answer to it.
struct Act {
    std::string name;                          ///< the scenario's, or "cache lost"
    const plan::Scenario* scenario = nullptr;  ///< nullptr: the plan has no answer
    Strike strike = Strike::component;
    unsigned weight = 0;
    bool attack = false;  ///< somebody means harm
    readiness::Damage damage;
    runbook::RunStarted start;
    std::vector<runbook::Node> nodes;     ///< of the run, and after them those of a rollback
    std::vector<Pace> paces;              ///< by node
    std::vector<Duration> thaw;           ///< by node: until its points can be read
    std::vector<bool> out_of_reach;       ///< by node: acts at a lost site
    std::vector<bool> control_plane;      ///< by node: its control plane went with the site
    std::vector<Way> ways;                ///< by component
    std::vector<std::uint32_t> in_order;  ///< components, each after what it needs
    std::map<StepId, std::uint32_t> node_of;
    std::optional<Pace> detection;               ///< as measured here, often enough
    std::vector<std::optional<Pace>> approvals;  ///< by node, likewise
    Duration check_every{};                      ///< how often an unhealthy component is looked at
};

class Stage {
public:
    struct Options {
        std::string scenario;  ///< only this one; "" = all, and losses that no scenario answers
        readiness::History history;
    };
    /// Errors: not_found (no such scenario), invalid (a scenario that cannot be compiled, a plan
    /// without any objective).
    static Result<Stage> make(const plan::Plan& plan, const plan::Catalog& catalog,
                              const Options& options);

    const plan::Plan& plan() const { return *plan_; }
    const std::vector<Goal>& goals() const { return goals_; }
    const std::vector<Act>& acts() const { return acts_; }
    const Act& draw_act(Chance& chance) const;
    std::size_t index_of(const Act& act) const {
        return static_cast<std::size_t>(&act - acts_.data());
    }
    /// Somebody of the plan can really be called.
    bool has_people() const { return has_people_; }
    /// "database RTO 1h".
    std::string title(const Goal& goal) const;
    /// What the numbers rest on that the plan does not say.
    const std::vector<std::string>& assumptions() const { return assumptions_; }

private:
    Result<void> add_scenario(const plan::Scenario& scenario, const plan::Catalog& catalog,
                              const Options& options);
    void add_unanswered(const plan::Catalog& catalog);
    /// A scenario less than the loss of a whole site takes it.
    bool is_answered(const std::string& component) const { return answered_.contains(component); }
    void add_ways(Act& act, const plan::Catalog& catalog, const runbook::Graph& graph);
    void note_assumptions();

    const plan::Plan* plan_ = nullptr;
    std::vector<Goal> goals_;
    std::vector<Act> acts_;
    unsigned weights_ = 0;
    bool has_people_ = false;
    std::set<std::string> answered_;
    std::vector<std::string> assumptions_;
};

}  // namespace lifeboat::engine::sim

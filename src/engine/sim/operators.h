#pragma once
/// Simulated people: they approve late, twice, wrongly or never, mend what is held, meddle, and ask
/// for what makes no sense. They look at the world before they say that something did not happen.
/// Not thread-safe.

#include <optional>

#include "engine/sim/faults.h"
#include "engine/sim/providers.h"

namespace lifeboat::engine::sim {

class Operators {
public:
    Operators(World& world, const Faults& faults, Providers& providers, Story& story)
        : world_(world), faults_(faults), providers_(providers), story_(story) {}

    /// People who will interfere without being asked.
    void begin();
    /// Something durable happened: somebody may come and look, later.
    void on_event(const rb::RunState& state, const rb::Event& event);
    /// Somebody looks at the run as it is now, and may ask for something.
    std::optional<rb::Body> look(const rb::RunState& state, const OperatorLooks& looks);

private:
    std::optional<rb::Body> mend(const rb::RunState& state, const StepId& id);
    std::optional<rb::Body> mend_unsure(const rb::Node& node, const rb::StepState& step);
    std::optional<rb::Body> approve(const rb::RunState& state, const OperatorLooks& looks);
    std::optional<rb::Body> meddle(const rb::RunState& state);
    void call_approvers(const rb::RunState& state, const StepId& id);
    rb::Actor somebody(bool proven = true);

    World& world_;
    const Faults& faults_;
    Providers& providers_;
    Story& story_;
    std::map<StepId, unsigned> retries_;
};

}  // namespace lifeboat::engine::sim

#pragma once
/// Simulated providers behind the Executor: each call meets a fate drawn from the seed, and what it
/// does is written into the world's truth. What they answer may be late, lost or repeated, but a
/// probe never lies. Not thread-safe.

#include "engine/driver.h"
#include "engine/sim/faults.h"
#include "engine/sim/invariants.h"
#include "engine/sim/mutants.h"
#include "engine/sim/story.h"
#include "engine/sim/world.h"

namespace lifeboat::engine::sim {

class Providers final : public Executor {
public:
    Providers(World& world, const Faults& faults, Invariants& invariants, Story& story,
              Mutant mutant)
        : world_(world), faults_(faults), invariants_(invariants), story_(story), mutant_(mutant) {}

    void start(const rb::RunState& state, const rb::Command& command) override;

    /// A call that was under way reaches its target.
    void act(std::size_t call);
    /// Somebody makes sure that nothing of the step is under way any more.
    void end_calls(Truth& truth);
    /// The engine that gets the replies from now on.
    void serve(unsigned engine) { engine_ = engine; }
    /// Nodes are needed to act after the engine is gone.
    void know(const rb::RunState& state);
    std::uint64_t commands() const { return commands_; }
    Json outputs_of(const rb::Node& node, const std::string& token);
    /// The truth about the step: of the token that its provider uses.
    Truth& truth_of(const rb::Node& node, unsigned attempt);

private:
    enum class Fate { works, unavailable, broken, hangs, lost, unknown_done, unknown_absent, late };

    void carry(const rb::RunState& state, const rb::StartVerb& command);
    void carry(const rb::RunState& state, const rb::PollVerb& command);
    void carry(const rb::RunState& state, const rb::ProbeVerb& command);
    void carry(const rb::RunState& state, const rb::CancelVerb& command);
    void carry(const rb::RunState& state, const rb::RecordCalls& command);
    void carry(const rb::RunState& state, const rb::SetTimer& command);

    Fate draw_fate(const rb::Node& node);
    bool is_out_of_reach(const rb::Node& node) const {
        return world_.is_parted() ||
               (!node.component.empty() && node.component == world_.out_of_reach);
    }
    void adopt(const rb::RunState& state, const rb::Node& node, unsigned attempt);
    void answer(const rb::Node& node, const Call& call, Fate fate, Duration acts, Duration replies);
    void reply(Duration after, rb::Body body, std::optional<std::size_t> call = std::nullopt);
    std::string token_of(const rb::Node& node, unsigned attempt) const;
    bool may_promote(const rb::RunState& state, const rb::Node& node) const;
    Duration latency();

    World& world_;
    const Faults& faults_;
    Invariants& invariants_;
    Story& story_;
    Mutant mutant_;
    unsigned engine_ = 0;
    std::uint64_t commands_ = 0;
    std::map<StepId, rb::Node> nodes_;
};

}  // namespace lifeboat::engine::sim

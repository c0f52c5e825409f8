#pragma once
/// What must hold of every run, whatever goes wrong (DESIGN §4): checked after each durable event,
/// each command and each effect.
///
/// Keeps its own account of the run, from the journal and from the world, and believes nothing that
/// the machine says about itself. The first violation is kept. Not thread-safe.

#include <map>
#include <optional>
#include <set>
#include <string>

#include "engine/sim/world.h"

namespace lifeboat::engine::sim {

/// Doing it again cannot do harm.
bool is_repeatable(const rb::Node& node);

class Invariants {
public:
    /// A durable event, in order, with the state after the decision that it belongs to.
    void on_event(const rb::RunState& state, const rb::Event& event);
    /// The engine asks the executor for something. `command` after its decision was journaled.
    void on_command(const rb::Command& command);
    /// A call acts, in truth. `truth` as it was before.
    void on_act(const World& world, const rb::Node& node, const Truth& truth);
    /// A restore takes this point.
    void on_restore(const World& world, const rb::Node& node, const incident::KnownPoint& point);
    void on_adopt(const StepId& step, unsigned attempt, const std::string& component,
                  const Truth& made);
    /// What a restart replays must be what was durable before.
    void on_replay(const rb::RunState& before, const rb::RunState& replayed);
    /// Nothing more will happen.
    void on_end(const World& world, const rb::RunState& state);
    void fail(std::string what);

    const std::optional<std::string>& violation() const { return violation_; }
    std::uint64_t events() const { return events_; }

private:
    enum class Open { no, call, unknown };  ///< of the last attempt: its outcome
    struct Step {
        const rb::Node* node = nullptr;
        unsigned attempt = 0;
        unsigned started = 0;  ///< StartVerb or RecordCalls given for this attempt
        unsigned intents = 0, polls = 0, probes = 0, cancels = 0;
        unsigned poll_commands = 0, probe_commands = 0, cancel_commands = 0;
        Open open = Open::no;
        bool operating = false;
        bool acting = false;      ///< something is under way; else an abort ends it at once
        bool cancelling = false;  ///< an abort waits for the cancel
        bool settled = false, passed = false, held = false;
        bool met = false;  ///< ApprovalMet is journaled
        std::vector<rb::Approved> approvals;
        std::set<std::pair<unsigned, std::string>> adopted;
    };

    struct Reader;
    void begin_step(const rb::StepIntended& e);
    void check_approval(const Step& step, const StepId& id);
    void settle(const StepId& id, bool passed);
    void outcome(const StepId& id, unsigned attempt, bool known);
    void add_nodes(const std::vector<rb::Node>& nodes);
    Step* find(const StepId& id);
    void compare(const rb::RunState& state, const rb::Event& event);
    void check_loss(const World& world, const rb::RunState& state);

    std::map<StepId, Step> steps_;
    std::map<StepId, rb::Node> nodes_;
    std::set<StepId> held_;
    Instant latest_{};              ///< recorded time of the last event
    bool clock_went_back_ = false;  ///< … and it was earlier than the one before
    bool begun_ = false, paused_ = false, aborted_ = false, finished_ = false;
    std::uint64_t events_ = 0;
    std::optional<std::string> violation_;
};

}  // namespace lifeboat::engine::sim

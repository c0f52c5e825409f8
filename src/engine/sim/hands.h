#pragma once
/// What carries out a run in a trial: providers with good and bad days, people who sleep, an engine
/// that may die. Behind the Executor, on a virtual clock that starts at the disaster.
///
/// Milder than `providers.h`, which looks for defects of the machine: this is what a disaster is
/// like. Every draw comes from a stream of its own step, so that two plans meet the same luck. Not
/// thread-safe.

#include <fmt/core.h>

#include <functional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "engine/driver.h"
#include "engine/sim/stage.h"

namespace lifeboat::engine::sim {

/// One line of a trial's story. `at` counts from the first sign of the disaster.
using Teller = std::function<void(Duration at, std::string_view who, const std::string& what)>;

/// What kind of day it is.
struct Weather {
    double slow = 1.0;      ///< everything takes this much longer
    unsigned failing = 2;   ///< of a hundred calls: fail, and may be repeated
    unsigned breaking = 0;  ///< of a thousand calls: fail for good
    unsigned hanging = 5;   ///< of a thousand calls: never come back
    bool night = false;
    bool engine_dies = false;  ///< once, somewhere in the run
    Duration control_plane{};  ///< when a lost control plane answers again

    static Weather draw(std::uint64_t seed, const Act& act, bool night);
    std::string text() const;
};

/// How long until a person who is called is there.
Duration draw_response(Chance& chance, bool night);

struct Arrival {
    enum class What { reply, timer, approval, held, engine } what = What::reply;
    std::optional<runbook::Body> body;  ///< of a reply
    std::string timer;
    std::uint32_t node = 0;
    std::string person;
    unsigned engine = 0;
};

class Hands final : public Executor {
public:
    Hands(const Act& act, const Weather& weather, std::uint64_t seed, const Teller& tell)
        : act_(act), weather_(weather), seed_(seed), tell_(tell), deeds_(act.nodes.size()) {
        // Whoever has begun the run is there; an automatic one nobody has begun.
        if (act.scenario != nullptr && !act.scenario->automatic) awake_.emplace("on call");
    }

    void start(const runbook::RunState& state, const runbook::Command& command) override;
    /// Something durable happened: somebody may have to come.
    void on_event(const runbook::Event& event);
    /// What a person asks of the run, now that they are there.
    std::optional<runbook::Body> look(const runbook::RunState& state, const Arrival& arrival);

    Duration now() const { return now_; }
    void advance_to(Duration at) { now_ = at; }
    void schedule(Duration after, Arrival arrival);
    /// The next that happens; nothing: nothing ever will.
    std::optional<Arrival> next();
    /// One line of the story, when somebody listens.
    template <class... T>
    void tell(std::string_view who, fmt::format_string<T...> text, T&&... values) const {
        if (tell_) tell_(now_, who, fmt::format(text, std::forward<T>(values)...));
    }
    /// From now on, replies to the engine that is gone go nowhere.
    void change_engine() { ++engine_; }
    unsigned engine() const { return engine_; }

private:
    /// What is really there.
    struct Deed {
        bool busy = false, there = false, will_fail = false, failed = false;
        Duration ends{};
        unsigned polls = 0;
        unsigned held = 0;   ///< how often a person had to come
        unsigned asked = 0;  ///< how often approval was asked for
    };
    struct Later {
        Duration at;
        std::uint64_t number;
        std::uint32_t slot;
        bool operator<(const Later& other) const {
            return std::pair(at, number) > std::pair(other.at, other.number);
        }
    };

    void carry(const runbook::RunState& state, const runbook::StartVerb& command);
    void carry(const runbook::RunState& state, const runbook::PollVerb& command);
    void carry(const runbook::RunState& state, const runbook::ProbeVerb& command);
    void carry(const runbook::RunState& state, const runbook::CancelVerb& command);
    void carry(const runbook::RunState& state, const runbook::RecordCalls& command);
    void carry(const runbook::RunState& state, const runbook::SetTimer& command);
    void work(std::uint32_t node, const StepId& id, unsigned attempt, Chance& chance);
    Duration time_of_work(std::uint32_t node, unsigned attempt) const;
    void call_approvers(std::uint32_t node);
    std::optional<runbook::Body> mend(const runbook::RunState& state, std::uint32_t node);
    void settle(Deed& deed) const;
    void reply(Duration after, runbook::Body body);
    std::uint32_t node_of(const StepId& id) const { return act_.node_of.at(id); }
    Chance luck(std::uint32_t node, unsigned attempt, unsigned purpose) const;

    const Act& act_;
    const Weather& weather_;
    std::uint64_t seed_;
    const Teller& tell_;
    std::vector<Deed> deeds_;
    std::set<std::pair<std::uint32_t, std::string>> called_;  ///< to which node, and who
    std::set<std::string> awake_;                             ///< people who have come
    Duration now_{};
    unsigned engine_ = 0;
    std::uint64_t scheduled_ = 0;
    std::vector<Later> queue_;  // a heap: the next one is the front
    std::vector<Arrival> slots_;
    std::vector<std::uint32_t> free_;
};

}  // namespace lifeboat::engine::sim

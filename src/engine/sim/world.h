#pragma once
/// The simulated outside: a virtual clock, what is going to happen, and what is really true.
///
/// Truth is kept by token, apart from what the engine believes: so acting twice is seen. Everything
/// happens in one thread, in the order of virtual time. Not thread-safe.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "core/incident/incident.h"
#include "core/runbook/machine.h"
#include "engine/sim/chance.h"

namespace lifeboat::engine::sim {

namespace rb = runbook;

/// What stands behind a token.
struct Truth {
    StepId step;
    unsigned acts = 0;    ///< how often it acted
    bool there = false;   ///< done, and not taken back
    bool busy = false;    ///< a long operation is at it
    bool broken = false;  ///< the operation failed
    bool will_fail = false;
    std::string operation;
    Monotonic begun{}, ends{};
    std::vector<std::size_t> in_flight;         ///< calls that were sent and have not acted yet
    std::optional<incident::KnownPoint> point;  ///< what was restored
};

/// A call of start() that may still act.
struct Call {
    std::string token;
    StepId step;
    unsigned attempt = 0;
    bool long_work = false;
    bool ended = false;  ///< acted, or will not any more
    bool acted = false;
    std::optional<incident::KnownPoint> point = std::nullopt;  ///< that a restore has chosen
};

struct Reply {
    unsigned engine = 0;  ///< the one that asked; nobody listens when it is gone
    rb::Body body;
    std::optional<std::size_t> call =
        std::nullopt;  ///< whose deed it reports: comes only if it acted
};
struct TimerDue {
    unsigned engine = 0;
    std::string timer;
};
struct CallActs {
    std::size_t call = 0;
};
/// An operator comes back to a step, or to the run.
struct OperatorLooks {
    enum class At { approval, held, paused, meddling } at = At::meddling;
    StepId step;
    unsigned round = 0;
};
struct EngineReturns {
    unsigned engine = 0;
};
struct ClockJumps {
    Duration by{};
};
/// The engine's machine stands still: a frozen virtual machine, a disk that hangs.
struct EngineStalls {
    Duration lasting{};
};
struct NetworkParts {
    Duration lasting{};
};
using Happening = std::variant<Reply, TimerDue, CallActs, OperatorLooks, EngineReturns, ClockJumps,
                               EngineStalls, NetworkParts>;

class World {
public:
    explicit World(Chance& source) : chance(source) {}

    Monotonic monotonic() const { return now_; }
    Instant wall() const { return start_ + now_ + skew_; }
    void jump_wall(Duration by) { skew_ += by; }

    void schedule(Duration after, Happening happening);
    /// Moves time to the next happening. Nothing: nothing will ever happen again.
    std::optional<Happening> next();

    Truth& truth(const std::string& token) { return truths_[token]; }
    const std::map<std::string, Truth>& truths() const { return truths_; }
    /// Brings an operation up to date with the time.
    void settle(Truth& truth) const;
    std::size_t send(Call call);
    Call& call(std::size_t index) { return calls_[index]; }
    /// Ends what is in flight: each call acts now or never. `act` is called for those that do.
    template <class Act>
    void end_calls(Truth& truth, Act act) {
        std::vector<std::size_t> open;
        open.swap(truth.in_flight);
        for (const std::size_t index : open) {
            if (calls_[index].ended) continue;
            if (chance.percent(50)) act(index);
            calls_[index].ended = true;
        }
    }
    /// The engine's machine died: some requests had left it, others had not.
    void drop_unsent();

    Chance& chance;
    std::set<std::string> fenced;     ///< components whose old primary cannot write
    std::set<std::string> dead;       ///< components whose old primary is proven dead
    std::string out_of_reach;         ///< the component that nobody can reach; "" = none
    std::set<std::string> strangers;  ///< components where something else answers
    Monotonic parted_until{};         ///< nothing can be reached before
    std::map<std::string, std::vector<incident::KnownPoint>> points;  ///< by component
    std::map<std::string, std::string> current;  ///< token of what a component runs as

    bool is_parted() const { return now_ < parted_until; }
    /// The point that a sound provider restores: proven rather than not, never a bad one.
    std::optional<incident::KnownPoint> sound_point(const std::string& component) const;

private:
    struct Later {
        Monotonic at;
        std::uint64_t number;  // first come, first served
        Happening what;
        bool operator<(const Later& other) const {
            return std::pair(at, number) > std::pair(other.at, other.number);
        }
    };
    Monotonic now_{std::chrono::hours(1)};
    Duration skew_{};
    Instant start_{std::chrono::hours(24 * 365 * 56)};
    std::uint64_t scheduled_ = 0;
    std::vector<Later> queue_;  // a heap: the next one is the front
    std::map<std::string, Truth> truths_;
    std::vector<Call> calls_;
};

/// The world's time, for the state's leases.
class WorldClock final : public Clock {
public:
    explicit WorldClock(const World& world) : world_(world) {}
    Instant now() const override { return world_.wall(); }
    Monotonic monotonic() const override { return world_.monotonic(); }

private:
    const World& world_;
};

}  // namespace lifeboat::engine::sim

#pragma once
/// From single looks to whether a signal of a disaster holds: it must last (`for:`), a short relief
/// does not end it, and what goes up and down all the time is not well.
///
/// Pure: time is that of the looks. A look that could not be taken says nothing either way, and a
/// clock that goes back moves nothing.

#include <optional>
#include <vector>

#include "core/plan/model.h"

namespace lifeboat::watch {

struct SignalPolicy {
    Duration lasting{};                                ///< of the trouble, before the signal holds
    Duration relief = std::chrono::seconds(15);        ///< shorter ones do not start the count anew
    Duration calm = std::chrono::seconds(60);          ///< well for so long: the signal has cleared
    unsigned flaps_max = 6;                            ///< changes between failing and well …
    Duration flaps_within = std::chrono::minutes(10);  ///< … within this time: it flaps, and holds

    static SignalPolicy of(const plan::Signal& signal);
};

enum class Look { failing, well, unknown };

enum class SignalPhase {
    clear,
    rising,   ///< failing, not yet for long enough
    holding,  ///< the signal
    falling,  ///< well again, not yet for long enough
};

struct SignalState {
    SignalPhase phase = SignalPhase::clear;
    std::optional<Instant> failing_since;  ///< the first failing look of this trouble
    std::optional<Instant> well_since;     ///< of the relief that goes on
    std::optional<Instant> holds_since;
    Look last = Look::unknown;  ///< the last look that said something
    Instant latest{};
    std::vector<Instant> changes;  ///< between failing and well, the newest few
    bool flapping = false;

    bool holds() const { return phase == SignalPhase::holding || phase == SignalPhase::falling; }
    bool operator==(const SignalState&) const = default;
};

enum class SignalChange { none, holds, cleared };

/// Takes one look into account.
SignalChange observe(SignalState& state, const SignalPolicy& policy, Instant at, Look look);

/// The signals of a scenario together: any of them, or all. Nothing while it does not hold; else
/// the first failing look that belongs to it, from which RTO counts.
std::optional<Instant> detected_since(const plan::Detection& detection,
                                      const std::vector<SignalState>& signals);

}  // namespace lifeboat::watch

#include "core/watch/signal.h"

#include <algorithm>

namespace lifeboat::watch {
namespace {

void count_change(SignalState& state, const SignalPolicy& policy, Instant at) {
    state.changes.push_back(at);
    std::erase_if(state.changes, [&](Instant one) { return at - one > policy.flaps_within; });
    if (state.changes.size() > policy.flaps_max)
        state.changes.erase(state.changes.begin(),
                            state.changes.end() - static_cast<std::ptrdiff_t>(policy.flaps_max));
    state.flapping = state.changes.size() >= policy.flaps_max;
}

SignalChange hold(SignalState& state, Instant at) {
    state.phase = SignalPhase::holding;
    state.holds_since = at;
    return SignalChange::holds;
}

void clear(SignalState& state) {
    state.phase = SignalPhase::clear;
    state.failing_since.reset();
    state.well_since.reset();
    state.holds_since.reset();
    state.changes.clear();
    state.flapping = false;
}

SignalChange on_failing(SignalState& state, const SignalPolicy& policy, Instant at) {
    const bool relieved = state.well_since && at - *state.well_since >= policy.relief;
    state.well_since.reset();
    switch (state.phase) {
        case SignalPhase::falling:
            state.phase = SignalPhase::holding;
            return SignalChange::none;
        case SignalPhase::holding:
            return SignalChange::none;
        case SignalPhase::rising:
            if (relieved) state.failing_since = at;
            break;
        case SignalPhase::clear:
            state.phase = SignalPhase::rising;
            state.failing_since = at;
            break;
    }
    const bool lasts = at - *state.failing_since >= policy.lasting;
    return lasts || state.flapping ? hold(state, at) : SignalChange::none;
}

SignalChange on_well(SignalState& state, const SignalPolicy& policy, Instant at) {
    if (!state.well_since) state.well_since = at;
    const Duration relief = at - *state.well_since;
    switch (state.phase) {
        case SignalPhase::clear:
            return SignalChange::none;
        case SignalPhase::rising:
            // While it may still be flapping, its changes are remembered until it is really calm.
            if (relief >=
                std::max(policy.relief, state.changes.empty() ? Duration::zero() : policy.calm))
                clear(state);
            return SignalChange::none;
        case SignalPhase::holding:
        case SignalPhase::falling:
            break;
    }
    state.phase = SignalPhase::falling;
    if (relief < policy.calm) return SignalChange::none;
    clear(state);
    return SignalChange::cleared;
}

}  // namespace

SignalPolicy SignalPolicy::of(const plan::Signal& signal) {
    SignalPolicy policy;
    policy.lasting = signal.lasting.value_or(Duration::zero());
    policy.calm = std::max(policy.calm, policy.lasting);
    return policy;
}

SignalChange observe(SignalState& state, const SignalPolicy& policy, Instant at, Look look) {
    state.latest = std::max(state.latest, at);
    if (look == Look::unknown) return SignalChange::none;
    if (state.last != Look::unknown && look != state.last)
        count_change(state, policy, state.latest);
    state.last = look;
    return look == Look::failing ? on_failing(state, policy, state.latest)
                                 : on_well(state, policy, state.latest);
}

std::optional<Instant> detected_since(const plan::Detection& detection,
                                      const std::vector<SignalState>& signals) {
    std::optional<Instant> since;
    std::size_t holding = 0;
    for (const SignalState& signal : signals) {
        if (!signal.holds()) continue;
        ++holding;
        if (!since || *signal.failing_since < *since) since = signal.failing_since;
    }
    const std::size_t wanted = detection.all ? detection.signals.size() : 1;
    return holding >= wanted ? since : std::nullopt;
}

}  // namespace lifeboat::watch

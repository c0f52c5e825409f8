#include "engine/sim/crashing_state.h"

namespace lifeboat::engine::sim {
namespace {

constexpr unsigned deaths_max = 12;  // a run must get somewhere

}  // namespace

CrashingState::Death CrashingState::draw() {
    ++appends_;
    if (at_ != 0) {
        if (appends_ != at_) return Death::none;
        return before_ ? Death::before : Death::after;
    }
    if (deaths_ >= deaths_max) return Death::none;
    if (chance_.percent(faults_.disk_full)) return Death::disk_full;
    if (!chance_.percent(faults_.crash)) return Death::none;
    return chance_.percent(50) ? Death::before : Death::after;
}

Result<std::uint64_t> CrashingState::append(const std::string& stream,
                                            std::uint64_t expected_version,
                                            const std::vector<NewEvent>& events,
                                            const Lease* lease) {
    const Death death = draw();
    if (death == Death::none) return inner_.append(stream, expected_version, events, lease);
    ++deaths_;
    crashed_ = true;
    if (death == Death::disk_full) {
        inner_.fail_append(1);
        return inner_.append(stream, expected_version, events, lease);
    }
    if (death == Death::after) {
        auto appended = inner_.append(stream, expected_version, events, lease);
        if (!appended.has_value()) return appended;
    }
    inner_.crash();
    return unavailable("the machine died");
}

}  // namespace lifeboat::engine::sim

#include "engine/sim/lean_carrier.h"

namespace lifeboat::engine::sim {

namespace rb = runbook;

Result<void> LeanCarrier::open() {
    run_ = {};
    for (const rb::Event& event : journal_) rb::apply_to(run_, event);
    return ok();
}

Result<void> LeanCarrier::step(const rb::Event& event) {
    return carry_out(rb::advance(run_, event));
}

Result<void> LeanCarrier::take_request(std::uint64_t version, const rb::Event& request) {
    return carry_out(rb::advance_request(run_, version, request));
}

Result<void> LeanCarrier::carry_out(rb::Decision decision) {
    const std::size_t first = journal_.size();
    for (rb::Event& event : decision.events) journal_.push_back(std::move(event));
    if (observer_)
        for (std::size_t i = first; i < journal_.size(); ++i) observer_(run_, journal_[i]);
    for (const rb::Command& command : decision.commands) executor_.start(run_, command);
    return ok();
}

}  // namespace lifeboat::engine::sim

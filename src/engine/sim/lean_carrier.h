#pragma once
/// A driver that keeps its journal in memory and as values: the same machine, the same order
/// (journal before effect, replay after a crash), without text and hashes. For runs by the million.
///
/// crash() forgets everything but the journal. Not thread-safe.

#include <vector>

#include "engine/sim/carrier.h"

namespace lifeboat::engine::sim {

class LeanCarrier final : public Carrier {
public:
    using Observer = Driver::Observer;
    LeanCarrier(Executor& executor, Observer observer)
        : executor_(executor), observer_(std::move(observer)) {}

    /// Replays the journal.
    Result<void> open() override;
    Result<void> step(const runbook::Event& event) override;
    Result<void> take_request(std::uint64_t version, const runbook::Event& request) override;
    void use_lease(const Lease&) override {}
    const runbook::RunState& run() const override { return run_; }
    std::uint64_t version() const override { return journal_.size(); }

private:
    Result<void> carry_out(runbook::Decision decision);

    Executor& executor_;
    Observer observer_;
    std::vector<runbook::Event> journal_;
    runbook::RunState run_;
};

}  // namespace lifeboat::engine::sim

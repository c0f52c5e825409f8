#pragma once
/// The engine under simulation: the real Driver, or one with a deliberate defect.

#include <functional>
#include <memory>

#include "engine/driver.h"
#include "engine/sim/chance.h"
#include "engine/sim/mutants.h"

namespace lifeboat::engine::sim {

class Carrier {
public:
    virtual ~Carrier() = default;
    virtual Result<void> open() = 0;
    virtual Result<void> step(const runbook::Event& event) = 0;
    virtual Result<void> take_request(std::uint64_t version, const runbook::Event& request) = 0;
    virtual void use_lease(const Lease& lease) = 0;
    virtual const runbook::RunState& run() const = 0;
    virtual std::uint64_t version() const = 0;
};

std::unique_ptr<Carrier> make_carrier(State& state, Executor& executor, const RunId& run,
                                      Driver::Observer observer, Mutant mutant, Chance& chance);

}  // namespace lifeboat::engine::sim

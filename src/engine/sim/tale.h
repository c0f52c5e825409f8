#pragma once
/// A run's events in the words of a story: every act of people, every try, every look, so that
/// nothing ever happens that nobody has done. One for each run. Not thread-safe.

#include <map>
#include <string>

#include "core/runbook/machine.h"

namespace lifeboat::engine::sim {

class Tale {
public:
    /// What the event, applied already, says to people; "" when it is of the machine only.
    std::string tell(const runbook::RunState& state, const runbook::Event& event);

private:
    /// What the story last said of a step that has not ended: a reply that comes now comes late.
    enum class Said { nothing, held, backing_off, looked_at, stopping };
    struct Words;
    std::map<StepId, Said> said_;
};

}  // namespace lifeboat::engine::sim

#pragma once
/// What the run made, kept so that cleanup finds it after any crash. Pure; used by apply() only.

#include "core/runbook/machine.h"

namespace lifeboat::runbook {

/// An entry before anything is made: cleanup after kill -9 finds by token what a lost reply left.
void note_intent(RunState& state, const StepState& step);
/// The step made what its outputs say; what they list under "ledger" is kept, too.
void note_made(RunState& state, const StepState& step);
void note_absence(RunState& state, const StepState& step);

}  // namespace lifeboat::runbook

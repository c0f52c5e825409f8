#pragma once
/// The implementations of State.

#include <memory>

#include "platform/env/environment.h"
#include "platform/state/state.h"

namespace lifeboat {

/// Opens or creates `directory`/state.db. Errors: unsupported (written by a newer Lifeboat: says
/// which version wrote it and which can read), corrupt, exhausted, denied.
Result<std::unique_ptr<State>> open_sqlite_state(const Path& directory, Environment& environment);

/// In memory, for tests and simulation. crash() forgets what append had not yet committed and makes
/// every later call fail with `unavailable` until reopen().
class MemoryState : public State {
public:
    virtual void crash() = 0;
    virtual void reopen() = 0;
    /// The n-th append from now fails with `exhausted`, nothing written; 0 switches it off.
    virtual void fail_append(std::uint64_t nth) = 0;
};
std::unique_ptr<MemoryState> make_memory_state(const Clock& clock, Processes* processes = nullptr);

}  // namespace lifeboat

#pragma once
/// Signals to all descendants of the calling process, without memory allocation. Internal to env.

namespace lifeboat {

/// Signals every process below this one, however deep. A forked child may call it: it is
/// async-signal-safe, but not thread-safe. Returns how many were signalled.
int signal_descendants(int signal_number);

}  // namespace lifeboat

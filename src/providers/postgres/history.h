#pragma once
/// The history of timelines: which branch of the WAL grew out of which, and where. Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "providers/postgres/lsn.h"

namespace lifeboat::postgres {

/// A timeline's ancestor ended (for this descendant) at this position.
struct Ancestor {
    Timeline timeline = 0;
    Lsn end = 0;
    auto operator<=>(const Ancestor&) const = default;
};

/// A timeline with its ancestors, oldest first; timeline 1 has none.
struct History {
    Timeline timeline = 1;
    std::vector<Ancestor> ancestors;

    /// Where `branch` ends for this timeline: its switch, ~0 for the timeline itself, nothing when
    /// it is no ancestor (a dead branch).
    std::optional<Lsn> end_of(Timeline branch) const;
    /// Where this timeline began to differ from its parent; 0 for timeline 1.
    Lsn begin() const { return ancestors.empty() ? 0 : ancestors.back().end; }
    /// The timelines of the path, oldest first, this one last.
    std::vector<Timeline> path() const;
};

/// Reads a .history file. Errors: corrupt (no history, order broken).
Result<History> parse_history(Timeline timeline, std::string_view text);

}  // namespace lifeboat::postgres

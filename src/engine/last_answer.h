#pragma once
/// When each component's health was last known, by whoever looked: what an unknown one's age counts
/// from.
///
/// Kept in the record "answer/<component>" so that one look after another process's says it too;
/// written at most every few seconds, never durable news. Not thread-safe.

#include <map>
#include <optional>
#include <string>

#include "engine/workspace.h"

namespace lifeboat::engine {

class LastAnswers {
public:
    explicit LastAnswers(Workspace& workspace) : workspace_(workspace) {}

    /// Its health is known at `now`. A state that cannot be written costs the age, nothing else.
    void answered(const std::string& component, Instant now);
    /// When it was last known, by this process or another; nothing when it never was. A time that
    /// lies ahead (a clock was moved back) counts as now.
    std::optional<Instant> of(const std::string& component, Instant now);

private:
    std::optional<Instant> recorded(const std::string& component);

    Workspace& workspace_;
    std::map<std::string, Instant> known_;    ///< by this process
    std::map<std::string, Instant> written_;  ///< of these the ones on record
};

}  // namespace lifeboat::engine

#pragma once
/// Canaries: rows with a number, a time and a position, in table lifeboat.canary of the component's
/// database, when the plan says `canary: true`. A copy must hold exactly those whose commit lies
/// before its end; the newest one's age is a measured RPO.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "providers/postgres/copy.h"

namespace lifeboat::postgres {

struct Canary {
    std::int64_t sequence = 0;
    std::string at;  ///< as the server writes it, in UTC
    Lsn begun = 0;   ///< before its commit
    bool operator==(const Canary&) const = default;
};

struct WrittenCanary {
    Canary row;
    Lsn durable = 0;  ///< its commit lies before this
    Monotonic at{};   ///< acknowledged
};

constexpr Duration canary_write_time = std::chrono::seconds(10);  ///< then there is none

/// Writes one. Makes schema and table where they are missing; old rows go. Errors: denied (the role
/// may not), those of the connection.
Result<WrittenCanary> write_canary(const Context& context, const Server& server);

/// Writes one every minute until stopped: so that older points can be measured, too. `trouble`
/// hears why none could be written, once for each reason. Always succeeds.
Result<void> release_canaries(const Context& context, const Server& server,
                              const std::function<void(const std::string&)>& trouble);

/// What is wrong with the rows of a copy that stands at `end`, in lines for people; none when it
/// holds exactly what it must. Both by number. `written`: the last one that was written, and the
/// position behind its commit. Pure.
std::vector<std::string> canary_differences(const std::vector<Canary>& source,
                                            const std::vector<Canary>& copy, Lsn end,
                                            const std::optional<WrittenCanary>& written);

/// All rows, by number. Errors: not_found (no such table), those of the connection.
Result<std::vector<Canary>> read_canaries(const Context& context, Connection& connection);

}  // namespace lifeboat::postgres

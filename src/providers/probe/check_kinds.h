#pragma once
/// One function per type of check. Internal to probe.
///
/// Each is given a context that already ends at the check's limit, and answers with what it saw.
/// What goes wrong while looking is an Error here; run_check() turns it into a failed result.

#include "providers/probe/check.h"

namespace lifeboat::probe {

/// What a look brought: the value that `expect` is compared with, and a line for people.
struct Seen {
    std::string value;   ///< compared with `expect`
    std::string detail;  ///< shown; `value` when empty
    Json raw;
    bool passed = true;  ///< when there is no `expect`
};

Result<Seen> look_tcp(const Context& context, Environment& environment, const plan::Check& check,
                      const Place& place);
Result<Seen> look_http(const Context& context, const plan::Check& check, const Place& place);
Result<Seen> look_sql(const Context& context, const plan::Check& check, const Place& place);
Result<Seen> look_redis(const Context& context, const plan::Check& check, const Place& place);
Result<Seen> look_exec(const Context& context, Environment& environment, const plan::Check& check,
                       const Place& place);

/// The argument of a check as text: "5432", "SELECT 1"; "" when it has none.
std::string argument(const plan::Check& check);

/// The place with what the check itself says of host, port, database and user.
Place place_of(const plan::Check& check, Place place);

}  // namespace lifeboat::probe

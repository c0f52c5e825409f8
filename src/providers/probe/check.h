#pragma once
/// Looking at things from outside: the checks of `health:`, `verify:` and `smoke:`.
///
/// tcp, http, sql, redis, process and exec; each bounded in time. A check that fails is a result
/// with its reason, not an Error. Changes nothing. Thread-safe.

#include <string>

#include "core/plan/model.h"
#include "platform/env/environment.h"
#include "platform/secret/secret.h"
#include "platform/task/context.h"

namespace lifeboat::probe {

/// Where and as whom a check looks.
struct Place {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    std::string database, user, password;  ///< of sql and redis; password resolved, never shown
    std::string base_url;                  ///< of http checks that give a path only
    Path directory;                        ///< working directory of exec
};

struct CheckResult {
    bool passed = false;
    std::string name;    ///< "sql SELECT count(*) FROM orders"
    std::string detail;  ///< what came: "52 > 0", "connection refused"
    Duration took{};
    bool timed_out = false;  ///< there was no answer within its limit
    /// It says nothing of what it looked at: the question could not be put (our password, our
    /// rights, the plan's words).
    bool blind = false;
    Json value;  ///< of sql: the first column of the first row
};

CheckResult run_check(const Context& context, Environment& environment, const plan::Check& check,
                      const Place& place);

/// "> 0", ">= 10", "= ok", "!= x", "matches RE2-free glob", "ok": compares as numbers when both
/// are. Errors: invalid (the expression).
Result<bool> meets(std::string_view value, std::string_view expectation);

}  // namespace lifeboat::probe

#pragma once
/// What a command tells its caller by its exit status. Documented in every command's help.

#include "platform/base/error.h"

namespace lifeboat::cli {

enum class ExitCode {
    done = 0,          ///< done, objectives met
    finding = 1,       ///< a finding, or an objective missed
    usage = 2,         ///< the command line is wrong
    invalid_plan = 3,  ///< the plan is missing, cannot be read or has mistakes
    partial = 4,       ///< some of it was done
    refused = 5,       ///< a guard said no
    waiting = 6,       ///< waits for a person, or paused
    lease_held = 7,    ///< somebody else is at it
    failed = 8,        ///< it went wrong, or its output could not be written
    interrupted = 130,
};

/// The status for an error that ends a command.
ExitCode exit_code_for(const Error& error);

}  // namespace lifeboat::cli

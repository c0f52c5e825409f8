#include "surface/cli/exit_code.h"

#include "platform/state/lease_rules.h"

namespace lifeboat::cli {

ExitCode exit_code_for(const Error& error) {
    switch (error.kind) {
        case ErrorKind::invalid:
            return ExitCode::usage;
        case ErrorKind::denied:
            return ExitCode::refused;
        case ErrorKind::cancelled:
            return ExitCode::interrupted;
        case ErrorKind::conflict:
            return LeaseRules::is_held_by(error) ? ExitCode::lease_held : ExitCode::refused;
        default:
            return ExitCode::failed;
    }
}

}  // namespace lifeboat::cli

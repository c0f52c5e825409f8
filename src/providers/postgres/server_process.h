#pragma once
/// Starts and stops a server's own process: `postgres` itself, detached, as the user it runs as.

#include <optional>

#include "providers/postgres/identity.h"

namespace lifeboat::postgres {

struct StartOptions {
    Path programs;  ///< where `postgres` lies
    Path data_directory;
    Path log;
    std::optional<Path> config_file;
    std::optional<std::uint16_t> port;  ///< overrides the configuration's
    std::optional<RunAs> run_as;
};
/// Errors: not_found (program), those of the start. The server answers later.
Result<ProcessIdentity> start_server(const Context& context, Environment& environment,
                                     const StartOptions& options);

/// Fast shutdown of exactly this process, then immediate, then by force; returns when it is dead,
/// with all its backends. Success when it was dead. Errors: timeout, denied.
Result<void> stop_server(const Context& context, Environment& environment,
                         const ProcessIdentity& postmaster);

/// The last lines of a server's log, for an error's text.
std::string log_tail(Environment& environment, const Path& log);

}  // namespace lifeboat::postgres

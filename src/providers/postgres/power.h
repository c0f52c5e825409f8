#pragma once
/// The verbs about the process: start, stop, fence, preserve. Only for servers on this machine.

#include "providers/postgres/identity.h"

namespace lifeboat::postgres {

/// Errors: conflict (fenced, preserved, another cluster's directory), timeout, unavailable (it
/// ended: its log).
Result<Json> start_instance(const Context& context, const Services& services,
                            const plan::Plan& plan, const Instance& instance,
                            const providers::ProgressSink& progress);

/// Stops exactly this server. Success when it is proven dead already. Errors: conflict (another
/// cluster, or nobody can say), unsupported (not on this machine).
Result<std::string> stop_instance(const Context& context, const Services& services,
                                  const plan::Plan& plan, const Instance& instance);

/// What `start` honours: why the directory must not be started; "" = nothing.
std::string kept_down(Files& files, const Path& data_directory);
/// Writes that reason into the directory. Success when the directory is gone. Durable on return.
Result<void> keep_down(const Services& services, const Server& server, const std::string& verb,
                       const std::string& token);

/// True when exactly this server lives: by its recorded postmaster, or the one of its data
/// directory.
Result<std::optional<ProcessIdentity>> living_postmaster(const Services& services,
                                                         const Server& server,
                                                         const Instance& instance);

}  // namespace lifeboat::postgres

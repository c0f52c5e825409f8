#pragma once
/// The replicas of one service: looked at, started, stopped and waited for.
///
/// Converges: what is right is left alone, so that doing it again does nothing. Not thread-safe;
/// one per call. Changes are made under the service's lock.

#include "providers/probe/check.h"
#include "providers/process/record.h"

namespace lifeboat::providers::process {

/// How one replica looks from outside.
struct Look {
    unsigned replica = 0;
    std::uint16_t port = 0;
    bool alive = false;
    bool passed = false;  ///< alive, and every check passed
    std::string why;
    std::optional<ProcessIdentity> identity;
};

/// What converge() did, for outputs and messages.
struct Converged {
    std::vector<unsigned> started, replaced, stopped;
    std::vector<std::string> endpoints;  ///< of all replicas, by number
};

class Crew {
public:
    Crew(Services& services, const Service& service) : services_(services), service_(service) {}

    /// Exclusive until destroyed; waits a little for another one. Errors: conflict.
    Result<std::unique_ptr<FileLock>> lock(const Context& context);

    /// Brings replicas 1 to `count` up as the settings say now, one after the other while some
    /// serve, and ends those above. Returns when the checks of all of them pass.
    /// Errors: conflict (port taken), unavailable (it ended, or is not ready in time), invalid.
    Result<Converged> converge(const Context& context, unsigned count, const std::string& token,
                               const ProgressSink& progress);
    /// Ends every process of the service, also those that no record names, and proves that the
    /// ports are closed. Errors: conflict (a stranger listens there), timeout (unkillable).
    Result<std::vector<unsigned>> stop_all(const Context& context);
    /// Gives back reserved ports. Nothing may run any more.
    Result<void> release_ports();

    /// Runs these checks on every replica of 1 to `count` and on all that have a record.
    Result<std::vector<Look>> look(const Context& context, const std::vector<plan::Check>& checks,
                                   unsigned count);
    /// True when replica `number` runs exactly what the settings say now.
    Result<bool> is_current(const Replica& replica);
    Result<std::uint16_t> port_of(unsigned number, bool reserve);

private:
    Result<void> end(const Context& context, const Replica& replica);
    Result<void> prove_closed(const Context& context, std::uint16_t port, unsigned number);
    Result<void> launch(const Context& context, unsigned number, const std::string& token);
    Result<void> await_ready(const Context& context, unsigned number);
    Result<bool> serves(const Context& context, const Replica& replica);
    Look look_at(const Context& context, unsigned number, const Replica* replica,
                 const std::vector<plan::Check>& checks);
    std::string last_words(unsigned number);

    Services& services_;
    const Service& service_;
};

/// Keeps the log of a replica within its limit: what is above is kept once, as <log>.1.
Result<void> bound_log(Environment& environment, const Path& log, std::uint64_t limit);

}  // namespace lifeboat::providers::process

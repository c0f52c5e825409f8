#pragma once
/// Restores a cluster into a new directory on a new port, and lets it replay to exactly the chosen
/// position as a standby. It never becomes writable here: promotion is another verb.
///
/// The server takes its WAL from a spool that the restore fills out of the vault; it needs neither
/// vault nor key nor lifeboat. When any of them vanishes, it stays a standby that waits.

#include "providers/postgres/instance_directory.h"

namespace lifeboat::postgres {

struct RestoreRequest {
    const plan::Plan& plan;
    const plan::Component& component;
    std::string site;
    std::string token;
    std::string to;                                  ///< "" = latest
    std::optional<std::uint64_t> system_identifier;  ///< of the cluster that is meant
    providers::ProgressSink progress;
    bool is_aside = false;  ///< for a verification: isolated, and thrown away afterwards
    /// Of a verification's tests: called when the files are there, before the server sees them.
    std::function<Result<void>(const Path& data)> on_files = {};
};

/// What a restore would do now. Changes nothing. Errors: those of choose().
Result<Choice> choose_for(const Context& context, const Services& services,
                          const RestoreRequest& request);

/// The outputs: instance, host, port, target_lsn, target_time, timeline, point, directory.
/// Errors: conflict (a directory that is not ours, a gap), exhausted, corrupt, timeout,
/// unavailable.
Result<Json> restore(const Context& context, const Services& services,
                     const RestoreRequest& request);

/// What became of a restore with this token: its marker, and whether its server lives.
struct RestoreFound {
    std::optional<Marker> marker;
    bool alive = false;
    Path directory;
};
Result<RestoreFound> find_restore(const Services& services, const RestoreRequest& request);

/// The candidate that a marker stands for, with its identity.
Result<Instance> candidate_of(const RestoreRequest& request, const Path& directory,
                              const Marker& marker);
Json restore_outputs(const Instance& instance, const Path& directory, const Marker& marker);

}  // namespace lifeboat::postgres

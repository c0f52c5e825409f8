#pragma once
/// A verification's copy of a cluster, as its exams see it. Internal to prove.
///
/// It stands at exactly the position that it was restored to, as a standby, until amcheck may have
/// to promote it: every comparison comes before. Not thread-safe.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "providers/postgres/instance_directory.h"

namespace lifeboat::postgres {

struct WrittenCanary;

struct Copy {
    const Services& services;
    const providers::ProofCall& call;
    const providers::ProofSink& sink;
    Server server;  ///< the copy
    Server inside;  ///< the copy, entered as its own superuser where that can be: nothing is denied
    Server source;  ///< the component as it runs now: only read, if it answers at all
    Path directory;
    Marker marker;
    vault::Point point;

    std::shared_ptr<const WrittenCanary> canary;  ///< written for this proof
    std::optional<Duration> canary_arrival;       ///< until it was in the vault
    std::string canary_problem;  ///< why none was written although the plan wants it
    bool asked_for_latest = false;
    Instant decided_at{};         ///< when its end was chosen
    std::optional<Duration> rpo;  ///< measured by the canaries

    Environment& environment() const { return services.environment; }
    /// A connection to a database of the copy; "" = the component's own.
    Result<std::unique_ptr<Connection>> connect(const Context& context,
                                                const std::string& database = "") const;
    Result<std::unique_ptr<Connection>> connect_inside(const Context& context,
                                                       const std::string& database) const;
    /// The same of the source: its sessions can change nothing, and give up after seconds.
    Result<std::unique_ptr<Connection>> ask_source(const Context& context,
                                                   const std::string& database = "") const;
    /// Somebody has killed one of its processes (the kernel, for want of memory): what failed then
    /// says nothing of the data.
    bool was_killed() const;
    void stage(const std::string& doing) const {
        if (sink.stage) sink.stage(doing);
    }
    void progress(std::uint64_t done, std::uint64_t total, const std::string& unit) const {
        if (sink.progress) sink.progress(done, total, unit);
    }
};

/// The copy by way of its own socket, as the superuser that initdb made: whatever rights the plan's
/// role has, the copy is ours to take apart. Where that cannot be: `server`.
Server inside_of(const Context& context, const Server& server, const Path& directory);

/// Names of the databases that one can enter, templates aside.
Result<std::vector<std::string>> databases_of(const Context& context, Connection& connection);

/// Whether an error speaks of what the copy holds, and not of rights, limits or the machine.
bool is_of_the_data(const Error& error, const Copy& copy);

/// What a server said, without its address: that is nobody's any more when it is read.
std::string plain_words(const Error& error, const Server& server);

/// "public.orders" as people read it.
std::string shown_name(std::string_view schema, std::string_view name);

// The exams. An Error ends the exam: what it was is decided by examine(). Several when there is
// more to say.
Result<std::vector<providers::Exam>> examine_checks(const Context& context, Copy& copy);
Result<std::vector<providers::Exam>> examine_canary(const Context& context, Copy& copy);
Result<std::vector<providers::Exam>> examine_rows(const Context& context, Copy& copy);
Result<std::vector<providers::Exam>> examine_dump(const Context& context, Copy& copy);
/// May promote the copy.
Result<std::vector<providers::Exam>> examine_structure(const Context& context, Copy& copy);
/// Ends the copy's server.
Result<std::vector<providers::Exam>> examine_pages(const Context& context, Copy& copy);

}  // namespace lifeboat::postgres

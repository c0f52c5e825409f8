#pragma once
/// What a provider must be able to do: describe itself, observe, preview, start, poll, cancel,
/// probe, keep a continuous protection flowing, and prove a recovery point.
///
/// One instance per kind and process; thread-safe. A provider classifies its own failures:
/// `unavailable` only when nothing can have happened, `unknown` when it cannot tell. It never
/// retries, logs, limits or checks drill scope and observe mode: decorators do. Everything it makes
/// is named or tagged by `token`, so that probe() finds what a lost reply made, and a second
/// start() with the same token makes no second one. It never restores over anything.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/plan/catalog.h"
#include "core/plan/model.h"
#include "core/runbook/event.h"
#include "core/watch/match.h"
#include "platform/env/environment.h"
#include "platform/secret/secret.h"
#include "platform/task/context.h"
#include "vault/vault.h"

namespace lifeboat::providers {

/// What a component runs as at a site: address, settings that differ, pinned identity.
struct Instance {
    std::string component;
    std::string site;
    std::string name;  ///< "database", "database-lb-7f3a-restore"
    Json settings =
        Json::object();  ///< the component's, merged with those of the site and of the instance
    Json identity =
        Json::object();    ///< pinned: system identifier, timeline, pid…; {} = not yet adopted
    std::string endpoint;  ///< "127.0.0.1:5500"; "" when it has none
    std::string made_by;   ///< token of the step that made it; "" = named by the plan
};

Json to_json(const Instance& instance);
Result<Instance> instance_from_json(const Json& value);

/// What providers may use. The references outlive every provider.
struct Services {
    Environment& environment;
    SecretResolver& secrets;
    vault::Vault* vault = nullptr;  ///< nullptr: the plan has none, or it cannot be opened
    std::string vault_problem;      ///< why there is none
    Path plan_directory;            ///< relative paths of the plan start here
    Path plan_file;
    Path vault_directory, vault_key;  ///< for commands that call us back (restore_command)
};

struct Target {
    const plan::Plan& plan;
    const plan::Component& component;
    Instance instance;  ///< the current one
};

struct Observation {
    watch::Health health = watch::Health::unknown;
    std::string why;                 ///< one line; "accepts connections, 0.4 ms"
    std::string role;                ///< "primary", "standby", "" when the kind has none
    Json identity = Json::object();  ///< what is really there now
    Json facts =
        Json::object();  ///< numbers worth showing: retained WAL, free disk, replicas ready
};

/// One call that a verb would make, exact enough to be done by hand.
struct Call {
    std::string action;  ///< "BASE_BACKUP …", "SIGTERM to pid 4711", "PUT http://…/-/targets"
    std::string object;
    bool destructive = false;
};

/// Everything that a verb may know. Resolved: templates filled, instances looked up.
struct VerbCall {
    const plan::Plan& plan;
    const plan::Component* component = nullptr;  ///< nullptr for verbs without one
    std::string verb;
    RunId run;
    StepId step;
    unsigned attempt = 1;
    std::string token;
    std::string site;                   ///< where to act
    Instance current;                   ///< of the component, as recorded
    std::optional<Instance> candidate;  ///< made earlier in this run, not yet current
    /// The instances, after this step's adoptions, of everything the component needs (and of
    /// itself): what `{{ database.host }}` in its settings resolves to.
    std::map<std::string, Instance> instances;
    Json arguments = Json::object();
    runbook::RunMode mode = runbook::RunMode::real;
    std::string scope;    ///< drill scope; "" outside a drill
    bool fenced = false;  ///< the old primary was fenced in this run, or a person said so on record
    Instant disaster_at{};
    /// The instance that this verb acts on: the candidate if there is one.
    const Instance& subject() const { return candidate ? *candidate : current; }
};

/// start(): either done, or a long operation that poll() follows.
struct Started {
    std::optional<std::string> operation;  ///< its id; the engine journals it before it polls
    Json outputs = Json::object();  ///< when done. `restore` puts the new Instance under "instance"
};
struct Polled {
    bool done = false;
    std::uint64_t completed = 0, total = 0;
    std::string unit;  ///< "bytes", "segments", "replicas"
    Json outputs = Json::object();
};
struct Probed {
    runbook::ProbeVerdict verdict = runbook::ProbeVerdict::undecided;
    Json outputs = Json::object();
    std::string operation;
    std::string explanation;
};

/// Progress of a call that blocks (a local restore): shown live, not journaled.
using ProgressSink =
    std::function<void(std::uint64_t done, std::uint64_t total, const std::string& unit)>;

/// What a continuous protection reports about itself.
struct StreamReport {
    Instant at{};
    Instant safe_until{};  ///< everything acknowledged before this moment is in the vault
    std::string position;  ///< "0/3000148"
    std::uint64_t retained_bytes = 0;  ///< WAL kept back at the source for us
    std::uint64_t free_bytes = 0;      ///< of the disk that holds it
    std::string warning;
};
using StreamSink = std::function<void(const StreamReport&)>;

/// A state one can go back to.
struct RecoveryPoint {
    std::string id;  ///< what `--to` takes: a point id, or "latest"
    std::string method;
    Instant at{};                 ///< its contents are as of this moment (newest possible)
    std::optional<Instant> from;  ///< for a range (continuous): any moment from here to `at`
    std::string position;         ///< exact end: an LSN, an offset
    std::uint64_t size = 0;
    Json identity = Json::object();
    std::string problem;  ///< why it cannot be used; "" = usable
    /// Of its last verification: "proven" to its very end, "bad", or "" when neither. A bad one is
    /// only taken when it is named.
    std::string verdict;
    std::optional<Instant> verified_at;
    std::string verdict_why;  ///< what was found, in one line
    /// Of a range that was proven, but not to its end: how far.
    std::string proven_to;
    std::optional<Instant> proven_as_of;  ///< what was proven last is as of this moment
};

/// A recovery point to be restored aside, started, questioned and thrown away.
struct ProofCall {
    const plan::Plan& plan;
    const plan::Component& component;
    Instance current;        ///< asked at most read-only, bounded questions
    std::string token;       ///< names all that is made; discard() finds it by this
    std::string to;          ///< a point's id, "latest", a time, a position
    bool may_write = false;  ///< a canary row may be written to the component: not in mode observe
    std::string damage;      ///< test hook: "base/5/16385:8200", the byte of the copy to flip
};

/// One thing that was looked at.
struct Exam {
    enum class Outcome {
        passed,
        failed,      ///< a difference: the point is bad
        unseen,      ///< cannot be looked at here; `detail` says why, and the proof keeps that
        unfinished,  ///< no answer in time: neither proven nor bad
    } outcome = Outcome::passed;
    std::string name;                  ///< "amcheck", "sql SELECT count(*) FROM orders"
    std::string detail;                ///< "412 pages, none bad"
    std::vector<std::string> objects;  ///< what is damaged: "table public.orders: 3 rows: …"
    Duration took{};
};

/// What a proof brought. It passed when no exam failed or stayed unfinished.
struct Proof {
    std::string point;     ///< id in the vault of what was restored
    std::string position;  ///< up to exactly here
    std::optional<Instant> at;
    std::uint64_t size = 0;  ///< bytes of its files
    Duration restored_in{};
    std::vector<Exam> exams;
    std::optional<Duration> rpo;  ///< measured by a canary: how far the copy was behind
    Json versions = Json::object();
    Json conditions = Json::object();
};

/// What a proof is doing; any may be empty.
struct ProofSink {
    std::function<void(const std::string& stage)> stage;
    ProgressSink progress;  ///< within the stage
    std::function<void(const Exam&)> exam;
};

class Provider {
public:
    virtual ~Provider() = default;

    virtual plan::KindSpec describe() const = 0;

    /// Looks, changes nothing. An unreachable component is an Observation, not an Error.
    virtual Result<Observation> observe(const Context& context, const Target& target) = 0;

    /// The exact calls that start() would make now. Changes nothing.
    virtual Result<std::vector<Call>> preview(const Context& context, const VerbCall& call) = 0;

    virtual Result<Started> start(const Context& context, const VerbCall& call,
                                  const ProgressSink& progress) = 0;
    virtual Result<Polled> poll(const Context& context, const VerbCall& call,
                                const std::string& operation);
    virtual Result<void> cancel(const Context& context, const VerbCall& call,
                                const std::string& operation);
    /// After a crash or a lost reply: what became of this step. Looks only.
    virtual Result<Probed> probe(const Context& context, const VerbCall& call) = 0;

    /// Runs a continuous protection until stopped; returns an Error when it broke. The caller
    /// restarts it with backoff. Errors: unsupported (the kind has none).
    virtual Result<void> protect(const Context& context, const Target& target,
                                 const plan::Protection& protection, const StreamSink& sink);

    /// The states one could go back to, from what the vault holds for this component: for `recover`
    /// to choose from, before anything is touched.
    virtual Result<std::vector<RecoveryPoint>> points(const Context& context, const Target& target);

    /// Restores a point into a new instance beside the current one, on a port of its own, starts
    /// it, and looks at it as closely as the kind can. Nothing of it reaches the current instance.
    /// What it makes is left for discard(). A copy that does not start is a failed exam, not an
    /// Error. Errors: exhausted (the disk is too small, said up front), unsupported (the kind has
    /// none), those of choosing and restoring.
    virtual Result<Proof> prove(const Context& context, const ProofCall& call,
                                const ProofSink& sink);
    /// Takes away whatever a prove() with this token has made, also after a crash of ours: process,
    /// port, directory. Success when there is nothing. Never anything else.
    virtual Result<void> discard(const Context& context, const ProofCall& call);
};

}  // namespace lifeboat::providers

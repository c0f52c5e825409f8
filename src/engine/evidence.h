#pragma once
/// Where measured facts are kept, and what the journals say about how long things took.
///
/// Facts stand in the stream "evidence" of the state, which is append-only and chained by hashes;
/// nothing is ever altered or removed. Recording is durable and idempotent: the same measurement
/// (subject, component, objective, scenario, source, time) is kept once. What proves something is
/// also remembered, sealed, in the vault, so that an empty state directory finds it again.
/// Thread-safe.

#include <map>
#include <string>
#include <vector>

#include "core/readiness/evidence.h"
#include "core/readiness/history.h"
#include "core/runbook/machine.h"
#include "engine/workspace.h"

namespace lifeboat::engine {

/// Name of the stream in the state.
constexpr const char* evidence_stream = "evidence";

/// Adds facts that are not there yet. Durable. Errors: conflict (too many writers), exhausted,
/// corrupt.
Result<void> record_facts(State& state, const std::vector<readiness::Fact>& facts);
/// The same, and in the vault; a vault that cannot be written is logged.
Result<void> record_facts(Workspace& workspace, const std::vector<readiness::Fact>& facts);
Result<void> record_fact(Workspace& workspace, const readiness::Fact& fact);
/// In a state without any evidence: takes over what the vault remembers of the plan's components.
/// Trouble is logged.
void recall_evidence(Workspace& workspace);
/// All facts, in the order in which they were recorded. Errors: corrupt.
Result<std::vector<readiness::Fact>> load_facts(State& state);

/// Durations of steps that ended done (a step that stayed at its component's own site has site ""),
/// approvals, detection, from the newest runs of this state; and of points that were made, as verb
/// "backup". Errors: corrupt.
Result<readiness::History> load_history(State& state, const plan::Plan& plan);

/// "emulated" when the plan overrides the endpoint of any platform or component, else "real".
std::string environment_of(const plan::Plan& plan);
/// Versions by component, of those that say so in what was observed of them; and "lifeboat".
Json versions_in_use(const std::map<std::string, providers::Observation>& observations);
/// Of these versions only those of the component, of what it needs, and of the program.
Json versions_for(const plan::Plan& plan, const std::string& component, const Json& versions);
/// A fact about the component under the plan as it reads now: who, when, what and of which worth is
/// left to fill in.
readiness::Fact new_fact(const plan::Plan& plan, const std::string& component,
                         const std::string& scenario, readiness::Objective objective,
                         const Json& versions);

/// What a finished run of a disaster (something is lost, or detected) has measured: an RTO and an
/// RPO per component with such an objective; for a component whose steps failed, that it was
/// missed. Pure.
std::vector<readiness::Fact> facts_of_run(const plan::Plan& plan, const runbook::RunState& run,
                                          const Json& versions);
/// Looks which versions run now and records what the finished run has measured. Trouble is logged:
/// the run itself is over and durable.
void record_run(const Context& context, Workspace& workspace, const runbook::RunState& run);
/// Records what earlier finished runs have measured and nobody has kept, as after a kill at the
/// very end of a run. Errors: corrupt, exhausted.
Result<void> record_missing_runs(Workspace& workspace);

/// What a finished backup has measured: time to make, size, and how old the newest point had become
/// when this one was done. Repeated points leave one fact an hour, and one whenever the objective
/// begins or ceases to be met. Trouble is logged.
void record_backup(Workspace& workspace, const plan::Component& component, const Json& arguments,
                   const Json& outputs, Duration took);

}  // namespace lifeboat::engine

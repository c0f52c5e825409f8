#pragma once
/// Before a recovery: which scenario, from which point, with what loss, over what; and the guards.

#include <optional>
#include <string>
#include <vector>

#include "engine/look.h"
#include "engine/run_loop.h"

namespace lifeboat::engine {

/// A restore of the plan: what would come back.
struct Prospect {
    std::string component;
    providers::RecoveryPoint point;
    std::optional<Duration> loss;  ///< from the point's moment to now; nothing when unknown
    std::optional<Duration> objective;
};

struct Proposal {
    std::string scenario;
    std::vector<std::string> because;  ///< what was seen
    runbook::Graph graph;
    std::vector<Prospect> prospects;
    std::vector<std::string> healthy;  ///< components it would recover although they are healthy
    std::vector<std::string>
        problems;         ///< why it cannot be carried out: no point, unreachable vault, …
    Duration estimate{};  ///< critical path over declared estimates
    std::optional<Instant> disaster_at;
    Look look;
};

struct ProposalRequest {
    std::string scenario;           ///< "" = the one that matches what is seen
    std::optional<std::string> to;  ///< time, LSN or point
    runbook::RunMode mode = runbook::RunMode::real;
    RunId run;
    std::optional<Instant> disaster_at;  ///< injected; absent: the first failing observation
};

/// Looks, matches, compiles, chooses points. Changes nothing.
/// Errors: not_found (no such scenario: nearest name; or nothing seen matches any), invalid.
Result<Proposal> propose(const Context& context, Workspace& workspace, Instances& instances,
                         const ProposalRequest& request);

/// A fresh run id: "run-20261123-110643-7f3a".
RunId make_run_id(Environment& environment);
/// The same for another kind of thing: ids of one kind sort as they were made, also within a
/// second.
std::string make_id(Environment& environment, std::string_view kind);
/// The person at the keyboard, with proof where the plan knows the OS user.
runbook::Actor own_actor(Environment& environment, const plan::Plan& plan,
                         const std::string& reason);

/// Longest path through the graph by the nodes' estimates.
Duration critical_path(const runbook::Graph& graph);

/// What a finished run proved, per component with objectives that its steps recovered.
struct Measured {
    std::string component;
    std::optional<Duration> rto_objective, rto;
    std::optional<Duration> rpo_objective, rpo;  ///< loss by the point's own account
};
std::vector<Measured> measure(const plan::Plan& plan, const runbook::RunState& run);

}  // namespace lifeboat::engine

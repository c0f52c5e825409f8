#pragma once
/// A scenario compiled into the steps of one run: who waits for whom, and what is allowed.
///
/// Compiling decides everything that does not depend on the world: order, ids, tokens, what a step
/// does in this mode, which candidates a switch will adopt. The graph is journaled whole, so replay
/// and resume need neither the plan nor the catalog. Pure.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/plan/catalog.h"
#include "core/plan/model.h"
#include "platform/base/id.h"

namespace lifeboat::runbook {

enum class RunMode { real, drill, preview };

/// What this run does with a step, decided at compile time.
enum class Conduct {
    act,     ///< call the provider
    record,  ///< a drill or preview notes what would be done
    refuse,  ///< not allowed in this mode: the run fails there
    skip,    ///< the plan says so
};

struct Node {
    StepId id;  ///< unique in the run, stable across attempts and resumes
    std::string verb;
    std::string component;  ///< "" when the verb needs none
    std::string kind;       ///< of the component
    std::string site;       ///< where it acts: the `site:` argument, else the component's
    std::string priority;
    Json arguments = Json::object();  ///< may hold templates
    std::vector<StepId> needs;
    std::vector<std::string>
        adopts;         ///< components whose candidate becomes current when this begins
    std::string token;  ///< names and tags of what the step makes derive from it; never the attempt
    Conduct conduct = Conduct::act;
    plan::Safety safety = plan::Safety::probeable;
    bool mutating = true;
    bool destructive = false;
    bool makes_instance = false;
    bool needs_fenced = false;
    unsigned attempts_max = 3;
    Duration timeout{};        ///< of one attempt; 0 = none
    Duration backoff_first{};  ///< doubles up to backoff_max
    Duration backoff_max{};
    std::optional<plan::Approval> approve;
    /// Who satisfies each name of approve->by: the person, or the people who hold the role.
    std::map<std::string, std::vector<std::string>> approvers;
    plan::OnFailure on_failure = plan::OnFailure::stop;
    Duration estimate{};
    std::string undo;  ///< verb that takes it back when the run is rolled back; "" = none
    std::string note;
    StepId undoes;  ///< of a compensating step: the step that it takes back

    bool operator==(const Node& other) const;
};

struct Graph {
    std::vector<Node> nodes;  ///< topologically ordered
    /// Compensations, one per step that has an `undo`; they join `nodes` when the run is rolled
    /// back.
    std::vector<Node> undo;
    unsigned concurrency_max = 16;  ///< steps that act at the same time; priority decides who waits
    const Node* find(const StepId& id) const;
    bool operator==(const Graph&) const = default;
};

struct CompileOptions {
    RunMode mode = RunMode::real;
    RunId run;
    bool observe_only = false;  ///< plan mode observe: mutating steps are refused
    Json overrides =
        Json::object();  ///< {"to": "2026-…"}: merged into arguments of `restore` steps
};

/// Errors: invalid (names the step), unsupported (a step that would act has no provider in this
/// build).
Result<Graph> compile(const plan::Plan& plan, const std::vector<plan::Step>& steps,
                      const plan::Catalog& catalog, const CompileOptions& options);

/// "lb-<run suffix>-<step>": letters, digits and hyphens, at most 63 characters, never of an
/// attempt.
std::string make_token(const RunId& run, const StepId& step);

Json to_json(const Node& node);
/// Errors: corrupt.
Result<Node> node_from_json(const Json& value);
Json to_json(const Graph& graph);
/// Errors: corrupt.
Result<Graph> graph_from_json(const Json& value);

}  // namespace lifeboat::runbook

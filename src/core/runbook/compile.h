#pragma once
/// Inside of compile(): from the plan's steps to unconnected nodes, and their wiring. Pure.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/runbook/graph.h"

namespace lifeboat::runbook {

constexpr std::size_t node_size_max = std::size_t{64} << 10U;  ///< bytes of a node's JSON

/// Makes the node of one step and one target: all that plan, catalog and mode decide about it.
class NodeMaker {
public:
    NodeMaker(const plan::Plan& plan, const plan::Catalog& catalog, const CompileOptions& options)
        : plan_(plan), catalog_(catalog), options_(options) {}

    /// Without id, token and needs. Errors: invalid, unsupported.
    Result<Node> make(const plan::Step& step, const std::string& target) const;
    bool takes_instance(const Node& node) const;
    /// The step that takes `node` back, when its verb has one.
    std::optional<Node> compensation(const Node& node) const;
    const RunId& run() const { return options_.run; }

private:
    const plan::VerbSpec* find_verb(const std::string& kind, const std::string& verb) const;
    Conduct conduct(const plan::Step& step, const plan::VerbSpec& spec) const;
    void add_approval(const plan::Step& step, Node& node) const;

    const plan::Plan& plan_;
    const plan::Catalog& catalog_;
    const CompileOptions& options_;
};

/// Nodes with their ids; what each waits for is still in names.
struct Expansion {
    struct Waiting {
        std::vector<StepId> exact;       ///< the step before it
        std::vector<std::string> names;  ///< `needs:` as written: ids of steps or of nodes
    };
    std::vector<Node> nodes;
    std::vector<Waiting> waiting;  ///< by node
    std::map<std::string, std::vector<StepId>> by_name;
    std::set<std::string> ids;
};

/// Errors: invalid, unsupported.
Result<void> expand(const std::vector<plan::Step>& steps, const NodeMaker& maker,
                    Expansion& expansion);
/// Turns names into needs. Errors: invalid (no such step).
Result<void> connect(Expansion& expansion);

}  // namespace lifeboat::runbook

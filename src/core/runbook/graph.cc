#include "core/runbook/graph.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "core/runbook/compile.h"
#include "core/runbook/policy.h"

namespace lifeboat::runbook {
namespace {

/// Order of the nodes so that each comes after what it needs, otherwise as written.
Result<std::vector<Node>> sorted(std::vector<Node> nodes) {
    std::map<StepId, std::size_t> index;
    for (std::size_t i = 0; i < nodes.size(); ++i) index[nodes[i].id] = i;
    std::vector<std::size_t> open(nodes.size());
    std::vector<std::vector<std::size_t>> followers(nodes.size());
    std::set<std::size_t> ready;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        for (const StepId& need : nodes[i].needs) followers[index.at(need)].push_back(i);
        open[i] = nodes[i].needs.size();
        if (open[i] == 0) ready.insert(i);
    }
    std::vector<Node> result;
    result.reserve(nodes.size());
    while (!ready.empty()) {
        const std::size_t next = *ready.begin();
        ready.erase(ready.begin());
        for (const std::size_t follower : followers[next])
            if (--open[follower] == 0) ready.insert(follower);
        result.push_back(std::move(nodes[next]));
    }
    if (result.size() == nodes.size()) return result;
    std::string circle;
    for (std::size_t i = 0; i < open.size(); ++i)
        if (open[i] > 0) circle += (circle.empty() ? "" : ", ") + nodes[i].id.value;
    return invalid(fmt::format("steps need each other in a circle: {}", circle),
                   "Take one `needs:` out of the circle.");
}

/// The component and all that it needs, directly or not.
std::set<std::string> with_needs(const plan::Plan& plan, const std::string& component) {
    std::set<std::string> found;
    std::vector<std::string> open{component};
    while (!open.empty()) {
        const std::string name = std::move(open.back());
        open.pop_back();
        if (!found.insert(name).second) continue;
        if (const plan::Component* known = plan.component(name))
            open.insert(open.end(), known->needs.begin(), known->needs.end());
    }
    return found;
}

/// Components of the instances that steps before `node` (through needs) make.
std::set<std::string> made_before(const std::vector<Node>& nodes,
                                  const std::map<StepId, std::size_t>& index, const Node& node) {
    std::set<std::string> made;
    std::set<StepId> seen;
    std::vector<StepId> open = node.needs;
    while (!open.empty()) {
        const StepId id = std::move(open.back());
        open.pop_back();
        if (!seen.insert(id).second) continue;
        const Node& before = nodes[index.at(id)];
        if (before.makes_instance && !before.component.empty()) made.insert(before.component);
        open.insert(open.end(), before.needs.begin(), before.needs.end());
    }
    return made;
}

}  // namespace

bool Node::operator==(const Node& other) const {
    const auto parts = [](const Node& n) {
        return std::tie(n.id, n.verb, n.component, n.kind, n.site, n.priority, n.arguments, n.needs,
                        n.adopts, n.token, n.conduct, n.safety, n.mutating, n.destructive,
                        n.makes_instance, n.needs_fenced, n.attempts_max, n.timeout,
                        n.backoff_first, n.backoff_max, n.approvers, n.on_failure, n.estimate,
                        n.undo, n.note, n.undoes);
    };
    if (parts(*this) != parts(other) || approve.has_value() != other.approve.has_value())
        return false;
    // Where an approval stands in the plan's text is no part of the graph.
    return !approve ||
           (approve->by == other.approve->by && approve->within == other.approve->within &&
            approve->statement == other.approve->statement);
}

const Node* Graph::find(const StepId& id) const {
    for (const Node& node : nodes)
        if (node.id == id) return &node;
    return nullptr;
}

Result<Graph> compile(const plan::Plan& plan, const std::vector<plan::Step>& steps,
                      const plan::Catalog& catalog, const CompileOptions& options) {
    const NodeMaker maker(plan, catalog, options);
    Expansion expansion;
    TRY(expand(steps, maker, expansion));
    TRY(connect(expansion));

    Graph graph;
    graph.nodes = TRY(sorted(std::move(expansion.nodes)));
    std::map<StepId, std::size_t> index;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) index[graph.nodes[i].id] = i;
    for (Node& node : graph.nodes) {
        if (maker.takes_instance(node) && node.conduct == Conduct::act) {
            const std::set<std::string> made = made_before(graph.nodes, index, node);
            const std::set<std::string> wanted = with_needs(plan, node.component);
            std::set_intersection(made.begin(), made.end(), wanted.begin(), wanted.end(),
                                  std::back_inserter(node.adopts));
        }
        if (auto undo = maker.compensation(node)) graph.undo.push_back(std::move(*undo));
        if (dump(to_json(node)).size() > node_size_max)
            return invalid(fmt::format("step '{}': its arguments are larger than {} KiB",
                                       node.id.value, node_size_max >> 10U));
    }
    return graph;
}

}  // namespace lifeboat::runbook

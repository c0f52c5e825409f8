#include <fmt/core.h>

#include <algorithm>

#include "core/runbook/compile.h"

namespace lifeboat::runbook {
namespace {

using Waiting = Expansion::Waiting;

class Expander {
public:
    Expander(const NodeMaker& maker, Expansion& out) : maker_(maker), out_(out) {}

    Result<void> sequence(const std::vector<plan::Step>& steps) {
        std::vector<StepId> before;
        for (const plan::Step& step : steps)
            before = TRY(one(step, Waiting{.exact = before, .names = {}}));
        return ok();
    }

private:
    /// The step's nodes; what follows it waits for those that are returned.
    Result<std::vector<StepId>> one(const plan::Step& step, Waiting waiting) {
        if (step.needs_given || !step.needs.empty())
            waiting = Waiting{.exact = {}, .names = step.needs};
        std::vector<StepId> ends;
        if (step.verb == "parallel") {
            for (const plan::Step& child : step.parallel) {
                const std::vector<StepId> of_child = TRY(one(child, waiting));
                ends.insert(ends.end(), of_child.begin(), of_child.end());
            }
            if (step.parallel.empty()) ends = waiting.exact;
        } else {
            const bool several = step.targets.size() > 1;
            const std::vector<std::string> targets =
                step.targets.empty() ? std::vector<std::string>{""} : step.targets;
            for (const std::string& target : targets)
                ends.push_back(TRY(node(step, target, several, waiting)));
        }
        if (!step.id.empty()) out_.by_name[step.id] = ends;
        return ends;
    }

    Result<StepId> node(const plan::Step& step, const std::string& target, bool several,
                        const Waiting& waiting) {
        Node node = TRY(maker_.make(step, target));
        node.id = StepId(unique(wanted_id(step, target, several)));
        node.token = make_token(maker_.run(), node.id);
        const StepId id = node.id;
        out_.nodes.push_back(std::move(node));
        out_.waiting.push_back(waiting);
        return id;
    }

    /// Of several targets each gets its own: "repoint-backend", "repoint-ai", or after an `id:`
    /// that the plan gives, "switch-backend", "switch-ai".
    static std::string wanted_id(const plan::Step& step, const std::string& target, bool several) {
        const std::string plain = target.empty() ? step.verb : step.verb + "-" + target;
        if (step.id.empty()) return plain;
        if (!several) return step.id;
        return step.id.starts_with(step.verb) ? plain : step.id + "-" + target;
    }

    std::string unique(const std::string& wanted) {
        std::string id = wanted;
        for (unsigned n = 2; !out_.ids.insert(id).second; ++n) id = fmt::format("{}-{}", wanted, n);
        return id;
    }

    const NodeMaker& maker_;
    Expansion& out_;
};

}  // namespace

Result<void> expand(const std::vector<plan::Step>& steps, const NodeMaker& maker,
                    Expansion& expansion) {
    return Expander(maker, expansion).sequence(steps);
}

Result<void> connect(Expansion& expansion) {
    for (std::size_t i = 0; i < expansion.nodes.size(); ++i) {
        Node& node = expansion.nodes[i];
        std::set<StepId> needs(expansion.waiting[i].exact.begin(),
                               expansion.waiting[i].exact.end());
        for (const std::string& name : expansion.waiting[i].names) {
            if (const auto found = expansion.by_name.find(name); found != expansion.by_name.end())
                needs.insert(found->second.begin(), found->second.end());
            else if (expansion.ids.contains(name))
                needs.insert(StepId(name));
            else
                return invalid(
                    fmt::format("step '{}' needs '{}', which is no step of this scenario",
                                node.id.value, name));
        }
        if (needs.contains(node.id))
            return invalid(fmt::format("step '{}' needs itself", node.id.value));
        node.needs.assign(needs.begin(), needs.end());
    }
    return ok();
}

}  // namespace lifeboat::runbook

#include "core/plan/flow_graph.h"

#include <fmt/core.h>

#include <map>

#include "platform/base/text.h"

namespace lifeboat::plan {
namespace {

/// Every step has two nodes, its begin (2n) and its end (2n+1): a step in `parallel` begins after
/// its parent's begin, and the parent ends after it.
class FlowGraph {
public:
    explicit FlowGraph(const std::vector<Step>& steps) {
        number(steps);
        connect(steps, std::nullopt, false);
        marks_.resize(edges_.size(), Mark::unseen);
    }

    /// The steps of a circle, in order, or nothing more.
    std::vector<const Step*> next_circle() {
        while (start_ < edges_.size()) {
            if (marks_[start_] == Mark::unseen) {
                auto circle = walk(start_);
                if (!circle.empty()) return circle;
            }
            ++start_;
        }
        return {};
    }

private:
    enum class Mark { unseen, open, done };

    void number(const std::vector<Step>& steps) {
        for (const Step& step : steps) {
            by_id_.emplace(step.id, steps_.size());
            for (const std::string& target : step.targets)
                if (step.targets.size() > 1)
                    by_id_.emplace(fmt::format("{}-{}", step.verb, target), steps_.size());
            index_[&step] = steps_.size();
            steps_.push_back(&step);
            number(step.parallel);
        }
        edges_.resize(steps_.size() * 2);
    }

    void connect(const std::vector<Step>& steps, std::optional<std::size_t> parent, bool together) {
        std::optional<std::size_t> before;
        for (const Step& step : steps) {
            const std::size_t me = index_.at(&step);
            edges_[2 * me + 1].push_back(2 * me);
            if (parent) {
                edges_[2 * me].push_back(2 * *parent);
                edges_[2 * *parent + 1].push_back(2 * me + 1);
            }
            if (step.needs_given) {
                for (const std::string& need : step.needs)
                    if (const auto found = by_id_.find(need); found != by_id_.end())
                        edges_[2 * me].push_back(2 * found->second + 1);
            } else if (before && !together) {
                edges_[2 * me].push_back(2 * *before + 1);
            }
            connect(step.parallel, me, true);
            before = me;
        }
    }

    std::vector<const Step*> walk(std::size_t first) {
        std::vector<std::pair<std::size_t, std::size_t>> path{{first, 0}};
        marks_[first] = Mark::open;
        while (!path.empty()) {
            auto& [node, next] = path.back();
            if (next == edges_[node].size()) {
                marks_[node] = Mark::done;
                path.pop_back();
                continue;
            }
            const std::size_t target = edges_[node][next++];
            if (marks_[target] == Mark::open) {
                auto circle = circle_of(path, target);
                for (const auto& [on_path, edge] : path) marks_[on_path] = Mark::done;
                return circle;
            }
            if (marks_[target] != Mark::unseen) continue;
            marks_[target] = Mark::open;
            path.emplace_back(target, 0);
        }
        return {};
    }

    std::vector<const Step*> circle_of(const std::vector<std::pair<std::size_t, std::size_t>>& path,
                                       std::size_t target) const {
        std::vector<const Step*> circle;
        bool inside = false;
        for (const auto& [node, edge] : path) {
            inside = inside || node == target;
            const Step* step = steps_[node / 2];
            if (inside && (circle.empty() || circle.back() != step)) circle.push_back(step);
        }
        while (circle.size() > 1 && circle.front() == circle.back()) circle.pop_back();
        return circle;
    }

    std::vector<const Step*> steps_;
    std::map<const Step*, std::size_t> index_;
    std::map<std::string, std::size_t> by_id_;
    std::vector<std::vector<std::size_t>> edges_;
    std::vector<Mark> marks_;
    std::size_t start_ = 0;
};

}  // namespace

void find_circular_steps(Reader& reader, const std::string& what, const std::vector<Step>& steps) {
    FlowGraph graph(steps);
    for (auto circle = graph.next_circle(); !circle.empty(); circle = graph.next_circle()) {
        std::vector<std::string> ids;
        const Step* at = circle.front();
        for (const Step* step : circle) {
            ids.push_back(step->id);
            if (!at->needs_given && step->needs_given) at = step;
        }
        ids.push_back(circle.front()->id);
        reader.error(at->key_at.contains("needs") ? at->key_at.at("needs") : at->at,
                     "circular-needs",
                     fmt::format("steps of {} wait for each other: {}", what, join(ids, " → ")),
                     "A step waits for the one before it, unless it says `needs:`.");
    }
}

}  // namespace lifeboat::plan

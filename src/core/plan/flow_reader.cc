// What steps of one flow have in common: their ids, what they wait for, what their templates name.

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/plan/flow_graph.h"
#include "core/plan/step_reader.h"
#include "core/plan/templates.h"
#include "platform/base/text.h"

namespace lifeboat::plan {
namespace {

using yaml::Node;

constexpr std::size_t id_size_max = 63;

class FlowReader {
public:
    FlowReader(Reader& reader, const Flow& flow)
        : reader_(reader), flow_(flow), steps_(reader, *flow.plan) {}

    void read();

private:
    void given_ids(const Step& step);
    void derive_id(Step& step);
    void aliases(const Step& step);
    void judge_needs(const Step& step);
    void judge_template(const TemplateUse& use);
    void judge_step_template(std::string_view name, Position at);
    const Step* find(std::string_view id) const;

    Reader& reader_;
    const Flow& flow_;
    StepReader steps_;
    std::map<std::string, const Step*, std::less<>>
        ids_;  ///< also "verb-target" of several targets
    std::map<std::string, Position> given_;
    std::set<std::string> taken_;
};

template <class S, class F>
void for_each_step(std::vector<S>& steps, const F& act) {
    for (S& step : steps) {
        act(step);
        for_each_step(step.parallel, act);
    }
}

void FlowReader::given_ids(const Step& step) {
    if (step.id.empty()) return;
    const Position at = step.key_at.contains("id") ? step.key_at.at("id") : step.at;
    if (!is_name(step.id) || step.id.contains('.'))
        reader_.error(at, "bad-name", fmt::format("'{}' cannot be the id of a step", step.id),
                      "Use lower-case letters, digits, '-' and '_', at most 63.");
    const auto [known, fresh] = given_.emplace(step.id, at);
    if (!fresh)
        reader_.error(at, "duplicate-name",
                      fmt::format("two steps of {} have the id '{}'", flow_.what, step.id),
                      fmt::format("The other one is in line {}.", known->second.line));
    taken_.insert(step.id);
}

void FlowReader::derive_id(Step& step) {
    if (step.id.empty()) {
        std::string wanted = step.verb;
        for (const std::string& target : step.targets) wanted += "-" + target;
        if (wanted.size() > id_size_max - 4) wanted.resize(id_size_max - 4);
        step.id = wanted;
        for (unsigned n = 2; !taken_.insert(step.id).second; ++n)
            step.id = fmt::format("{}-{}", wanted, n);
    }
    ids_.emplace(step.id, &step);
}

/// Each target of a step with several runs as a step of its own.
void FlowReader::aliases(const Step& step) {
    if (step.targets.size() < 2) return;
    for (const std::string& target : step.targets)
        ids_.emplace(fmt::format("{}-{}", step.verb, target), &step);
}

const Step* FlowReader::find(std::string_view id) const {
    const auto found = ids_.find(id);
    return found == ids_.end() ? nullptr : found->second;
}

void FlowReader::judge_needs(const Step& step) {
    for (std::size_t i = 0; i < step.needs.size(); ++i) {
        const std::string& need = step.needs[i];
        if (find(need) != nullptr) continue;
        const auto item = step.key_at.find(fmt::format("needs.{}", i));
        const auto whole = step.key_at.find("needs");
        const Position at = item != step.key_at.end()    ? item->second
                            : whole != step.key_at.end() ? whole->second
                                                         : step.at;
        std::vector<std::string> names;
        for (const auto& [id, other] : ids_) names.push_back(id);
        std::string hint = reader_.suggest(need, names);
        if (hint.empty() && names.size() <= 20)
            hint = fmt::format("There is {}.", join(names, ", "));
        reader_.error(at, "unknown-step", fmt::format("unknown step '{}' in 'needs'", need),
                      std::move(hint));
    }
}

void FlowReader::judge_step_template(std::string_view name, Position at) {
    const std::string_view rest = name.substr(sizeof("steps.") - 1);
    const std::size_t dot = rest.find('.');
    const std::string_view id = rest.substr(0, dot);
    const Step* step = find(id);
    if (step == nullptr) {
        std::vector<std::string> names;
        for (const auto& [known, other] : ids_) names.push_back(known);
        reader_.error(at, "unknown-template",
                      fmt::format("'{{{{ {} }}}}' names no step of {}", name, flow_.what),
                      reader_.suggest(id, names));
        return;
    }
    const std::string_view output =
        dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
    std::vector<std::string> outputs;
    const auto add = [&](std::string_view kind) {
        if (const VerbSpec* spec = reader_.catalog.verb(kind, step->verb))
            outputs.insert(outputs.end(), spec->outputs.begin(), spec->outputs.end());
    };
    if (step->targets.empty()) add("");
    for (const std::string& target : step->targets)
        if (const Component* component = flow_.plan->component(target)) add(component->kind);
    const std::string first(output.substr(0, output.find('.')));
    if (std::ranges::find(outputs, any_output) != outputs.end()) return;
    if (!outputs.empty() && std::ranges::find(outputs, first) == outputs.end()) {
        std::string hint = reader_.suggest(first, outputs);
        if (hint.empty()) hint = fmt::format("It gives {}.", join(outputs, ", "));
        reader_.error(at, "unknown-template",
                      fmt::format("'{{{{ {} }}}}': step '{}' has no output '{}'", name, id, first),
                      std::move(hint));
    }
}

void FlowReader::judge_template(const TemplateUse& use) {
    const auto names = template_names(use.text);
    if (!names.has_value()) {
        reader_.error(use.at, "unknown-template", names.error().message, names.error().hint);
        return;
    }
    for (const std::string& name : *names) {
        if (name.starts_with("steps.")) {
            judge_step_template(name, reader_.place_of(use, name));
            continue;
        }
        static const std::vector<std::string> known{"incident.last_known_good", "incident.time",
                                                    "run.id", "run.scenario", "run.mode"};
        if (std::ranges::find(known, name) != known.end() || name.starts_with("parameters."))
            continue;
        std::string hint = reader_.suggest(name, known);
        if (hint.empty())
            hint =
                "Steps know steps.<id>.<output>, incident.last_known_good, "
                "incident.time, parameters.<name> and run.id.";
        reader_.error(reader_.place_of(use, name), "unknown-template",
                      fmt::format("'{{{{ {} }}}}' names nothing that a step knows", name),
                      std::move(hint));
    }
}

void FlowReader::read() {
    reader_.templates.clear();
    for (const auto& [node, steps] : flow_.lists) {
        const auto add = [&](const Node& item) {
            Step step = steps_.read(item);
            if (!step.verb.empty()) steps->push_back(std::move(step));
        };
        if (node->is_mapping()) add(*node);
        for (const Node& item : node->items) add(item);
    }
    const std::vector<TemplateUse> templates = std::exchange(reader_.templates, {});
    for (const auto& [node, steps] : flow_.lists)
        for_each_step(*steps, [&](const Step& step) { given_ids(step); });
    for (const auto& [node, steps] : flow_.lists)
        for_each_step(*steps, [&](Step& step) { derive_id(step); });
    for (const auto& [node, steps] : flow_.lists)
        for_each_step(*steps, [&](const Step& step) { aliases(step); });
    for (const auto& [node, steps] : flow_.lists)
        for_each_step(*steps, [&](const Step& step) { judge_needs(step); });
    for (const TemplateUse& use : templates) judge_template(use);
    for (const auto& [node, steps] : flow_.lists) find_circular_steps(reader_, flow_.what, *steps);
}

}  // namespace

void read_flow(Reader& reader, const Flow& flow) {
    // What a written plan says is kept as it stands: a password in it is found, and told, no more.
    const DiagnosticLevel before = std::exchange(reader.secrets_level, DiagnosticLevel::warning);
    FlowReader(reader, flow).read();
    reader.secrets_level = before;
}

}  // namespace lifeboat::plan

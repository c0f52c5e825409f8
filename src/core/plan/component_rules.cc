#include "core/plan/component_rules.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/plan/templates.h"
#include "platform/base/text.h"

namespace lifeboat::plan {
namespace {

using yaml::Node;

/// What an instance may be asked for besides its settings.
constexpr std::array<std::string_view, 14> instance_keys{
    "name", "site",      "endpoint", "host",           "port",     "instance",          "identity",
    "pid",  "directory", "timeline", "data_directory", "replicas", "system_identifier", "role"};

/// Everything that `component` can only be after, itself among it.
std::set<std::string_view> closure(const Plan& plan, const Component& component) {
    std::set<std::string_view> found;
    std::vector<std::string_view> open{component.name};
    while (!open.empty()) {
        const std::string_view name = open.back();
        open.pop_back();
        if (!found.insert(name).second) continue;
        if (const Component* next = plan.component(name))
            open.insert(open.end(), next->needs.begin(), next->needs.end());
    }
    return found;
}

bool has_key(const Reader& reader, const Component& component, std::string_view key) {
    if (std::ranges::find(instance_keys, key) != instance_keys.end()) return true;
    const KindSpec* kind = reader.catalog.kind(component.kind);
    if (kind == nullptr || kind->setting(key) != nullptr) return true;
    return std::ranges::any_of(kind->verbs, [&](const VerbSpec& verb) {
        return std::ranges::find(verb.outputs, key) != verb.outputs.end();
    });
}

std::vector<std::string> keys_of(const Reader& reader, const Component& component) {
    std::vector<std::string> keys(instance_keys.begin(), instance_keys.end());
    if (const KindSpec* kind = reader.catalog.kind(component.kind))
        for (const SettingSpec& setting : kind->settings) keys.push_back(setting.name);
    return keys;
}

class TemplateJudge {
public:
    TemplateJudge(Reader& reader, const Plan& plan, const Component& component)
        : reader_(reader), plan_(plan), component_(component) {}

    void judge(std::string_view name, Position at) {
        const std::size_t dot = name.rfind('.');
        if (dot == std::string_view::npos || dot == 0 || dot + 1 == name.size()) {
            unknown(name, at, "Write component.key, for example {{ database.port }}.");
            return;
        }
        const std::string_view owner = name.substr(0, dot);
        const std::string_view key = name.substr(dot + 1);
        if (owner == "self" || owner == "site" || owner == "run") return;
        const Component* other = plan_.component(owner);
        if (other == nullptr) {
            unknown(name, at, reader_.suggest(owner, reader_.names(Refers::component).list()));
        } else if (!needed().contains(owner)) {
            reader_.error(at, "unknown-template",
                          fmt::format("'{{{{ {} }}}}' asks for '{}', which '{}' does not need",
                                      name, owner, component_.name),
                          fmt::format("Add {} to its `needs:`.", owner));
        } else if (!has_key(reader_, *other, key)) {
            reader_.error(at, "unknown-template",
                          fmt::format("'{{{{ {} }}}}': {} has no '{}'", name, owner, key),
                          reader_.suggest(key, keys_of(reader_, *other)));
        }
    }

private:
    void unknown(std::string_view name, Position at, std::string hint) {
        reader_.error(at, "unknown-template",
                      fmt::format("'{{{{ {} }}}}' names nothing that is known", name),
                      std::move(hint));
    }

    const std::set<std::string_view>& needed() {
        if (!needed_) needed_ = closure(plan_, component_);
        return *needed_;
    }

    Reader& reader_;
    const Plan& plan_;
    const Component& component_;
    std::optional<std::set<std::string_view>> needed_;
};

/// Walks along `needs` and finds each circle once.
class CircleFinder {
public:
    CircleFinder(Reader& reader, const Plan& plan, const std::vector<const Node*>& nodes)
        : reader_(reader),
          plan_(plan),
          nodes_(nodes),
          marks_(plan.components.size(), Mark::unseen) {}

    void find() {
        for (std::size_t i = 0; i < marks_.size(); ++i)
            if (marks_[i] == Mark::unseen) walk(i);
    }

private:
    enum class Mark { unseen, open, done };
    struct Frame {
        std::size_t component;
        std::size_t next = 0;
    };

    // Not recursive: a plan may be a chain of thousands.
    void walk(std::size_t first) {
        std::vector<Frame> path{{first}};
        marks_[first] = Mark::open;
        while (!path.empty()) {
            Frame& top = path.back();
            const Component& component = plan_.components[top.component];
            if (top.next == component.needs.size()) {
                marks_[top.component] = Mark::done;
                path.pop_back();
                continue;
            }
            const std::size_t need = top.next++;
            const auto found = plan_.component_index.find(component.needs[need]);
            if (found == plan_.component_index.end()) continue;
            const std::size_t target = found->second;
            if (marks_[target] == Mark::open) tell(path, target, need);
            if (marks_[target] != Mark::unseen) continue;
            marks_[target] = Mark::open;
            path.push_back({target});
        }
    }

    void tell(const std::vector<Frame>& path, std::size_t target, std::size_t need) {
        std::vector<std::string> names;
        bool inside = false;
        for (const Frame& frame : path) {
            inside = inside || frame.component == target;
            if (inside) names.push_back(plan_.components[frame.component].name);
        }
        names.push_back(plan_.components[target].name);
        const std::string circle = names.size() > 12
                                       ? fmt::format("{} → … ({} more) → {}", names.front(),
                                                     names.size() - 2, names.back())
                                       : join(names, " → ");
        reader_.error(place(path.back().component, need), "circular-needs",
                      fmt::format("circular needs: {}", circle),
                      "Neither can be back before the other: remove one of these needs.");
    }

    Position place(std::size_t component, std::size_t need) const {
        const Node* needs = nodes_[component]->find("needs");
        if (needs == nullptr) return plan_.components[component].at;
        for (const Node& item : needs->items)
            if (item.scalar == plan_.components[component].needs[need]) return item.at;
        return needs->at;
    }

    Reader& reader_;
    const Plan& plan_;
    const std::vector<const Node*>& nodes_;
    std::vector<Mark> marks_;
};

}  // namespace

void UnavailableKinds::note(const std::string& kind, const std::string& user, Position at) {
    for (Use& use : uses_) {
        if (use.kind != kind) continue;
        use.users.push_back(user);
        return;
    }
    uses_.push_back({.kind = kind, .at = at, .users = {user}});
}

void UnavailableKinds::tell(Reader& reader) const {
    for (const Use& use : uses_) {
        const bool many = use.users.size() > 6;
        const std::string users =
            many ? fmt::format("{} and {} more", use.users.front(), use.users.size() - 1)
                 : join(use.users, ", ");
        reader.warning(use.at, "no-provider",
                       fmt::format("kind {}: no provider in this build", use.kind),
                       fmt::format("{} can be checked and shown, but not acted on.", users));
    }
}

bool never_pauses(std::string_view method) {
    return method == "continuous" || method == "versioning" || method == "replica" ||
           method == "replication";
}

void judge_platform(Reader& reader, const Plan& plan, const std::string& site, const KindSpec& kind,
                    Position at) {
    if (kind.platform.empty()) return;
    const Site* found = plan.site(site);
    if (found == nullptr) {
        if (site.empty())
            reader.error(at, "missing-platform",
                         fmt::format("kind '{}' needs a site with '{}', and the plan has no site",
                                     kind.name, kind.platform),
                         fmt::format("Add `sites: {{primary: {{{}: …}}}}`.", kind.platform));
        return;
    }
    if (!found->platforms.contains(kind.platform))
        reader.error(at, "missing-platform",
                     fmt::format("site '{}' has no '{}', which kind '{}' needs", site,
                                 kind.platform, kind.name),
                     fmt::format("Add `{}:` to the site, or choose another one.", kind.platform));
}

void judge_component(Reader& reader, const Component& component, const KindSpec* kind,
                     const Plan& plan) {
    if (kind == nullptr) return;
    const auto site_at = component.setting_at.find("site");
    judge_platform(reader, plan, component.site, *kind,
                   site_at == component.setting_at.end() ? component.at : site_at->second);
    const bool loses = component.objectives.rpo && *component.objectives.rpo > Duration::zero();
    if (loses && !kind->stateful)
        reader.warning(component.objectives.rpo_at, "pointless-rpo",
                       fmt::format("kind '{}' keeps no data that could be lost", kind->name),
                       "Remove the rpo, or give it to the component that holds the data.");
    std::set<std::string_view> seen;
    for (const std::string& need : component.needs)
        if (!seen.insert(need).second)
            reader.warning(
                component.setting_at.at("needs"), "duplicate-name",
                fmt::format("'{}' is needed twice by component '{}'", need, component.name));
}

void find_circular_needs(Reader& reader, const Plan& plan, const std::vector<const Node*>& nodes) {
    CircleFinder(reader, plan, nodes).find();
}

void judge_templates(Reader& reader, const Plan& plan, const Component& component,
                     const std::vector<TemplateUse>& uses) {
    TemplateJudge judge(reader, plan, component);
    for (const TemplateUse& use : uses) {
        const auto names = template_names(use.text);
        if (!names.has_value()) {
            reader.error(use.at, "unknown-template", names.error().message, names.error().hint);
            continue;
        }
        for (const std::string& name : *names) judge.judge(name, reader.place_of(use, name));
    }
}

}  // namespace lifeboat::plan

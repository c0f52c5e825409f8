#include <fmt/core.h>

#include <set>

#include "core/plan/check_reader.h"
#include "core/plan/component_rules.h"
#include "core/plan/parts.h"
#include "platform/base/text.h"

namespace lifeboat::plan {
namespace {

using yaml::Entry;
using yaml::Node;

class ComponentReader {
public:
    ComponentReader(Reader& reader, Plan& plan, UnavailableKinds& unavailable)
        : reader_(reader), plan_(plan), unavailable_(unavailable) {}

    Component read(const std::string& name, const Node& node, Position at);

private:
    const KindSpec* find_kind(const Node& node, const std::string& component);
    std::vector<Protection> protections(const Node& node);
    Protection protection(const Node& node);
    void judge_protection(const Protection& protection);
    void read_at(const Node& node, Component& component);

    Reader& reader_;
    Plan& plan_;
    UnavailableKinds& unavailable_;
    const KindSpec* kind_ = nullptr;
    std::string what_;
};

const KindSpec* ComponentReader::find_kind(const Node& node, const std::string& component) {
    const Node* kind = node.find("kind");
    if (kind == nullptr || !kind->is_scalar()) return nullptr;
    const KindSpec* found = kind->scalar.empty() ? nullptr : reader_.catalog.kind(kind->scalar);
    if (found == nullptr) {
        reader_.error(kind->at, "unknown-kind", fmt::format("unknown kind '{}'", kind->scalar),
                      reader_.suggest(kind->scalar, reader_.catalog.kind_names()));
    } else if (found->is_channel()) {
        reader_.error(kind->at, "unknown-kind",
                      fmt::format("kind '{}' is a channel, not a component", kind->scalar),
                      "Write it under `channels:`.");
        return nullptr;
    } else if (!found->available) {
        unavailable_.note(found->name, component, kind->at);
    }
    return found;
}

void ComponentReader::judge_protection(const Protection& protection) {
    if (kind_ == nullptr || protection.method.empty()) return;
    const Position at =
        protection.key_at.contains("method") ? protection.key_at.at("method") : protection.at;
    if (std::ranges::find(kind_->methods, protection.method) == kind_->methods.end()) {
        std::string hint = reader_.suggest(protection.method, kind_->methods);
        if (hint.empty())
            hint = kind_->methods.empty()
                       ? std::string("It has no protections.")
                       : fmt::format("It can do {}.", join(kind_->methods, ", "));
        reader_.error(
            at, "unknown-method",
            fmt::format("kind '{}' has no protection '{}'", kind_->name, protection.method),
            std::move(hint));
        return;
    }
    if (!protection.every && !protection.key_at.contains("every") &&
        !never_pauses(protection.method))
        reader_.error(protection.at, "missing-key",
                      fmt::format("protection '{}' of {} has no 'every'", protection.method, what_),
                      "Say how often points are made, for example `every: 1h`.");
    if (protection.every && *protection.every == Duration::zero())
        reader_.error(protection.key_at.at("every"), "bad-value", "'every' is zero",
                      "Say how often points are made, for example `every: 1h`.");
}

Protection ComponentReader::protection(const Node& node) {
    static const std::vector<SettingSpec> none;
    const Fields fields(reader_, node, section("protection"),
                        {.what = fmt::format("a protection of {}", what_),
                         .settings = kind_ == nullptr ? &none : &kind_->protection,
                         .open = kind_ == nullptr});
    Protection protection{.method = fields.text("method"),
                          .every = fields.duration("every"),
                          .keep = fields.duration("keep"),
                          .settings = fields.settings(),
                          .at = node.at,
                          .key_at = fields.places()};
    if (fields.has("copy_to")) protection.copy_to = fields.text("copy_to");
    for (const char* key : {"immutable", "account", "title"})
        if (const Json* value = fields.json(key)) protection.settings[key] = *value;
    judge_protection(protection);
    return protection;
}

std::vector<Protection> ComponentReader::protections(const Node& node) {
    std::vector<Protection> found;
    if (node.is_mapping()) found.push_back(protection(node));
    for (const Node& item : node.items) found.push_back(protection(item));
    return found;
}

/// What differs at another site: the kind's settings, as many as one likes.
void ComponentReader::read_at(const Node& node, Component& component) {
    if (node.type == yaml::Type::null) return;
    if (!node.is_mapping()) {
        reader_.wrong_type(node, "at", "a mapping of sites");
        return;
    }
    static const Section only_settings{.name = "at", .keys = {}};
    for (const Entry& entry : node.entries) {
        if (!reader_.refers(entry.key, entry.key_at, Refers::site)) continue;
        const Fields fields(reader_, entry.value, only_settings,
                            {.what = fmt::format("{} at '{}'", what_, entry.key),
                             .settings = kind_ == nullptr ? nullptr : &kind_->settings,
                             .open = kind_ == nullptr,
                             .templates = true,
                             .partial = true,
                             .unknown = "key"});
        component.at_site[entry.key] = fields.settings();
    }
}

Component ComponentReader::read(const std::string& name, const Node& node, Position at) {
    what_ = fmt::format("component '{}'", name);
    kind_ = find_kind(node, name);
    reader_.templates.clear();
    const Fields fields(reader_, node, section("component"),
                        {.what = what_,
                         .settings = kind_ == nullptr ? nullptr : &kind_->settings,
                         .ignore = {"at"},
                         .open = kind_ == nullptr,
                         .templates = true,
                         .at = at});
    Component component{.name = name,
                        .kind = fields.text("kind"),
                        .site = fields.text("site"),
                        .priority = fields.text("priority"),
                        .title = fields.text("title"),
                        .needs = fields.texts("needs"),
                        .instance = fields.text("instance"),
                        .alerts = fields.texts("alerts"),
                        .settings = fields.settings(),
                        .at = at,
                        .setting_at = fields.places()};
    if (component.site.empty() && !fields.has("site") &&
        !reader_.names(Refers::site).list().empty())
        component.site = reader_.names(Refers::site).list().front();
    if (const Node* inner = fields.nested("objectives")) {
        const Fields promised(reader_, *inner, section("objectives"),
                              {.what = fmt::format("'objectives' of {}", what_)});
        component.objectives = {.rto = promised.duration("rto"),
                                .rpo = promised.duration("rpo"),
                                .rto_at = promised.at("rto"),
                                .rpo_at = promised.at("rpo")};
    }
    if (const Node* inner = fields.nested("protect")) component.protect = protections(*inner);
    if (const Node* inner = fields.nested("health"))
        component.health = read_checks(reader_, *inner, {.label = "health", .kind = kind_});
    if (const Node* inner = fields.nested("verify"))
        component.verify = read_checks(reader_, *inner, {.label = "verify", .kind = kind_});
    if (const Node* inner = node.find("at")) read_at(*inner, component);
    judge_component(reader_, component, kind_, plan_);
    return component;
}

}  // namespace

void read_components(Reader& reader, const Node& map, Plan& plan) {
    UnavailableKinds unavailable;
    std::vector<std::vector<TemplateUse>> templates;
    std::vector<const Node*> nodes;
    plan.components.reserve(map.entries.size());
    each_named(reader, map, "component", true,
               [&](const std::string& name, const Node& node, Position at) {
                   if (is_reserved(name))
                       reader.error(at, "bad-name",
                                    fmt::format("'{}' cannot be the name of a component", name),
                                    "Templates use this word themselves.");
                   plan.component_index.emplace(name, plan.components.size());
                   plan.components.push_back(
                       ComponentReader(reader, plan, unavailable).read(name, node, at));
                   templates.push_back(std::exchange(reader.templates, {}));
                   nodes.push_back(&node);
               });
    unavailable.tell(reader);
    find_circular_needs(reader, plan, nodes);
    for (std::size_t i = 0; i < plan.components.size(); ++i)
        judge_templates(reader, plan, plan.components[i], templates[i]);
}

}  // namespace lifeboat::plan

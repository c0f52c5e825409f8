#include <fmt/core.h>

#include <algorithm>

#include "core/plan/component_rules.h"
#include "core/plan/parts.h"

namespace lifeboat::plan {
namespace {

using yaml::Node;

void find_circular_roles(Reader& reader, const Plan& plan) {
    for (const Role& role : plan.roles) {
        std::string above = role.parent;
        for (std::size_t up = 0; up <= plan.roles.size() && !above.empty(); ++up) {
            if (above == role.name) {
                reader.error(role.at, "circular-needs",
                             fmt::format("role '{}' reports to itself", role.name),
                             "Remove one `reports_to:` of the circle.");
                break;
            }
            const auto found = std::ranges::find(plan.roles, above, &Role::name);
            above = found == plan.roles.end() ? std::string() : found->parent;
        }
    }
}

}  // namespace

void read_roles(Reader& reader, const Node& map, Plan& plan) {
    each_named(reader, map, "role", true,
               [&](const std::string& name, const Node& node, Position at) {
                   const Fields fields(reader, node, section("role"),
                                       {.what = fmt::format("role '{}'", name)});
                   plan.roles.push_back({.name = name,
                                         .title = fields.text("title"),
                                         .parent = fields.text("reports_to"),
                                         .at = at});
               });
    find_circular_roles(reader, plan);
}

void read_people(Reader& reader, const Node& map, Plan& plan) {
    each_named(
        reader, map, "person", true, [&](const std::string& name, const Node& node, Position at) {
            const Fields fields(reader, node, section("person"),
                                {.what = fmt::format("person '{}'", name)});
            Person person{.name = name,
                          .title = fields.text("title"),
                          .full_name = fields.text("name"),
                          .phone = fields.text("phone"),
                          .email = fields.text("email"),
                          .roles = fields.texts("roles"),
                          .os_user = fields.text("os_user"),
                          .token = fields.text("token"),
                          .at = at,
                          .key_at = fields.places()};
            person.placeholder = is_placeholder(person.full_name) || is_placeholder(person.phone) ||
                                 is_placeholder(person.email);
            plan.people.push_back(std::move(person));
        });
}

void read_severities(Reader& reader, const Node& map, Plan& plan) {
    each_named(reader, map, "severity", false,
               [&](const std::string& name, const Node& node, Position at) {
                   const Fields fields(reader, node, section("severity"),
                                       {.what = fmt::format("severity '{}'", name)});
                   Severity severity{.name = name,
                                     .title = fields.text("title"),
                                     .when = fields.texts("when"),
                                     .scenarios = fields.texts("scenarios"),
                                     .response = fields.text("response"),
                                     .notify = fields.texts("notify"),
                                     .at = at,
                                     .key_at = fields.places()};
                   for (const std::string& whom : severity.notify) {
                       if (reader.names(Refers::channel).contains(whom) ||
                           reader.names(Refers::contact).contains(whom))
                           continue;
                       std::vector<std::string> known = reader.names(Refers::channel).list();
                       const auto& contacts = reader.names(Refers::contact).list();
                       known.insert(known.end(), contacts.begin(), contacts.end());
                       reader.error(fields.at("notify"), "unknown-contact",
                                    fmt::format("'{}' is no channel, role or person", whom),
                                    reader.suggest(whom, known));
                   }
                   plan.severities.push_back(std::move(severity));
               });
}

void read_channels(Reader& reader, const Node& map, Plan& plan) {
    UnavailableKinds unavailable;
    each_named(
        reader, map, "channel", true, [&](const std::string& name, const Node& node, Position at) {
            const Node* kind_node = node.find("kind");
            const KindSpec* kind = nullptr;
            if (kind_node != nullptr && kind_node->is_scalar() && !kind_node->scalar.empty()) {
                kind = reader.catalog.kind(kind_node->scalar);
                if (kind == nullptr || !kind->is_channel()) {
                    std::vector<std::string> channels;
                    for (const auto& [known, spec] : reader.catalog.kinds())
                        if (spec.is_channel()) channels.push_back(known);
                    reader.error(kind_node->at, "unknown-kind",
                                 fmt::format("'{}' is no kind of channel", kind_node->scalar),
                                 reader.suggest(kind_node->scalar, channels));
                    kind = nullptr;
                } else if (!kind->available) {
                    unavailable.note(kind->name, name, kind_node->at);
                }
            }
            const Fields fields(reader, node, section("channel"),
                                {.what = fmt::format("channel '{}'", name),
                                 .settings = kind == nullptr ? nullptr : &kind->settings,
                                 .open = kind == nullptr,
                                 .at = at});
            plan.channels.push_back({.name = name,
                                     .kind = fields.text("kind"),
                                     .settings = fields.settings(),
                                     .at = at});
        });
    unavailable.tell(reader);
}

void read_links(Reader&, const Node& map, Plan& plan) {
    // The values were checked with the top level, of which they are a plain mapping.
    for (const yaml::Entry& entry : map.entries)
        if (entry.value.is_scalar())
            plan.links.push_back(
                {.name = entry.key, .url = entry.value.scalar, .at = entry.key_at});
}

void read_status_page(Reader& reader, const Node& node, Plan& plan) {
    const Fields fields(reader, node, section("status_page"), {.what = "'status_page'"});
    for (const char* key : {"url", "channel"})
        if (const Json* value = fields.json(key)) plan.status_page[key] = *value;
    const Node* update = fields.nested("template");
    if (update == nullptr) return;
    const Fields inner(reader, *update, section("status_update"),
                       {.what = "'status_page.template'"});
    Json& target = plan.status_page["template"] = Json::object();
    for (const Key& key : section("status_update").keys)
        if (const Json* value = inner.json(key.name)) target[std::string(key.name)] = *value;
}

void read_post_mortem(Reader& reader, const Node& node, Plan& plan) {
    const Fields fields(reader, node, section("post_mortem"), {.what = "'post_mortem'"});
    for (const Key& key : section("post_mortem").keys) {
        const std::string name(key.name);
        if (const Json* value = fields.json(key.name)) plan.post_mortem[name] = *value;
        const Node* list = key.section.empty() ? nullptr : fields.nested(key.name);
        if (list == nullptr) continue;
        Json& items = plan.post_mortem[name] = Json::array();
        const Section& table = section(key.section);
        const auto add = [&](const Node& item) {
            const Fields inner(reader, item, table,
                               {.what = fmt::format("an item of 'post_mortem.{}'", name)});
            Json& target = items.emplace_back(Json::object());
            for (const Key& part : table.keys)
                if (const Json* value = inner.json(part.name))
                    target[std::string(part.name)] = *value;
        };
        if (list->is_mapping()) add(*list);
        for (const Node& item : list->items) add(item);
    }
}

}  // namespace lifeboat::plan

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "core/plan/parts.h"
#include "platform/base/text.h"

namespace lifeboat::plan {
namespace {

using yaml::Entry;
using yaml::Node;

constexpr std::string_view version = "1";

Review read_review(Reader& reader, const Node& node) {
    const Fields fields(reader, node, section("review"), {.what = "'review'"});
    Review review{.every = fields.duration("every"),
                  .last = fields.instant("last"),
                  .next = fields.instant("next"),
                  .next_drill = fields.instant("next_drill"),
                  .at = node.at,
                  .key_at = fields.places()};
    const std::string tested = fields.text("last_test");
    review.last_test_placeholder = is_placeholder(tested);
    if (tested.empty() || review.last_test_placeholder) return review;
    const auto parsed = parse_instant(tested);
    if (parsed.has_value())
        review.last_test = *parsed;
    else
        reader.error(fields.at("last_test"), "bad-value",
                     fmt::format("'last_test': {}", parsed.error().message), parsed.error().hint);
    return review;
}

void judge_version(Reader& reader, const Node& root) {
    const Entry* entry = root.entry("lifeboat");
    if (entry == nullptr || !entry->value.is_scalar() || entry->value.scalar == version) return;
    if (parse_integer(entry->value.scalar))
        reader.error(
            entry->value.at, "version",
            fmt::format("format version {} is not one that this build reads", entry->value.scalar),
            "This build reads `lifeboat: 1`; a newer one may read yours.");
}

void judge_ports(Reader& reader, const Node& node) {
    const Node* ports = node.find("ports");
    if (ports == nullptr || !ports->is_scalar()) return;
    const auto parts = split(ports->scalar, '-');
    const auto first = parse_integer(trim(parts.front()));
    const auto last = parse_integer(trim(parts.back()));
    const bool right =
        parts.size() <= 2 && first && last && *first >= 1 && *last <= 65535 && *first <= *last;
    if (!right)
        reader.error(ports->at, "bad-value",
                     fmt::format("'ports': '{}' is not a range of ports", ports->scalar),
                     "Write the first and the last, for example 15500-15599.");
}

Json read_platform(Reader& reader, const Node& node, const std::string& platform,
                   const std::string& site) {
    const Fields fields(reader, node, section(platform),
                        {.what = fmt::format("'{}' of site '{}'", platform, site)});
    if (platform == "local") judge_ports(reader, node);
    Json found = Json::object();
    for (const Key& key : section(platform).keys)
        if (const Json* value = fields.json(key.name)) found[std::string(key.name)] = *value;
    return found;
}

/// Said of a plan that is right otherwise: a mistake may be why there is none.
void judge_components(Reader& reader, const Node& root) {
    const Node* components = root.find("components");
    const bool nothing = components == nullptr || components->type == yaml::Type::null ||
                         (components->is_mapping() && components->entries.empty());
    const bool is_right = std::ranges::none_of(reader.diagnostics, [](const Diagnostic& one) {
        return one.level == DiagnosticLevel::error;
    });
    if (nothing && is_right)
        reader.warning(components == nullptr ? root.at : components->at, "no-components",
                       "the plan has no components: it protects nothing",
                       "Name what must survive under `components:`; `lifeboat init` finds what "
                       "runs here.");
}

}  // namespace

void each_named(Reader& reader, const Node& map, std::string_view what, bool strict,
                const std::function<void(const std::string&, const Node&, Position)>& read) {
    for (const Entry& entry : map.entries) {
        if (strict && (!is_name(entry.key) || entry.key.contains('.')))
            reader.error(
                entry.key_at, "bad-name",
                fmt::format("'{}' cannot be the name of a {}", entry.key, what),
                "Use lower-case letters, digits, '-' and '_', at most 63, beginning with a "
                "letter or digit.");
        read(entry.key, entry.value, entry.key_at);
    }
}

void read_head(Reader& reader, const Node& root, Plan& plan) {
    const Fields fields(reader, root, section("plan"), {.what = "the plan"});
    judge_version(reader, root);
    plan.name = fields.text("plan");
    if (fields.has("plan") && !is_name(plan.name))
        reader.error(fields.at("plan"), "bad-name",
                     fmt::format("'{}' cannot be the name of a plan", plan.name),
                     "Use lower-case letters, digits, '-', '_' and '.', at most 63.");
    plan.title = fields.text("title");
    plan.summary = fields.text("summary");
    plan.owner = fields.text("owner");
    plan.revision = fields.text("revision");
    plan.classification = fields.text("classification");
    plan.document = fields.text("document");
    plan.updated = fields.instant("updated");
    if (fields.text("mode") == "observe") plan.mode = Mode::observe;
    plan.key_at = fields.places();
    if (const Node* node = fields.nested("review")) plan.review = read_review(reader, *node);
    if (const Node* node = fields.nested("evidence"))
        plan.evidence_valid =
            Fields(reader, *node, section("evidence"), {.what = "'evidence'"}).duration("valid");
    if (const Node* node = fields.nested("vault")) {
        const Fields vault(reader, *node, section("vault"), {.what = "'vault'"});
        plan.vault = VaultSettings{
            .directory = vault.text("directory"), .key = vault.text("key"), .at = node->at};
    }
    using ReadPart = void (*)(Reader&, const Node&, Plan&);
    constexpr std::array<std::pair<std::string_view, ReadPart>, 12> parts{{
        {"sites", read_sites},
        {"roles", read_roles},
        {"people", read_people},
        {"channels", read_channels},
        {"severities", read_severities},
        {"components", read_components},
        {"scenarios", read_scenarios},
        {"drills", read_drills},
        {"procedures", read_procedures},
        {"links", read_links},
        {"status_page", read_status_page},
        {"post_mortem", read_post_mortem},
    }};
    for (const auto& [name, part] : parts) {
        if (name == "links") {
            if (const Node* node = root.find(name)) part(reader, *node, plan);
        } else if (const Node* node = fields.nested(name)) {
            part(reader, *node, plan);
        }
    }
    judge_components(reader, root);
}

void read_sites(Reader& reader, const Node& map, Plan& plan) {
    each_named(reader, map, "site", true,
               [&](const std::string& name, const Node& node, Position at) {
                   const Fields fields(reader, node, section("site"),
                                       {.what = fmt::format("site '{}'", name)});
                   Site site{.name = name, .at = at};
                   for (const std::string platform : {"local", "aws", "kubernetes"})
                       if (const Node* inner = fields.nested(platform))
                           site.platforms[platform] = read_platform(reader, *inner, platform, name);
                   plan.sites.push_back(std::move(site));
               });
}

}  // namespace lifeboat::plan

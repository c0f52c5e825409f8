#include "core/plan/fields.h"

#include <fmt/core.h>

#include <algorithm>

namespace lifeboat::plan {

using yaml::Entry;
using yaml::Node;

Fields::Fields(Reader& reader, const Node& node, const Section& section, FieldsOptions options)
    : reader_(reader), section_(section), options_(std::move(options)) {
    if (node.type != yaml::Type::null && !node.is_mapping()) {
        reader_.wrong_type(node, options_.what, "a mapping");
        return;
    }
    for (const Entry& entry : node.entries) {
        places_.emplace(entry.key, place_of(entry));
        if (std::ranges::find(options_.ignore, entry.key) == options_.ignore.end()) read(entry);
    }
    require(node);
}

void Fields::read(const Entry& entry) {
    if (const Key* key = section_.key(entry.key)) return read_key(entry, *key);
    if (options_.settings != nullptr) {
        const auto found = std::ranges::find(*options_.settings, entry.key, &SettingSpec::name);
        if (found != options_.settings->end()) return read_setting(entry, *found);
    }
    unknown(entry);
}

void Fields::read_key(const Entry& entry, const Key& key) {
    if (!key.section.empty()) {
        if (shape_fits(entry.value, key)) nested_.emplace_back(key.name, &entry.value);
        return;
    }
    // What decides about order, place and time must be known before the run.
    const bool fillable =
        section_.name == "check" ||
        (key.type == SettingType::text && key.refers == Refers::nothing && key.choices.empty());
    const Reading reading{.key = key.name,
                          .templates = options_.templates && fillable,
                          .choices = &key.choices,
                          .refers = key.refers};
    std::optional<Json> found;
    if (key.holds == Holds::map) {
        found = read_map(entry.value, key);
    } else if (key.holds == Holds::list && entry.value.type == yaml::Type::null) {
        found = Json::array();
    } else if (key.holds == Holds::list) {
        found = reader_.value(entry.value, SettingType::text_list, reading);
    } else {
        found = reader_.value(entry.value, key.type, reading);
    }
    if (found) values_.emplace_back(key.name, *std::move(found));
}

std::optional<Json> Fields::read_map(const Node& node, const Key& key) {
    if (node.type == yaml::Type::null) return Json::object();
    if (!node.is_mapping()) {
        reader_.wrong_type(node, key.name, "a mapping of names");
        return std::nullopt;
    }
    Json found = Json::object();
    for (const Entry& entry : node.entries) {
        const std::string label = fmt::format("{}.{}", key.name, entry.key);
        if (auto value = reader_.value(entry.value, key.type,
                                       {.key = label, .templates = options_.templates}))
            found[entry.key] = *std::move(value);
    }
    return found;
}

void Fields::read_setting(const Entry& entry, const SettingSpec& spec) {
    auto found = reader_.value(
        entry.value, spec.type,
        {.key = spec.name, .templates = options_.templates, .choices = &spec.choices});
    if (found) settings_[spec.name] = *std::move(found);
}

bool Fields::shape_fits(const Node& node, const Key& key) {
    if (node.type == yaml::Type::null) {
        // An empty `approve:` must not read as none; an empty list of components may.
        if (key.holds == Holds::one) reader_.wrong_type(node, key.name, "a mapping");
        return key.holds != Holds::one;
    }
    switch (key.holds) {
        case Holds::map:
            if (node.is_mapping()) return true;
            reader_.wrong_type(node, key.name, "a mapping of names");
            return false;
        case Holds::list:
            if (node.is_sequence() || node.is_mapping()) return true;
            reader_.wrong_type(node, key.name, "a list");
            return false;
        case Holds::one:
            break;
    }
    // A section with a brief form takes a plain value, too: its reader looks at it.
    if (node.is_mapping() || !section(key.section).brief.empty()) return true;
    reader_.wrong_type(node, key.name, "a mapping");
    return false;
}

std::vector<std::string> Fields::known_names() const {
    std::vector<std::string> names;
    for (const Key& key : section_.keys) names.emplace_back(key.name);
    if (options_.settings != nullptr)
        for (const SettingSpec& spec : *options_.settings) names.push_back(spec.name);
    return names;
}

void Fields::unknown(const Entry& entry) {
    if (options_.open) return;
    reader_.error(entry.key_at, fmt::format("unknown-{}", options_.unknown),
                  fmt::format("unknown {} '{}' in {}", options_.unknown, entry.key, options_.what),
                  reader_.suggest(entry.key, known_names()));
}

void Fields::require(const Node& node) {
    const auto missing = [&](std::string_view name, std::string_view summary) {
        reader_.error(options_.at.line == 0 ? node.at : options_.at, "missing-key",
                      fmt::format("{} has no '{}'", options_.what, name), std::string(summary));
    };
    for (const Key& key : section_.keys)
        if (key.required && !places_.contains(std::string(key.name)) &&
            std::ranges::find(options_.ignore, key.name) == options_.ignore.end())
            missing(key.name, key.summary);
    if (options_.settings == nullptr || options_.partial) return;
    for (const SettingSpec& spec : *options_.settings) {
        if (places_.contains(spec.name)) continue;
        if (spec.required) missing(spec.name, spec.summary);
        if (!spec.fallback.is_null()) settings_[spec.name] = spec.fallback;
    }
}

const Json* Fields::json(std::string_view key) const {
    for (const auto& [name, value] : values_)
        if (name == key) return &value;
    return nullptr;
}

const Node* Fields::nested(std::string_view key) const {
    for (const auto& [name, node] : nested_)
        if (name == key) return node;
    return nullptr;
}

std::string Fields::text(std::string_view key) const {
    const Json* found = json(key);
    return found == nullptr ? std::string() : found->get<std::string>();
}

std::vector<std::string> Fields::texts(std::string_view key) const {
    const Json* found = json(key);
    if (found == nullptr) return {};
    return found->get<std::vector<std::string>>();
}

std::optional<Duration> Fields::duration(std::string_view key) const {
    const Json* found = json(key);
    if (found == nullptr) return std::nullopt;
    const auto parsed = parse_duration(found->get_ref<const std::string&>());
    return parsed.has_value() ? std::optional(*parsed) : std::nullopt;
}

std::optional<Instant> Fields::instant(std::string_view key) const {
    const Json* found = json(key);
    if (found == nullptr) return std::nullopt;
    const auto parsed = parse_instant(found->get_ref<const std::string&>());
    return parsed.has_value() ? std::optional(*parsed) : std::nullopt;
}

std::optional<std::uint64_t> Fields::number(std::string_view key) const {
    const Json* found = json(key);
    if (found == nullptr || !found->is_number_unsigned()) return std::nullopt;
    return found->get<std::uint64_t>();
}

bool Fields::boolean(std::string_view key) const {
    const Json* found = json(key);
    return found != nullptr && found->is_boolean() && found->get<bool>();
}

Position Fields::at(std::string_view key) const {
    const auto found = places_.find(std::string(key));
    return found == places_.end() ? Position{} : found->second;
}

}  // namespace lifeboat::plan

#include "core/plan/check_reader.h"

#include <fmt/core.h>

#include "core/plan/fields.h"
#include "platform/base/text.h"

namespace lifeboat::plan {
namespace {

const SettingSpec* type_named(std::string_view name) {
    const auto found = std::ranges::find(check_types(), name, &SettingSpec::name);
    return found == check_types().end() ? nullptr : &*found;
}

std::vector<std::string> type_names(const CheckContext& context) {
    std::vector<std::string> names;
    for (const SettingSpec& type : check_types()) {
        if (type.name == "healthy" && !context.steps) continue;
        if (context.kind != nullptr && !context.kind->checks.empty() &&
            std::ranges::find(context.kind->checks, type.name) == context.kind->checks.end())
            continue;
        names.push_back(type.name);
    }
    return names;
}

/// The entry that says what kind of look it is.
const yaml::Entry* find_type(Reader& reader, const yaml::Node& node, const CheckContext& context) {
    const yaml::Entry* found = nullptr;
    for (const yaml::Entry& entry : node.entries) {
        if (type_named(entry.key) == nullptr) continue;
        if (found != nullptr) {
            reader.error(entry.key_at, "two-checks",
                         fmt::format("a check asks one thing; '{}' is a second one", entry.key),
                         "Make it an item of its own.");
            continue;
        }
        found = &entry;
    }
    if (found != nullptr) return found;
    const std::vector<std::string> names = type_names(context);
    for (const yaml::Entry& entry : node.entries) {
        if (section("check").key(entry.key) != nullptr) continue;
        std::string hint = reader.suggest(entry.key, names);
        if (hint.empty()) hint = fmt::format("There is {}.", join(names, ", "));
        reader.error(entry.key_at, "unknown-check", fmt::format("unknown check '{}'", entry.key),
                     std::move(hint));
        return nullptr;
    }
    reader.error(node.at, "unknown-check",
                 fmt::format("a check of '{}' does not say what it asks", context.label),
                 fmt::format("Begin with one of {}.", join(names, ", ")));
    return nullptr;
}

bool fits_kind(Reader& reader, const yaml::Entry& entry, const CheckContext& context) {
    const std::vector<std::string> names = type_names(context);
    if (std::ranges::find(names, entry.key) != names.end()) return true;
    const std::string who = context.kind == nullptr
                                ? std::string("there is")
                                : fmt::format("kind '{}' has", context.kind->name);
    reader.error(entry.key_at, "unknown-check",
                 fmt::format("{} no check '{}' here", who, entry.key),
                 fmt::format("It understands {}.", join(names, ", ")));
    return false;
}

/// `tcp`: the own port, another one, or an address with one.
void judge_tcp(Reader& reader, const yaml::Node& node, const Json& value) {
    if (value == Json(true)) return;  // the port of whatever instance is current
    std::optional<std::int64_t> number;
    if (value.is_number_unsigned()) number = value.get<std::int64_t>();
    if (value.is_string()) {
        const auto text = value.get<std::string>();
        if (text.contains("{{")) return;
        if (const std::size_t colon = text.rfind(':'); colon != std::string::npos && colon > 0)
            number = parse_integer(std::string_view(text).substr(colon + 1));
    }
    if (!number || *number < 1 || *number > 65535)
        reader.error(node.at, "bad-value", "'tcp' takes true, a port or host:port",
                     "Write {tcp: true} for the instance's own port.");
}

}  // namespace

std::optional<Check> read_check(Reader& reader, const yaml::Node& node,
                                const CheckContext& context) {
    if (!node.is_mapping()) {
        reader.wrong_type(node, context.label, "a check such as {tcp: 5432}");
        return std::nullopt;
    }
    const yaml::Entry* entry = find_type(reader, node, context);
    if (entry == nullptr || !fits_kind(reader, *entry, context)) return std::nullopt;
    const SettingSpec& type = *type_named(entry->key);
    Check check{.type = type.name, .at = node.at};
    auto value = reader.value(entry->value, type.type, {.key = entry->key, .templates = true});
    if (!value) return std::nullopt;
    if (type.name == "tcp") judge_tcp(reader, entry->value, *value);
    check.settings["value"] = *std::move(value);

    std::vector<std::string_view> asked;
    for (const SettingSpec& other : check_types()) asked.push_back(other.name);
    const Fields fields(
        reader, node, section("check"),
        {.what = fmt::format("check '{}'", entry->key), .ignore = asked, .templates = true});
    for (const Key& key : section("check").keys) {
        if (key.name == "expect" || key.name == "timeout") continue;
        if (const Json* option = fields.json(key.name))
            check.settings[std::string(key.name)] = *option;
    }
    if (const Json* expect = fields.json("expect")) check.expect = expect->get<std::string>();
    check.timeout = fields.duration("timeout");
    return check;
}

std::vector<Check> read_checks(Reader& reader, const yaml::Node& node,
                               const CheckContext& context) {
    std::vector<Check> checks;
    const auto add = [&](const yaml::Node& item) {
        if (auto check = read_check(reader, item, context)) checks.push_back(*std::move(check));
    };
    if (!node.is_sequence()) add(node);
    for (const yaml::Node& item : node.items) add(item);
    return checks;
}

Json to_json(const Check& check) {
    Json json{{"type", check.type}};
    json.update(check.settings);
    if (check.expect) json["expect"] = *check.expect;
    if (check.timeout) json["timeout"] = format_duration(*check.timeout);
    return json;
}

}  // namespace lifeboat::plan

// The JSON Schema of the plan file, for editors: the tables of shape.h and the catalog in another
// form.

#include <fmt/core.h>

#include <set>

#include "core/plan/parse.h"
#include "core/plan/shape.h"

namespace lifeboat::plan {
namespace {

constexpr const char* name_pattern = "^[a-z0-9][a-z0-9_-]{0,62}$";
constexpr const char* duration_pattern = "^(0|([0-9]+(\\.[0-9]+)?(us|ms|s|m|h|d|w))+)$";
constexpr const char* reference_pattern = "^(env|file|aws-secret):.+";

Json text_schema() { return {{"type", Json::array({"string", "number", "boolean"})}}; }
Json reference(std::string_view name) { return {{"$ref", fmt::format("#/$defs/{}", name)}}; }
Json either(Json first, Json second) {
    return {{"anyOf", Json::array({std::move(first), std::move(second)})}};
}
Json or_list(Json item) {
    Json list{{"type", "array"}, {"items", item}};
    return either(std::move(item), std::move(list));
}
Json or_null(Json value) { return either(std::move(value), Json{{"type", "null"}}); }

Json leaf(SettingType type) {
    switch (type) {
        case SettingType::integer:
            return {{"type", "integer"}};
        case SettingType::boolean:
            return {{"type", "boolean"}};
        case SettingType::port:
            return {{"type", "integer"}, {"minimum", 1}, {"maximum", 65535}};
        case SettingType::duration:
            return reference("duration");
        case SettingType::secret:
            return {{"type", "string"}, {"pattern", reference_pattern}};
        case SettingType::url:
            return {{"type", "string"}, {"pattern", "://"}};
        case SettingType::path:
        case SettingType::size:
        case SettingType::rate:
            return text_schema();
        case SettingType::instant:
            return {{"type", "string"}};
        case SettingType::text_list:
        case SettingType::contacts:
            return or_list(text_schema());
        case SettingType::text_map:
            return {{"type", "object"}, {"additionalProperties", text_schema()}};
        case SettingType::any:
            return Json::object();
        case SettingType::command:
            return or_list(text_schema());
        case SettingType::check:
            return reference("check");
        case SettingType::text:
        case SettingType::site:
        case SettingType::component:
        case SettingType::channel:
            break;
    }
    return text_schema();
}

/// A value, or a text with a template in its place.
Json or_template(Json schema) {
    return either(std::move(schema), Json{{"type", "string"}, {"pattern", "\\{\\{"}});
}

bool takes_any_text(SettingType type) {
    return type == SettingType::text || type == SettingType::path || type == SettingType::any ||
           type == SettingType::text_map || type == SettingType::command;
}

Json with_summary(Json schema, std::string_view summary) {
    if (!summary.empty()) schema["description"] = summary;
    return schema;
}

Json of_setting(const SettingSpec& spec, bool templates = true) {
    Json schema = leaf(spec.type);
    if (!spec.choices.empty()) schema = {{"enum", spec.choices}};
    if (templates && spec.type != SettingType::secret &&
        (!spec.choices.empty() || !takes_any_text(spec.type)))
        schema = or_template(std::move(schema));
    if (!spec.fallback.is_null()) schema["default"] = spec.fallback;
    return with_summary(std::move(schema), spec.summary);
}

Json of_key(const Key& key, bool templates) {
    Json schema;
    if (!key.section.empty()) {
        schema = reference(key.section);
    } else {
        schema = leaf(key.type);
        if (!key.choices.empty()) schema = {{"enum", key.choices}};
        if (templates && (!key.choices.empty() || !takes_any_text(key.type)))
            schema = or_template(std::move(schema));
    }
    if (key.holds == Holds::list) schema = or_null(or_list(std::move(schema)));
    if (key.holds == Holds::map)
        schema = or_null({{"type", "object"}, {"additionalProperties", std::move(schema)}});
    return with_summary(std::move(schema), key.summary);
}

/// Properties and required keys of a section, as a schema that lets nothing else through.
Json object_of(const Section& table, bool templates = false) {
    Json schema{
        {"type", "object"}, {"properties", Json::object()}, {"additionalProperties", false}};
    if (!table.summary.empty()) schema["description"] = table.summary;
    for (const Key& key : table.keys) {
        schema["properties"][std::string(key.name)] = of_key(key, templates);
        if (key.required) schema["required"].push_back(key.name);
    }
    return schema;
}

/// The same, with its keys described once, in `keys-SECTION`: there are dozens of kinds and verbs.
Json variant_of(const Section& table) {
    Json schema = object_of(table, true);
    for (auto& [name, property] : schema["properties"].items())
        property = reference(fmt::format("keys-{}/properties/{}", table.name, name));
    return schema;
}

void add_settings(Json& schema, const std::vector<SettingSpec>& settings, bool complete = true,
                  bool templates = true) {
    for (const SettingSpec& spec : settings) {
        schema["properties"][spec.name] = of_setting(spec, templates);
        if (spec.required && complete) schema["required"].push_back(spec.name);
    }
}

/// if {property: constant} then {schema}: editors then propose the right keys.
Json when(std::string_view property, std::string_view constant, std::string_view definition) {
    const std::string name(property);
    return {{"if",
             {{"properties", {{name, {{"const", constant}}}}}, {"required", Json::array({name})}}},
            {"then", reference(definition)}};
}

Json component_of(const KindSpec& kind) {
    Json schema = variant_of(section("component"));
    schema["description"] = kind.summary;
    schema["properties"]["kind"] = {{"const", kind.name}};
    add_settings(schema, kind.settings);
    Json elsewhere{
        {"type", "object"}, {"properties", Json::object()}, {"additionalProperties", false}};
    add_settings(elsewhere, kind.settings, false);
    schema["properties"]["at"] =
        or_null({{"type", "object"}, {"additionalProperties", or_null(std::move(elsewhere))}});
    Json protection = object_of(section("protection"));
    protection["properties"]["method"] =
        with_summary({{"enum", kind.methods}}, section("protection").key("method")->summary);
    add_settings(protection, kind.protection, true, false);
    schema["properties"]["protect"] = or_null(or_list(std::move(protection)));
    return schema;
}

void add_kinds(const Catalog& catalog, Json& definitions) {
    Json components{{"type", "object"},
                    {"description", section("component").summary},
                    {"required", Json::array({"kind"})},
                    {"properties", {{"kind", {{"enum", Json::array()}}}}},
                    {"allOf", Json::array()}};
    Json channels = components;
    channels["description"] = section("channel").summary;
    for (const auto& [name, kind] : catalog.kinds()) {
        if (name.empty()) continue;
        Json& list = kind.is_channel() ? channels : components;
        const std::string definition = (kind.is_channel() ? "channel-" : "component-") + name;
        if (kind.is_channel()) {
            definitions[definition] = object_of(section("channel"));
            definitions[definition]["description"] = kind.summary;
            definitions[definition]["properties"]["kind"] = {{"const", name}};
            add_settings(definitions[definition], kind.settings, true, false);
        } else {
            definitions[definition] = component_of(kind);
        }
        list["properties"]["kind"]["enum"].push_back(name);
        list["allOf"].push_back(when("kind", name, definition));
    }
    definitions["component"] = std::move(components);
    definitions["channel"] = std::move(channels);
}

Json check_schema() {
    Json schema = object_of(section("check"), true);
    Json one_of = Json::array();
    for (const SettingSpec& type : check_types()) {
        schema["properties"][type.name] = of_setting(type);
        one_of.push_back({{"required", Json::array({type.name})}});
    }
    schema["oneOf"] = std::move(one_of);
    return schema;
}

/// A step with that verb: what it acts on, its own keys, and the arguments of every kind that can
/// do it.
Json step_of(const Catalog& catalog, const std::string& verb) {
    Json schema = variant_of(section("step"));
    Json& properties = schema["properties"];
    const VerbSpec* core = catalog.verb("", verb);
    if (core == nullptr) {
        for (const auto& [name, kind] : catalog.kinds())
            if (const VerbSpec* spec = kind.verb(verb)) {
                for (const SettingSpec& argument : spec->arguments)
                    if (!properties.contains(argument.name))
                        properties[argument.name] = of_setting(argument);
                if (!schema.contains("description")) schema["description"] = spec->summary;
                schema["description"] = spec->summary;
            }
        properties[verb] =
            with_summary(or_list(text_schema()), "The component, or a list of them.");
    } else {
        schema["description"] = core->summary;
        Json inside{
            {"type", "object"}, {"properties", Json::object()}, {"additionalProperties", false}};
        add_settings(inside, core->arguments, false);
        for (const Key& key : section("step").keys)
            if (!inside["properties"].contains(key.name))
                inside["properties"][std::string(key.name)] =
                    reference(fmt::format("keys-step/properties/{}", key.name));
        const SettingSpec& brief = core->arguments.front();
        for (const SettingSpec& argument : core->arguments)
            if (argument.name != verb) properties[argument.name] = of_setting(argument);
        properties[verb] =
            with_summary(or_null(either(of_setting(brief), std::move(inside))), core->summary);
    }
    schema["required"] = Json::array({verb});
    return schema;
}

void add_steps(const Catalog& catalog, Json& definitions) {
    Json any_verb = Json::array();
    Json rules = Json::array();
    Json others = Json::array();
    for (const std::string& verb : catalog.verb_names()) {
        if (verb == "send") continue;
        definitions["step-" + verb] = step_of(catalog, verb);
        const Json has{{"required", Json::array({verb})}};
        any_verb.push_back(has);
        if (verb == "approve") continue;
        others.push_back(has);
        rules.push_back({{"if", has}, {"then", reference("step-" + verb)}});
    }
    Json together = variant_of(section("step"));
    together["properties"]["parallel"] = {{"type", "array"},
                                          {"items", reference("step")},
                                          {"description", "Steps that run at the same time."}};
    together["required"] = Json::array({"parallel"});
    definitions["step-parallel"] = std::move(together);
    const Json parallel{{"required", Json::array({"parallel"})}};
    any_verb.push_back(parallel);
    others.push_back(parallel);
    rules.push_back({{"if", parallel}, {"then", reference("step-parallel")}});
    // `approve` beside another verb is a key of that step.
    rules.push_back({{"if", {{"required", Json::array({"approve"})}, {"not", {{"anyOf", others}}}}},
                     {"then", reference("step-approve")}});
    definitions["step"] = {{"type", "object"},
                           {"description", section("step").summary},
                           {"anyOf", std::move(any_verb)},
                           {"allOf", std::move(rules)}};
}

}  // namespace

Json schema(const Catalog& catalog) {
    Json definitions = Json::object();
    definitions["duration"] = {
        {"description", "A duration: 90s, 15m, 1h30m, 30d."},
        {"anyOf", Json::array({Json{{"type", "string"}, {"pattern", duration_pattern}},
                               Json{{"const", 0}}})}};
    for (const Section& table : sections()) {
        if (table.name == "plan") continue;
        Json object = object_of(table);
        // A name, or a list, stands for the key that matters most.
        if (!table.brief.empty())
            object = either(std::move(object), of_key(*table.key(table.brief), false));
        definitions[std::string(table.name)] = std::move(object);
    }
    definitions["check"] = check_schema();
    for (const char* shared : {"component", "step"})
        definitions[fmt::format("keys-{}", shared)] = object_of(section(shared));
    add_kinds(catalog, definitions);
    add_steps(catalog, definitions);

    Json root = object_of(section("plan"));
    root["properties"]["lifeboat"] = {{"const", 1},
                                      {"description", section("plan").key("lifeboat")->summary}};
    for (const Key& key : section("plan").keys) {
        if (key.holds != Holds::map || key.name == "severities" || key.name == "links") continue;
        Json& value = root["properties"][std::string(key.name)]["anyOf"][0];
        value["propertyNames"] = {{"pattern", name_pattern}};
        // An entry may be empty: a site or a role that needs no more than its name.
        value["additionalProperties"] = or_null(reference(key.section));
    }
    Json result{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                {"title", "Lifeboat plan"}};
    result.update(root);
    result["$defs"] = std::move(definitions);
    return result;
}

}  // namespace lifeboat::plan

#include "core/plan/schema_validator.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/plan/reader.h"
#include "platform/base/time.h"

namespace lifeboat::plan {
namespace {

class Validator {
public:
    explicit Validator(const Json& root) : root_(root) {}

    std::vector<std::string> check(const Json& schema, const Json& value,
                                   const std::string& path) const {
        std::vector<std::string> problems;
        const auto fail = [&](const std::string& what) { problems.push_back(path + ": " + what); };
        const auto add = [&](const std::vector<std::string>& more) {
            problems.insert(problems.end(), more.begin(), more.end());
        };
        if (schema.is_boolean()) {
            if (!schema.get<bool>()) fail("not allowed");
            return problems;
        }
        if (schema.contains("$ref"))
            add(check(target(schema["$ref"].get<std::string>()), value, path));
        if (schema.contains("const") && value != schema["const"])
            fail("not " + dump(schema["const"]));
        if (schema.contains("enum") &&
            std::ranges::find(schema["enum"], value) == schema["enum"].end())
            fail("not one of " + dump(schema["enum"]));
        if (schema.contains("type") && !has_type(schema["type"], value))
            fail("not " + dump(schema["type"]));
        if (schema.contains("pattern") && value.is_string() &&
            !fits(schema["pattern"].get<std::string>(), value.get<std::string>()))
            fail("does not match");
        if (schema.contains("maximum") && value.is_number() && value > schema["maximum"])
            fail("too big");
        add(object(schema, value, path));
        if (schema.contains("items") && value.is_array())
            for (std::size_t i = 0; i < value.size(); ++i)
                add(check(schema["items"], value[i], path + "/" + std::to_string(i)));
        for (const Json& one : schema.value("allOf", Json::array())) add(check(one, value, path));
        if (schema.contains("anyOf") && count(schema["anyOf"], value) == 0) {
            fail("none of anyOf");
            if (schema["anyOf"].size() <= 2)
                for (const Json& one : schema["anyOf"]) add(check(one, value, path + "?"));
        }
        if (schema.contains("oneOf") && count(schema["oneOf"], value) != 1)
            fail("not one of oneOf");
        if (schema.contains("not") && fits_schema(schema["not"], value))
            fail("is what it must not be");
        if (schema.contains("if") && schema.contains("then") && fits_schema(schema["if"], value))
            add(check(schema["then"], value, path));
        return problems;
    }

private:
    const Json& target(const std::string& reference) const {
        return root_.at(Json::json_pointer(reference.substr(1)));
    }

    bool fits_schema(const Json& schema, const Json& value) const {
        return check(schema, value, "").empty();
    }

    std::size_t count(const Json& schemas, const Json& value) const {
        return static_cast<std::size_t>(std::ranges::count_if(
            schemas, [&](const Json& one) { return fits_schema(one, value); }));
    }

    std::vector<std::string> object(const Json& schema, const Json& value,
                                    const std::string& path) const {
        std::vector<std::string> problems;
        if (!value.is_object()) return problems;
        for (const Json& key : schema.value("required", Json::array()))
            if (!value.contains(key.get<std::string>()))
                problems.push_back(path + ": no " + dump(key));
        for (const auto& [key, inner] : value.items()) {
            std::vector<std::string> more;
            if (schema.contains("properties") && schema["properties"].contains(key))
                more = check(schema["properties"][key], inner, path + "/" + key);
            else if (schema.contains("additionalProperties"))
                more = check(schema["additionalProperties"], inner, path + "/" + key);
            problems.insert(problems.end(), more.begin(), more.end());
        }
        return problems;
    }

    static bool has_type(const Json& types, const Json& value) {
        if (types.is_array())
            return std::ranges::any_of(types,
                                       [&](const Json& one) { return has_type(one, value); });
        const auto type = types.get<std::string>();
        if (type == "integer") return value.is_number_integer();
        if (type == "number") return value.is_number();
        if (type == "string") return value.is_string();
        if (type == "boolean") return value.is_boolean();
        if (type == "array") return value.is_array();
        if (type == "null") return value.is_null();
        return type == "object" && value.is_object();
    }

    static bool fits(const std::string& pattern, const std::string& text) {
        if (pattern == "\\{\\{") return text.contains("{{");
        if (pattern == "://") return text.contains("://");
        if (pattern.starts_with("^(env|file")) return is_reference(text);
        if (pattern.starts_with("^(0|(")) return parse_duration(text).has_value();
        return true;
    }

    const Json& root_;
};

}  // namespace

std::vector<std::string> validate(const Json& schema, const Json& value) {
    return Validator(schema).check(schema, value, "");
}

Json json_of(const yaml::Node& node) {
    Json json;
    switch (node.type) {
        case yaml::Type::null:
            return json;
        case yaml::Type::scalar:
            return plain_value(node);
        case yaml::Type::sequence:
            json = Json::array();
            for (const yaml::Node& item : node.items) json.push_back(json_of(item));
            return json;
        case yaml::Type::mapping:
            break;
    }
    json = Json::object();
    for (const yaml::Entry& entry : node.entries) json[entry.key] = json_of(entry.value);
    return json;
}

TEST(SchemaValidator, knows_what_our_schema_uses) {
    const Json schema = *parse_json(R"({"type":"object","required":["a"],)"
                                    R"("properties":{"a":{"type":"integer"},"b":{"enum":["x"]}},)"
                                    R"("additionalProperties":false,"not":{"required":["c"]}})");
    EXPECT_TRUE(validate(schema, Json{{"a", 1}}).empty());
    EXPECT_FALSE(validate(schema, Json{{"a", "1"}}).empty());
    EXPECT_FALSE(validate(schema, Json{{"b", "x"}}).empty());
    EXPECT_FALSE(validate(schema, Json{{"a", 1}, {"d", 1}}).empty());
}

}  // namespace lifeboat::plan

// The schema against the parser: what one takes, the other takes; and the other way round.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/plan/schema_validator.h"
#include "core/plan/shape.h"
#include "core/plan/test_plans.h"

namespace lifeboat::plan {
namespace {

Json schema_here() {
    static const Json made = schema(demo_catalog());
    return made;
}

std::vector<std::string> problems_of(const std::string& text) {
    return validate(schema_here(), json_of(yaml::parse(text).root));
}

std::string lines(const std::vector<std::string>& texts) {
    std::string all_lines;
    for (const std::string& text : texts) all_lines += text + "\n";
    return all_lines;
}

TEST(PlanSchema, takes_the_example_plans) {
    for (const char* name : {"examples/ecommerce-aws.yaml", "examples/shop/plan.yaml"}) {
        const auto problems = problems_of(read_text(repository() / name));
        EXPECT_TRUE(problems.empty()) << name << "\n" << lines(problems);
    }
}

TEST(PlanSchema, refuses_what_the_parser_refuses) {
    const std::string plan = read_text(repository() / "examples/shop/plan.yaml");
    const auto spoil = [&](const std::string& what, const std::string& with) {
        std::string text = plan;
        const std::size_t at = text.find(what);
        EXPECT_NE(at, std::string::npos) << what;
        return text.replace(at, what.size(), with);
    };
    for (const std::string& text :
         {spoil("lifeboat: 1", "lifeboat: 2"), spoil("owner:", "ownr:"),
          spoil("objectives:", "objectivs:"), spoil("rto: 30s", "rto: quickly"),
          spoil("kind: redis", "kind: rediss"), spoil("port: 15500", "port: many"),
          spoil("replicas: 2", "replicas: two"), spoil("- restore: database", "- restor: database"),
          spoil("site: dr", "sit: dr"), spoil("method: base", "method: basis"),
          spoil("{redis: PING", "{rdis: PING"), spoil("database: shop", "password: hunter2"),
          spoil("priority: P0", "priority: high"), spoil("plan: shop", ""),
          spoil("  directory: vault", "")}) {
        const bool parser_refuses = parse_text(text).has_errors();
        EXPECT_TRUE(parser_refuses);
        EXPECT_FALSE(problems_of(text).empty());
    }
}

/// Every definition that stands for mappings of `section`.
std::vector<const Json*> definitions_of(const Json& whole, const Section& table) {
    std::vector<const Json*> found;
    if (table.name == "plan") return {&whole};
    for (const auto& [name, definition] : whole["$defs"].items()) {
        const bool variant = name.starts_with(std::string(table.name) + "-");
        if (name != table.name && !variant) continue;
        const Json& object = definition.contains("anyOf") && !definition.contains("properties")
                                 ? definition["anyOf"][0]
                                 : definition;
        if (object.contains("additionalProperties")) found.push_back(&object);
    }
    return found;
}

TEST(PlanSchema, has_every_key_that_the_parser_has) {
    const Json whole = schema_here();
    for (const Section& table : sections()) {
        const auto definitions = definitions_of(whole, table);
        EXPECT_FALSE(definitions.empty()) << table.name;
        for (const Json* definition : definitions)
            for (const Key& key : table.keys)
                EXPECT_TRUE((*definition)["properties"].contains(std::string(key.name)))
                    << table.name << "." << key.name;
    }
}

// For every kind a plan is written that gives each key of the schema some value: whatever else the
// parser says about these values, it knows the keys.
TEST(PlanSchema, has_no_key_of_a_component_that_the_parser_lacks) {
    const Json whole = schema_here();
    for (const auto& [name, definition] : whole["$defs"].items()) {
        const bool channel = name.starts_with("channel-");
        if (!name.starts_with("component-") && !channel) continue;
        const std::string kind = definition["properties"]["kind"]["const"].get<std::string>();
        std::string text = fmt::format("lifeboat: 1\nplan: p\n{}:\n  x:\n    kind: {}\n",
                                       channel ? "channels" : "components", kind);
        for (const auto& [key, value] : definition["properties"].items())
            if (key != "kind") text += fmt::format("    {}: ~\n", key);
        const Parsed parsed = parse_text(text);
        for (const Diagnostic& diagnostic : parsed.diagnostics)
            EXPECT_NE(diagnostic.id, "unknown-key") << render(diagnostic, parsed.sources);
    }
}

TEST(PlanSchema, has_no_argument_that_every_kind_lacks) {
    const Json whole = schema_here();
    const Catalog catalog = demo_catalog();
    for (const auto& [name, definition] : whole["$defs"].items()) {
        if (!name.starts_with("step-") || name == "step-parallel") continue;
        const std::string verb = name.substr(5);
        for (const auto& [key, value] : definition["properties"].items()) {
            if (key == verb || section("step").key(key) != nullptr) continue;
            const bool known = std::ranges::any_of(catalog.kinds(), [&](const auto& entry) {
                const VerbSpec* spec = entry.second.verb(verb);
                return spec != nullptr &&
                       std::ranges::find(spec->arguments, key, &SettingSpec::name) !=
                           spec->arguments.end();
            });
            EXPECT_TRUE(known) << name << "." << key;
        }
    }
}

TEST(PlanSchema, refuses_an_unknown_key_in_every_section_as_the_parser_does) {
    const Json whole = schema_here();
    for (const Section& table : sections())
        for (const Json* definition : definitions_of(whole, table))
            EXPECT_EQ((*definition)["additionalProperties"], Json(false)) << table.name;
}

TEST(PlanSchema, takes_every_short_form_of_a_step) {
    const auto problems = problems_of(R"(lifeboat: 1
plan: p
scenarios:
  s:
    detect: [{report: it burns}]
    steps:
      - wait: 30s
      - wait: {until: {healthy: a}, for: 5m}
      - approve: boss
      - approve: [boss, other]
      - approve: {by: boss, within: 5m}
      - run: echo hello
      - run: [echo, hello]
      - run: {command: echo hello, environment: {A: b}}
      - run: echo hello
        environment: {A: b}
        approve: boss
      - http: https://example.com
      - http: {url: "https://example.com", method: POST}
      - notify: {channel: c, message: m}
      - restore: a
        to: latest
        approve: {by: [boss]}
      - repoint: [a, b]
      - parallel:
          - start: a
          - parallel: [{stop: b}]
)");
    EXPECT_TRUE(problems.empty()) << lines(problems);
}

}  // namespace
}  // namespace lifeboat::plan

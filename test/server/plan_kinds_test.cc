// The plans and pages of the repository against the kinds that this build really has.

#include <gtest/gtest.h>

#include <cstdlib>

#include "core/plan/reference.h"
#include "core/plan/shape.h"
#include "core/plan/test_plans.h"
#include "providers/contract/registry.h"
#include "surface/app/providers.h"

namespace lifeboat::plan {
namespace {

const Catalog& real_catalog() {
    static const Catalog catalog = [] {
        SecretResolver secrets(real_environment());
        providers::Services services{.environment = real_environment(), .secrets = secrets};
        providers::Registry registry;
        app::add_providers(registry, services, Mode::act);
        return registry.catalog();
    }();
    return catalog;
}

TEST(PlanKinds, the_example_plans_have_no_errors) {
    for (const std::string path : {"examples/shop/plan.yaml", "examples/ecommerce-aws.yaml"}) {
        const Parsed parsed =
            parse(path, read_text(repository() / path), real_catalog(), no_files());
        EXPECT_FALSE(parsed.has_errors()) << all(parsed);
    }
}

TEST(PlanKinds, the_plans_in_the_reference_have_no_complaints) {
    const std::string page = read_text(repository() / "docs/plan.md");
    constexpr std::string_view fence = "```yaml\n";
    for (std::size_t at = page.find(fence); at != std::string::npos;
         at = page.find(fence, at + 1)) {
        const std::size_t begin = at + fence.size();
        const std::string text = page.substr(begin, page.find("```\n", begin) - begin);
        if (!text.starts_with("lifeboat:")) continue;
        const Parsed parsed = parse("docs/plan.md", text, real_catalog(), no_files());
        EXPECT_TRUE(parsed.diagnostics.empty()) << all(parsed);
    }
}

// An argument called like a verb would make a step with two verbs.
TEST(PlanKinds, no_argument_has_the_name_of_a_verb) {
    const std::vector<std::string> verbs = real_catalog().verb_names();
    for (const auto& [name, kind] : real_catalog().kinds())
        for (const VerbSpec& verb : kind.verbs)
            for (const SettingSpec& argument : verb.arguments)
                EXPECT_EQ(std::ranges::find(verbs, argument.name), verbs.end())
                    << name << "." << verb.name << "." << argument.name;
}

TEST(PlanKinds, no_setting_hides_a_key_of_every_component) {
    for (const auto& [name, kind] : real_catalog().kinds()) {
        if (name.empty() || kind.is_channel()) continue;
        for (const SettingSpec& setting : kind.settings)
            EXPECT_EQ(section("component").key(setting.name), nullptr)
                << name << "." << setting.name;
    }
}

// UPDATE_EXPECTED=1 writes the page anew.
TEST(PlanKinds, docs_kinds_is_what_the_catalog_says) {
    const auto path = repository() / "docs/kinds.md";
    const std::string fresh = reference_of_kinds(real_catalog());
    const bool update = std::getenv("UPDATE_EXPECTED") != nullptr;
    if (update) std::ofstream(path) << fresh;
    EXPECT_TRUE(update || read_text(path) == fresh)
        << "docs/kinds.md is stale: run build/server_plan_kinds with UPDATE_EXPECTED=1";
}

}  // namespace
}  // namespace lifeboat::plan

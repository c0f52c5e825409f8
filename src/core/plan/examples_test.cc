#include <gtest/gtest.h>

#include "core/plan/test_plans.h"

namespace lifeboat::plan {
namespace {

Parsed parse_example(const std::string& name) {
    const Catalog catalog = demo_catalog();
    const std::string path = "examples/" + name;
    return parse(path, read_text(repository() / path), catalog, no_files());
}

TEST(ExamplePlans, the_source_document_is_read_whole_and_without_errors) {
    const Parsed parsed = parse_example("ecommerce-aws.yaml");
    EXPECT_FALSE(parsed.has_errors()) << all(parsed);
    EXPECT_EQ(parsed.plan.components.size(), 16U);
    EXPECT_EQ(parsed.plan.scenarios.size(), 5U);
}

TEST(ExamplePlans, the_mended_plan_is_read_whole_and_without_errors) {
    const Parsed parsed = parse_example("ecommerce-aws-mended.yaml");
    EXPECT_FALSE(parsed.has_errors()) << all(parsed);
    EXPECT_EQ(parsed.plan.scenarios.size(), 9U);
}

TEST(ExamplePlans, the_plan_of_the_demo_shop_has_nothing_to_complain_about) {
    const Parsed parsed = parse_example("shop/plan.yaml");
    EXPECT_TRUE(parsed.diagnostics.empty()) << all(parsed);
}

}  // namespace
}  // namespace lifeboat::plan

// Plans that are huge, broken off or made to hurt: read within bounds, never a crash.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <chrono>

#include "core/plan/test_plans.h"

namespace lifeboat::plan {
namespace {

std::string many_components(unsigned count) {
    std::string text =
        "lifeboat: 1\nplan: many\nsites:\n  here: {local: {directory: here}}\ncomponents:\n";
    for (unsigned i = 0; i < count; ++i)
        text += fmt::format(
            "  service-{0}:\n    kind: {1}\n    priority: P{2}\n    objectives: {{rto: 1h, rpo: "
            "15m}}\n"
            "    needs: [{3}]\n    health:\n      - {{tcp: true}}\n",
            i, i % 2 == 0 ? "postgres" : "redis", i % 10,
            i == 0 ? "" : fmt::format("service-{}", i - 1));
    text += "scenarios:\n  all:\n    steps:\n";
    for (unsigned i = 0; i < count; ++i) text += fmt::format("      - restore: service-{}\n", i);
    return text;
}

// The bound is loose: the machine may be busy. bench/ measures; the goal is 100 ms for 1,000.
TEST(HugePlan, five_thousand_components_in_one_chain_are_read) {
    const std::string text = many_components(5000);
    const Parsed parsed = parse_text(text);
    EXPECT_TRUE(parsed.diagnostics.empty()) << all(parsed).substr(0, 2000);
    EXPECT_EQ(parsed.plan.components.size(), 5000U);
    EXPECT_EQ(parsed.plan.scenarios.at(0).steps.size(), 5000U);
    EXPECT_NE(parsed.plan.component("service-4999"), nullptr);
}

TEST(HugePlan, five_thousand_mistakes_are_all_named) {
    std::string text = many_components(5000);
    for (std::size_t at = text.find("objectives"); at != std::string::npos;
         at = text.find("objectives", at))
        text.replace(at, 10, "objectivs");
    const Parsed parsed = parse_text(text);
    EXPECT_EQ(parsed.diagnostics.size(), 5000U);
}

TEST(HugePlan, a_circle_of_five_thousand_is_one_mistake) {
    std::string text = many_components(5000);
    text.replace(text.find("needs: []"), 9, "needs: [service-4999]");
    const Parsed parsed = parse_text(text);
    ASSERT_EQ(parsed.diagnostics.size(), 1U);
    EXPECT_EQ(parsed.diagnostics[0].id, "circular-needs");
}

TEST(HostilePlan, an_alias_bomb_is_an_error) {
    std::string text = "lifeboat: 1\nplan: p\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; ++i)
        text += fmt::format(
            "a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i, i - 1);
    const Parsed parsed = parse_text(text);
    EXPECT_TRUE(parsed.has_errors());
    EXPECT_TRUE(std::ranges::any_of(parsed.diagnostics, [](const Diagnostic& diagnostic) {
        return diagnostic.id == "syntax";
    })) << all(parsed);
}

TEST(HostilePlan, an_unterminated_text_is_an_error) {
    EXPECT_TRUE(parse_text("lifeboat: 1\nplan: p\nowner: \"me\ntitle: x\n").has_errors());
}

TEST(HostilePlan, the_example_broken_off_anywhere_is_read_without_a_crash) {
    const std::string text = read_text(repository() / "examples/ecommerce-aws.yaml");
    ASSERT_GT(text.size(), 10000U);
    for (std::size_t size = 0; size < text.size(); size += 257) {
        const Parsed parsed = parse_text(text.substr(0, size));
        for (const Diagnostic& diagnostic : parsed.diagnostics)
            EXPECT_FALSE(render(diagnostic, parsed.sources).empty());
    }
}

TEST(HostilePlan, the_example_with_any_line_missing_or_twice_is_read_without_a_crash) {
    const std::string text = read_text(repository() / "examples/shop/plan.yaml");
    std::vector<std::size_t> begins{0};
    for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1))
        begins.push_back(at + 1);
    for (std::size_t i = 0; i + 1 < begins.size(); ++i) {
        const std::string line = text.substr(begins[i], begins[i + 1] - begins[i]);
        (void)all(parse_text(text.substr(0, begins[i]) + text.substr(begins[i + 1])));
        (void)all(parse_text(text.substr(0, begins[i]) + line + line + text.substr(begins[i + 1])));
    }
}

// Every place of the plan gets a value of every wrong shape.
TEST(HostilePlan, values_of_the_wrong_shape_anywhere_are_named) {
    const std::string text = read_text(repository() / "examples/shop/plan.yaml");
    for (const char* shape :
         {" []", " {}", " [[]]", " {a: {b: c}}", " ~", " 7", " ''", " true", " \"{{\""})
        for (std::size_t at = text.find(": "); at != std::string::npos;
             at = text.find(": ", at + 1)) {
            const std::size_t end = text.find('\n', at);
            (void)all(parse_text(text.substr(0, at + 1) + shape + text.substr(end)));
        }
}

}  // namespace
}  // namespace lifeboat::plan

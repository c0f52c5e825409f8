#include "core/plan/reference.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "core/plan/shape.h"
#include "core/plan/test_plans.h"

namespace lifeboat::plan {
namespace {

// UPDATE_EXPECTED=1 writes the tables of the page anew.
TEST(PlanReference, docs_plan_has_the_tables_of_the_parser) {
    const auto path = repository() / "docs/plan.md";
    const std::string page = read_text(path);
    ASSERT_FALSE(page.empty()) << path;
    const std::string fresh = with_fresh_blocks(page);
    if (std::getenv("UPDATE_EXPECTED") != nullptr) std::ofstream(path) << fresh;
    EXPECT_TRUE(fresh == page || std::getenv("UPDATE_EXPECTED") != nullptr)
        << "docs/plan.md is stale: run build/test_core_plan with UPDATE_EXPECTED=1";
}

TEST(PlanReference, docs_plan_has_every_section) {
    const std::string page = read_text(repository() / "docs/plan.md");
    for (const Section& table : sections()) {
        const std::string marker = "<!-- table: " + std::string(table.name) + " -->";
        EXPECT_TRUE(page.contains(marker)) << marker;
    }
}

// Every example of the page is a plan, or a part of one, that the parser takes.
TEST(PlanReference, the_examples_of_docs_plan_are_sound) {
    const std::string page = read_text(repository() / "docs/plan.md");
    constexpr std::string_view fence = "```yaml\n";
    unsigned examples = 0;
    for (std::size_t at = page.find(fence); at != std::string::npos;
         at = page.find(fence, at + 1)) {
        const std::size_t begin = at + fence.size();
        const std::string text = page.substr(begin, page.find("```\n", begin) - begin);
        if (!text.starts_with("lifeboat:")) continue;
        const Parsed parsed = parse_text(text);
        EXPECT_TRUE(parsed.diagnostics.empty()) << text << all(parsed);
        ++examples;
    }
    EXPECT_GE(examples, 2U);
}

TEST(PlanReference, of_kinds_names_every_kind_and_verb) {
    const Catalog catalog = demo_catalog();
    const std::string page = reference_of_kinds(catalog);
    for (const auto& [name, kind] : catalog.kinds()) {
        if (name.empty()) continue;
        EXPECT_TRUE(page.contains("\n## " + name + "\n"));
        for (const VerbSpec& verb : kind.verbs)
            EXPECT_TRUE(page.contains("| `" + verb.name + "` |"));
    }
}

}  // namespace
}  // namespace lifeboat::plan

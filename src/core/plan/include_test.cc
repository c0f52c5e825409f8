#include <gtest/gtest.h>

#include <map>

#include "core/plan/test_plans.h"

namespace lifeboat::plan {
namespace {

Parsed parse_files(std::map<std::string, std::string> files,
                   const std::string& path = "plan.yaml") {
    static const Catalog catalog = demo_catalog();
    const Loader loader = [&](const std::string& name) -> Result<std::string> {
        const auto found = files.find(name);
        if (found == files.end()) return not_found("no such file");
        return found->second;
    };
    return parse(path, files.at("plan.yaml"), catalog, loader);
}

TEST(IncludedFiles, add_their_sections) {
    const Parsed parsed = parse_files(
        {{"plan.yaml", "lifeboat: 1\nplan: p\ninclude: [parts/people.yaml]\npeople: {a: {}}\n"},
         {"parts/people.yaml", "include: more.yaml\npeople: {b: {roles: [r]}}\n"},
         {"parts/more.yaml", "lifeboat: 1\nroles: {r: {}}\n"}});
    ASSERT_EQ(parsed.diagnostics.size(), 1U) << all(parsed);
    EXPECT_EQ(parsed.diagnostics[0].id, "no-components");
    EXPECT_EQ(parsed.plan.people.size(), 2U);
    EXPECT_EQ(parsed.plan.roles.size(), 1U);
    EXPECT_EQ(parsed.plan.files,
              (std::vector<std::string>{"plan.yaml", "parts/people.yaml", "parts/more.yaml"}));
}

TEST(IncludedFiles, are_named_as_the_user_would_open_them) {
    static const Catalog catalog = demo_catalog();
    const Loader loader = [](const std::string& name) -> Result<std::string> {
        EXPECT_EQ(name, "people.yaml");
        return std::string("people: {b: {rols: []}}\n");
    };
    const Parsed parsed = parse("some/folder/plan.yaml",
                                "lifeboat: 1\nplan: p\ninclude: people.yaml\n", catalog, loader);
    ASSERT_EQ(parsed.diagnostics.size(), 1U);
    EXPECT_TRUE(render(parsed.diagnostics[0], parsed.sources)
                    .starts_with("some/folder/people.yaml:1:14: error[unknown-key]"))
        << all(parsed);
    EXPECT_EQ(parsed.plan.directory, "some/folder");
}

TEST(IncludedFiles, may_not_define_a_name_again) {
    const Parsed parsed = parse_files(
        {{"plan.yaml", "lifeboat: 1\nplan: p\ninclude: [a.yaml]\npeople: {x: {}}\nowner: me\n"},
         {"a.yaml", "owner: you\npeople:\n  x: {}\n"}});
    ASSERT_EQ(parsed.diagnostics.size(), 2U) << all(parsed);
    EXPECT_EQ(parsed.diagnostics[0].message, "'owner' is already given at plan.yaml:5:1");
    EXPECT_EQ(parsed.diagnostics[1].message,
              "'x' is already defined in 'people' at plan.yaml:4:10");
    EXPECT_EQ(places(parsed),
              (std::vector<std::string>{"1:1 duplicate-key", "3:3 duplicate-name"}));
}

TEST(IncludedFiles, may_not_include_each_other) {
    const Parsed parsed = parse_files({{"plan.yaml", "lifeboat: 1\nplan: p\ninclude: [a.yaml]\n"},
                                       {"a.yaml", "include: [./b.yaml]\n"},
                                       {"b.yaml", "include: [sub/../a.yaml, plan.yaml]\n"}});
    ASSERT_EQ(parsed.diagnostics.size(), 2U) << all(parsed);
    EXPECT_EQ(parsed.diagnostics[0].message, "files include each other: a.yaml → b.yaml → a.yaml");
    EXPECT_EQ(parsed.diagnostics[1].message,
              "files include each other: plan.yaml → a.yaml → b.yaml → plan.yaml");
}

TEST(IncludedFiles, that_cannot_be_read_are_named_at_their_place) {
    const Parsed parsed =
        parse_files({{"plan.yaml", "lifeboat: 1\nplan: p\ninclude: [a.yaml, 7: x]\n"}});
    EXPECT_TRUE(parsed.has_errors());
    const Parsed missing =
        parse_files({{"plan.yaml", "lifeboat: 1\nplan: p\ninclude: [a.yaml]\n"}});
    ASSERT_EQ(missing.diagnostics.size(), 1U);
    EXPECT_EQ(missing.diagnostics[0].message, "cannot include 'a.yaml': no such file");
    EXPECT_EQ(places(missing), std::vector<std::string>{"3:11 include"});
}

TEST(IncludedFiles, do_not_change_the_digest_of_what_is_said) {
    const Parsed whole =
        parse_files({{"plan.yaml", "lifeboat: 1\nplan: p\nroles: {r: {}, s: {}}\n"}});
    const Parsed split =
        parse_files({{"plan.yaml", "lifeboat: 1\nplan: p\ninclude: a.yaml\nroles: {s: {}}\n"},
                     {"a.yaml", "roles: {r: {}}\n"}});
    EXPECT_EQ(whole.plan.digest, split.plan.digest);
}

}  // namespace
}  // namespace lifeboat::plan

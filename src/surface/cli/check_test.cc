// What a check shows of a place inside of a block text, and where it looks for the paths of a plan.

#include <gtest/gtest.h>

#include "core/plan/test_plans.h"
#include "platform/env/sim_clock.h"
#include "platform/env/sim_files.h"
#include "surface/cli/check_report.h"
#include "surface/cli/surroundings.h"

namespace lifeboat::cli {
namespace {

class CheckTest : public testing::Test {
protected:
    const Json& result_of(const std::string& rule) {
        for (const Json& result : sarif["runs"][0]["results"])
            if (result["ruleId"] == rule) return result;
        static const Json none;
        return none;
    }
    void check(const std::string& text, readiness::Surroundings around = {}) {
        read = plan::parse("plan.yaml", text, catalog, plan::no_files());
        make_report(report, read, catalog, {}, *parse_instant("2026-01-01T00:00:00Z"),
                    std::move(around));
        sarif = to_sarif(report, "1");
    }
    std::string shown(const std::string& rule) const {
        std::string text;
        for (const Remark& remark : report.remarks)
            if (remark.diagnostic.id == rule) text += plan::render(remark.diagnostic, read.sources);
        return text;
    }

    const plan::Catalog catalog = plan::demo_catalog();
    plan::Parsed read;
    CheckReport report;
    Json sarif;
};

TEST_F(CheckTest, shows_the_line_inside_of_a_block_text_everywhere) {
    check(
        "lifeboat: 1\nplan: p\nscenarios:\n  s:\n    steps:\n"
        "      - run: |  # by hand\n"
        "          cd x\n"
        "          sudo kubectl get pods\n"
        "          PGPASSWORD=hunter22 psql\n");
    EXPECT_TRUE(shown("kubectl-unscoped")
                    .contains("plan.yaml:8:16: warning[kubectl-unscoped]: s calls kubectl without "
                              "namespace and context\n"
                              "    8 |           sudo kubectl get pods\n"
                              "      |                ^ it acts"))
        << shown("kubectl-unscoped");
    EXPECT_TRUE(shown("literal-secret").contains("    9 |           PGPASSWORD=******** psql\n"));
    const Json& region =
        result_of("kubectl-unscoped")["locations"][0]["physicalLocation"]["region"];
    EXPECT_EQ(region["startLine"], 8);
    EXPECT_EQ(region["startColumn"], 16);
    const Json told = to_json(report);
    for (const Json& one : told["diagnostics"]) {
        const bool secret = one["id"] == "literal-secret";
        if (!secret && one["id"] != "kubectl-unscoped") continue;
        EXPECT_EQ(one["line"], secret ? 9 : 8) << dump(one);
    }
    EXPECT_FALSE(dump(sarif).contains("hunter22"));
}

TEST_F(CheckTest, knows_its_own_state_and_the_time) {
    check(
        "lifeboat: 1\nplan: p\nsites: {here: {local: {directory: s}}}\n"
        "review: {last_test: 2026-01-02}\n"
        "components:\n  c: {kind: redis, data_directory: ts/cache}\n",
        {.state = "/p/ts/cache/st", .paths = {{"ts/cache", "/p/ts/cache"}}});
    EXPECT_TRUE(shown("lifeline-inside").contains("Lifeboat's own state lies inside c"));
    EXPECT_TRUE(shown("never-tested").contains("that is yet to come"));
}

TEST(without_links, leads_to_where_a_path_leads) {
    SimClock clock;
    SimFiles files(clock);
    ASSERT_TRUE(files.make_directories("/data/cache").has_value());
    ASSERT_TRUE(files.make_directories("/home/me").has_value());
    ASSERT_TRUE(files.make_symlink("/data", "/home/me/link").has_value());
    ASSERT_TRUE(files.make_symlink("../me/link/cache", "/home/me/far").has_value());
    ASSERT_TRUE(files.make_symlink("circle", "/home/circle").has_value());
    const auto leads = [&](const char* path) { return without_links(files, path).string(); };
    EXPECT_EQ(leads("/data/./cache//"), "/data/cache");
    EXPECT_EQ(leads("/home/me/link/cache/not/there"), "/data/cache/not/there");
    EXPECT_EQ(leads("/home/me/far/x"), "/data/cache/x");
    EXPECT_EQ(leads("/home/me/link/../etc"), "/etc") << "the parent of what the link leads to";
    EXPECT_EQ(leads("/../x"), "/x");
    EXPECT_EQ(leads("/home/circle/x"), "/home/circle/x");
    EXPECT_EQ(leads("/"), "/");
}

}  // namespace
}  // namespace lifeboat::cli

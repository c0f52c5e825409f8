// What `check` must find in the written plan that the product was made from, each with its line;
// and that the mended plan has nothing of it.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "core/readiness/test_judge.h"

namespace lifeboat::readiness {
namespace {

struct Expected {
    const char* place;  ///< "line rule"
    const char* says;   ///< a part of the message
};

constexpr Expected expected[] = {
    {"92 rpo-unreachable", "cache may lose at most 1h, but can lose 24h6m"},
    {"213 better-point-unused",
     "restores database from 'snapshot' and can lose 6h10m, while "
     "'continuous' would lose 5m"},
    {"51 rpo-unreachable", "database may lose at most 15m, but can lose 6h20m in region-failure"},
    {"53 rpo-unreachable", "database may lose at most 15m, but can lose everything"},
    {"92 rpo-unreachable", "cache may lose at most 1h, but can lose everything in region-failure"},
    {"118 rpo-unreachable", "media may lose at most 24h, but can lose everything"},
    {"99 unprotected", "search may lose at most 24h, and nothing protects it"},
    {"252 stated-time-over-rto", "database 1h, backend 30m, cache 15m and ai 1h"},
    {"191 stated-time-over-rto", "database-failure takes 45m by its own account"},
    {"66 needs-slower", "backend must be back within 30m, and needs database (1h)"},
    {"67 priority-inversion", "backend is P0 and needs cache (P1) and search (P2)"},
    {"83 unrecovered", "cache"},
    {"94 unrecovered", "search"},
    {"101 unrecovered", "ai"},
    {"108 unrecovered", "media"},
    {"253 left-lost", "region-failure loses cache, search, ai and media"},
    {"364 left-lost", "cluster-failure loses ai"},
    {"231 left-behind", "nothing tells ai"},
    {"347 left-behind", "nothing tells ai"},
    {"273 left-behind", "nothing tells backend"},
    {"273 never-switched", "region-failure restores database"},
    {"320 not-isolated", "data-corruption leaves ai running"},
    {"605 placeholder-contact", "IC On-Call"},
    {"611 placeholder-contact", "Database Admin"},
    {"622 placeholder-contact", "PagerDuty"},
    {"20 dates-passed", "review is due 2025-03-04"},
    {"21 dates-passed", "drill is due 2025-01-04"},
    {"22 never-tested", "last tested"},
    {"284 control-plane-lost", "a control plane in us-east-1"},
    {"284 redirected-early", "before backend and api-gateway are back"},
    {"123 retrieval-too-slow", "media must be back within 4h"},
    {"92 retention-short", "cache"},
    {"141 retention-short", "cluster-state"},
    {"25 one-account", "account 123456789"},
    {"51 no-immutable-copy", "database"},
    {"92 no-immutable-copy", "cache"},
    {"118 no-immutable-copy", "media"},
    {"552 drill-destroys", "infrastructure dr"},
    {"250 no-rollback", "region-failure"},
    {"212 not-protected-again", "database-failure"},
    {"273 not-protected-again", "region-failure"},
    {"332 not-protected-again", "data-corruption"},
    {"630 lifeline-inside", "status-page, grafana-dr and runbooks stand under example.com"},
    {"383 circular-recovery", "works through cluster"},
    {"391 circular-recovery", "works through cluster"},
    {"250 approval-unreachable", "at night nobody can be asked"},
    {"173 ttl-too-long", "nothing bounds how long resolvers keep the old answer"},
    {"580 severity-ambiguous", "region-failure is SEV-1 and SEV-2 at once"},
    {"362 no-severity", "cluster-failure"},
    {"311 no-stated-time", "data-corruption"},
    {"362 no-stated-time", "cluster-failure"},
    {"409 no-stated-time", "zone-failure"},
    {"214 fixed-point", "rds:ecommerce-prod-2025-12-04-03-00"},
    {"276 fixed-point", "ecommerce-prod-latest"},
    {"533 fixed-point", "latest-automated"},
    {"204 point-by-position", "database-failure"},
    {"334 fixed-time", "2025-12-04T02:00:00Z"},
    {"351 kubectl-unscoped", "data-corruption calls kubectl without a namespace"},
    {"398 kubectl-unscoped", "cluster-failure calls kubectl without a namespace"},
    {"195 signal-without-source", "DatabaseDown"},
    {"315 detected-by-eye", "data-corruption"},
    {"412 detected-by-eye", "zone-failure"},
};

TEST(rules_of_the_source_plan, are_found_with_their_lines) {
    const Judged judged(parse_example("ecommerce-aws.yaml"));
    for (const auto& [place, says] : expected) {
        const bool found = std::ranges::any_of(judged.judgements, [&](const Judgement& one) {
            return std::to_string(one.diagnostic.at.line) + " " + one.diagnostic.id == place &&
                   one.diagnostic.message.contains(says);
        });
        EXPECT_TRUE(found) << place << ": " << says;
    }
    if (HasFailure()) ADD_FAILURE() << judged.text();
}

TEST(rules_of_the_source_plan, say_nothing_that_nobody_expects) {
    const Judged judged(parse_example("ecommerce-aws.yaml"));
    std::set<std::string> known;
    for (const auto& [place, says] : expected) known.insert(place);
    // Warnings that follow from the same facts.
    for (const char* also : {"66 rto-unreachable", "118 rpo-unreachable", "239 kubectl-unscoped",
                             "399 kubectl-unscoped", "422 kubectl-unscoped", "432 kubectl-unscoped",
                             "482 kubectl-unscoped", "483 kubectl-unscoped"})
        known.insert(also);
    for (const std::string& place : judged.places()) EXPECT_TRUE(known.contains(place)) << place;
}

TEST(rules_of_the_source_plan, name_the_credentials_that_the_reader_finds) {
    const plan::Parsed parsed = parse_example("ecommerce-aws.yaml");
    std::set<std::uint32_t> lines;
    for (const plan::Diagnostic& diagnostic : parsed.diagnostics)
        if (diagnostic.id == "literal-secret") lines.insert(diagnostic.at.line);
    EXPECT_EQ(lines, (std::set<std::uint32_t>{232, 236, 348, 352}));
    EXPECT_NE(rule("literal-secret"), nullptr);
}

/// What stands at the line of a finding: lines inside of `|` and `>-` are those of the file.
TEST(rules_of_the_source_plan, point_at_what_they_speak_of) {
    const Judged judged(parse_example("ecommerce-aws.yaml"));
    const plan::Texts texts(judged.parsed.sources);
    std::set<std::string> shown;
    const auto look = [&](const plan::Diagnostic& one, std::string_view word) {
        const std::size_t at = texts.byte_at(one.at);
        ASSERT_NE(at, std::string::npos) << one.message;
        EXPECT_TRUE(judged.parsed.sources[0].text.substr(at).starts_with(word))
            << one.at.line << ": " << one.message;
        shown.insert(one.id);
    };
    for (const Judgement& one : judged.judgements) {
        if (one.diagnostic.id == "kubectl-unscoped") look(one.diagnostic, "kubectl");
        if (one.diagnostic.id == "point-by-position") look(one.diagnostic, "[0]");
    }
    for (const plan::Diagnostic& one : judged.parsed.diagnostics)
        if (one.id == "literal-secret") look(one, "****@");
    EXPECT_EQ(shown.size(), 3U);
}

TEST(rules_of_the_mended_plan, find_nothing) {
    const Judged judged(parse_example("ecommerce-aws-mended.yaml"));
    EXPECT_FALSE(judged.parsed.has_errors()) << judged.text();
    EXPECT_TRUE(judged.judgements.empty()) << judged.text();
    for (const plan::Diagnostic& diagnostic : judged.parsed.diagnostics)
        EXPECT_EQ(diagnostic.id, "no-provider") << diagnostic.message;
}

TEST(rules_of_the_mended_plan, keep_every_objective) {
    const Judged judged(parse_example("ecommerce-aws-mended.yaml"));
    const auto rows = outlook(judged.parsed.plan, judged.forecasts, judged.alone);
    EXPECT_EQ(rows.size(), 10U);
    for (const Outlook& row : rows)
        EXPECT_TRUE(row.kept) << row.component->name << " " << row.by << " " << row.scenario;
    for (const char* scenario : {"cache-lost", "search-lost", "media-deleted", "ai-down"})
        EXPECT_NE(judged.parsed.plan.scenario(scenario), nullptr) << scenario;
}

// UPDATE_EXPECTED=1 writes the page anew.
TEST(rules_page, is_that_of_the_list) {
    const auto path = plan::repository() / "docs/rules.md";
    const std::string fresh = rules_page();
    if (std::getenv("UPDATE_EXPECTED") != nullptr) std::ofstream(path) << fresh;
    EXPECT_EQ(plan::read_text(path), fresh)
        << "docs/rules.md is stale: run build/test_core_readiness with UPDATE_EXPECTED=1";
}

TEST(rules_page, names_every_rule_once) {
    std::set<std::string_view> ids;
    for (const Rule& one : rules()) {
        EXPECT_TRUE(ids.insert(one.id).second) << one.id;
        EXPECT_FALSE(one.finds.empty() || one.reason.empty() || one.mend.empty()) << one.id;
        EXPECT_TRUE(one.finds.ends_with('.') && one.reason.ends_with('.')) << one.id;
    }
}

}  // namespace
}  // namespace lifeboat::readiness

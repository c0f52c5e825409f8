#include "core/readiness/rules.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/readiness/rule_tools.h"

namespace lifeboat::readiness {
namespace {

using plan::DiagnosticLevel;

std::vector<Rule> read_rules() {
    return {
        {.id = "circular-needs",
         .level = DiagnosticLevel::error,
         .theme = "Reading",
         .finds = "Components, steps or roles need each other in a circle.",
         .reason = "Neither can be back before the other, so nothing ever is.",
         .mend = "Remove one of the needs."},
        {.id = "literal-secret",
         .level = DiagnosticLevel::warning,
         .theme = "Reading",
         .finds = "A credential stands in the plan itself.",
         .reason = "Who can read the plan can read the database; and a recovery on the worst day "
                   "uses a password that was changed long ago. Passwords in URLs everywhere; in "
                   "commands also variables and options that usually hold one: `PGPASSWORD=…`, "
                   "`--password …`, `curl -u user:…`, `Bearer …`. In settings it is an error.",
         .mend = "Refer to it: `env:NAME`, `file:PATH`."},
        {.id = "no-provider",
         .level = DiagnosticLevel::warning,
         .theme = "Reading",
         .finds = "A kind that this build knows but cannot act on.",
         .reason = "Its steps can be checked and shown, and a person has to do them.",
         .mend = "Use a build that has the provider, or give the step as `run:`."},
    };
}

std::vector<Rule> make_rules() {
    std::vector<Rule> all;
    for (auto make :
         {objective_rules, protection_rules, recovery_rules, traffic_rules, order_rules,
          switch_rules, command_rules, people_rules, lifeline_rules, upkeep_rules, read_rules})
        for (Rule& one : make()) all.push_back(one);
    return all;
}

std::string_view word(DiagnosticLevel level) {
    return level == DiagnosticLevel::error ? "error" : "warning";
}

}  // namespace

const std::vector<Rule>& rules() {
    static const std::vector<Rule> all = make_rules();
    return all;
}

const Rule* rule(std::string_view id) {
    const auto found = std::ranges::find(rules(), id, &Rule::id);
    return found == rules().end() ? nullptr : &*found;
}

std::vector<Judgement> judge(const Subject& subject) {
    std::vector<Judgement> all;
    std::vector<Finding> found;
    for (const Rule& one : rules()) {
        if (one.find == nullptr) continue;
        found.clear();
        one.find(subject, found);
        for (Finding& finding : found) {
            const std::string mend = finding.mend.empty() ? std::string(one.mend) : finding.mend;
            all.push_back(
                {.diagnostic = {.level = finding.doubtful ? DiagnosticLevel::warning : one.level,
                                .id = std::string(one.id),
                                .at = finding.at,
                                .message = std::move(finding.message),
                                .hint = "try: " + mend,
                                .note = std::move(finding.note)},
                 .component = std::move(finding.component),
                 .scenario = std::move(finding.scenario)});
        }
    }
    std::ranges::stable_sort(all, {}, [](const Judgement& one) { return one.diagnostic.at; });
    return all;
}

std::string rules_page() {
    std::string page =
        "# The rules of `lifeboat check`\n\n"
        "Generated from the list in the program (`UPDATE_EXPECTED=1 build/test_core_readiness` "
        "writes it anew).\nAn error means that a promise of the plan cannot be kept, or that a "
        "recovery would do the wrong thing:\n`check` exits 1. A warning does not change the exit "
        "status. What `check` computes, and from what, is\n[check.md](check.md).\n\n"
        "| rule | | finds |\n|---|---|---|\n";
    for (const Rule& one : rules())
        page += fmt::format("| [{0}](#{0}) | {1} | {2} |\n", one.id, word(one.level), one.finds);
    std::string_view theme;
    for (const Rule& one : rules()) {
        if (one.theme != theme) page += fmt::format("\n## {}\n", one.theme);
        theme = one.theme;
        page += fmt::format("\n### {}\n\n{}: {}\n\n{}\n\nMend: {}\n", one.id,
                            one.level == DiagnosticLevel::error ? "Error" : "Warning", one.finds,
                            one.reason, one.mend);
    }
    return page;
}

}  // namespace lifeboat::readiness

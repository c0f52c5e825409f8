// Rules about the plan as a document that must stay true, and about its drills.

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "core/readiness/durations.h"
#include "core/readiness/reach.h"
#include "core/readiness/rule_tools.h"
#include "core/readiness/shell_calls.h"
#include "core/runbook/graph.h"
#include "platform/base/text.h"

namespace lifeboat::readiness {
namespace {

using plan::DiagnosticLevel;

std::string day(Instant at) { return format_instant(at).substr(0, 10); }

void dates_passed(const Subject& subject, std::vector<Finding>& found) {
    const plan::Review& review = subject.plan.review;
    if (!subject.plan.updated) return;
    struct Date {
        const char* key;
        const char* what;
        std::optional<Instant> at;
    };
    for (const auto& [key, what, date] :
         {Date{"next", "review", review.next}, Date{"next_drill", "drill", review.next_drill}}) {
        if (!date || *date >= *subject.plan.updated) continue;
        found.push_back({.at = place_of(review.key_at, key, review.at),
                         .message = fmt::format("the next {} is due {}, before the last update "
                                                "of the plan",
                                                what, day(*date)),
                         .note = fmt::format("updated {}", day(*subject.plan.updated))});
    }
}

void never_tested(const Subject& subject, std::vector<Finding>& found) {
    const plan::Review& review = subject.plan.review;
    if (review.at.line == 0) return;
    Finding finding{.at = place_of(review.key_at, "last_test", review.at)};
    if (!review.last_test) {
        finding.message = "nobody knows when a recovery was last tested with success";
        finding.note = review.last_test_placeholder ? "a placeholder" : "no `last_test:`";
        found.push_back(std::move(finding));
        return;
    }
    // A date without a time is that of the east, where it is tomorrow already.
    constexpr Duration dates_differ = std::chrono::hours(14);
    const std::optional<Instant>& updated = subject.plan.updated;
    finding.message = fmt::format("the last test is dated {}", day(*review.last_test));
    finding.mend = "the date of a test that took place, and `updated:` of when it was written.";
    if (subject.around.now && *review.last_test > *subject.around.now + dates_differ)
        finding.note = "that is yet to come";
    else if (updated && *review.last_test > *updated)
        finding.note = fmt::format("the plan was last updated before that, {}", day(*updated));
    else
        return;
    found.push_back(std::move(finding));
}

/// Of the step on each of its targets: whether anything says how long it takes.
std::size_t steps_without_time(const Subject& subject, const plan::Step& step) {
    std::vector<std::string> targets = step.targets;
    if (targets.empty()) targets.emplace_back();
    std::size_t unknown = 0;
    for (const std::string& target : targets) {
        const plan::Component* component = subject.plan.component(target);
        const std::string kind = component == nullptr ? std::string() : component->kind;
        const plan::VerbSpec* spec = subject.catalog.verb(kind, step.verb);
        runbook::Node node;
        node.verb = step.verb;
        node.component = target;
        node.arguments = step.arguments;
        node.site = string_or(step.arguments, "site", component == nullptr ? "" : component->site);
        if (spec != nullptr) node.estimate = spec->estimate;
        const StepTime time = time_of(subject.plan, subject.history, node, &step);
        if (time.spread.basis == Basis::assumed && !is_bystander(step.verb)) ++unknown;
    }
    return unknown;
}

void no_stated_time(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Scenario& scenario : subject.plan.scenarios) {
        if (scenario.stated_time) continue;
        std::size_t unknown = 0;
        std::size_t steps = 0;
        for_each_step(scenario.steps, [&](const plan::Step& step) {
            steps += std::max<std::size_t>(step.targets.size(), 1);
            unknown += steps_without_time(subject, step);
        });
        if (unknown == 0) continue;
        found.push_back(
            {.at = scenario.at,
             .message = fmt::format("{} does not say how long it takes", scenario.name),
             .note = fmt::format("no `stated_time:`, and {} of its {} steps {} no estimate",
                                 unknown, steps, unknown == 1 ? "has" : "have"),
             .scenario = scenario.name});
    }
}

bool is_standing(const plan::Plan& plan, const plan::Step& step, const std::string& target,
                 std::string& user) {
    const std::string workspace = string_or(step.arguments, "workspace", "");
    for (const plan::Scenario& scenario : plan.scenarios) {
        bool used = false;
        for_each_step(scenario.steps, [&](const plan::Step& other) {
            used = used || (has_target(other, target) &&
                            string_or(other.arguments, "workspace", "") == workspace);
        });
        if (used) {
            user = scenario.name;
            return true;
        }
    }
    return false;
}

/// Where commands on infrastructure act, as far as they say.
struct Workspace {
    std::optional<std::string> name;
};

/// Follows one call; true when it destroys the workspace.
bool follow(const Call& call, Workspace& workspace) {
    constexpr std::array<std::string_view, 3> tools{"terraform", "tofu", "terragrunt"};
    const auto has = [&](std::string_view word) {
        return std::ranges::find(call.words, word) != call.words.end();
    };
    for (const auto* list : {&call.variables, &call.words})  // set for it, or exported
        for (const std::string& word : *list)
            if (word.starts_with("TF_WORKSPACE=")) workspace.name = word.substr(13);
    if (std::ranges::find(tools, call.words.front()) == tools.end()) return false;
    if (has("workspace") && (has("select") || has("new"))) workspace.name = call.words.back();
    return has("destroy") || has("-destroy");
}

/// The scenario that works with infrastructure: in that workspace, or, without one, in any.
std::string user_of(const plan::Plan& plan, const std::optional<std::string>& workspace) {
    std::string user;
    const auto look = [&](const plan::Scenario& scenario, const plan::Step& step) {
        if (!user.empty()) return;
        const std::string own = string_or(step.arguments, "workspace", "");
        const bool described = std::ranges::any_of(step.targets, [&](const std::string& target) {
            return plan.component(target)->kind == "terraform";
        });
        bool uses = described && (!workspace || own == *workspace);
        if (step.verb == "run") {
            Workspace there;
            for (const Call& call : calls_of(string_or(step.arguments, "command", ""))) {
                const bool tool = call.words.front() == "terraform";
                (void)follow(call, there);
                uses = uses || (tool && (!workspace || there.name == workspace));
            }
        }
        if (uses) user = scenario.name;
    };
    for (const plan::Scenario& scenario : plan.scenarios)
        for_each_step(scenario.steps, [&](const plan::Step& step) { look(scenario, step); });
    return user;
}

/// A cleanup by hand: `terraform destroy` in a workspace that nobody made for the drill.
void destroyed_by_commands(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Drill& drill : subject.plan.drills) {
        Workspace workspace;
        const auto look = [&](const plan::Step& step, bool cleanup) {
            if (step.verb != "run") return;
            for (const Call& call : calls_of(string_or(step.arguments, "command", ""))) {
                if (!follow(call, workspace) || !cleanup) continue;
                const std::string user = user_of(subject.plan, workspace.name);
                if (workspace.name && user.empty()) continue;  // the drill's own
                found.push_back(
                    {.at = place_in_command(subject, step, call.at),
                     .message = fmt::format(
                         "cleaning up after drill {} destroys {}", drill.name,
                         workspace.name ? fmt::format("workspace {}", *workspace.name)
                                        : std::string("whatever workspace is current then")),
                     .note = user.empty() ? "nothing says that the drill made it"
                                          : fmt::format("{} counts on {}", user,
                                                        workspace.name ? "it" : "one of them"),
                     .doubtful = user.empty()});
            }
        };
        for_each_step(drill.steps, [&](const plan::Step& step) { look(step, false); });
        for_each_step(drill.cleanup, [&](const plan::Step& step) { look(step, true); });
    }
}

void drill_destroys(const Subject& subject, std::vector<Finding>& found) {
    destroyed_by_commands(subject, found);
    for_each_step(subject.plan, [&](const plan::Step& step, const Whereabouts& where) {
        if (!where.cleanup) return;
        for (const std::string& target : step.targets) {
            const plan::Component& component = *subject.plan.component(target);
            const plan::VerbSpec* verb = subject.catalog.verb(component.kind, step.verb);
            std::string user;
            if (verb == nullptr || !verb->destructive ||
                !is_standing(subject.plan, step, target, user))
                continue;
            const std::string workspace = string_or(step.arguments, "workspace", "");
            found.push_back({.at = step.at,
                             .message = fmt::format(
                                 "cleaning up after drill {} destroys more than it made: "
                                 "{}{}{}",
                                 where.name(), target, workspace.empty() ? "" : " ", workspace),
                             .note = fmt::format("{} counts on it", user),
                             .component = target});
        }
    });
}

}  // namespace

std::vector<Rule> upkeep_rules() {
    constexpr std::string_view theme = "Upkeep";
    return {
        {.id = "drill-destroys",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "The cleanup of a drill destroys something that a scenario counts on.",
         .reason = "After the drill there is no site to fail over to.",
         .mend = "a workspace of the drill's own, made and destroyed by it.",
         .find = drill_destroys},
        {.id = "dates-passed",
         .level = DiagnosticLevel::warning,
         .theme = theme,
         .finds = "The next review or drill is due before the plan was last updated.",
         .reason = "Nobody looked at the dates when the plan was changed.",
         .mend = "the next date, after the last update.",
         .find = dates_passed},
        {.id = "never-tested",
         .level = DiagnosticLevel::warning,
         .theme = theme,
         .finds = "Nobody knows when a recovery was last tested, or the date cannot be right.",
         .reason = "A plan that was never executed is a guess.",
         .mend = "a drill, and its date.",
         .find = never_tested},
        {.id = "no-stated-time",
         .level = DiagnosticLevel::warning,
         .theme = theme,
         .finds = "A scenario does not say how long it takes, and its steps do not either.",
         .reason = "Nothing can be predicted from it, and nobody has to keep anything.",
         .mend = "`stated_time:` on the scenario, or `estimate:` on its steps.",
         .find = no_stated_time},
    };
}

}  // namespace lifeboat::readiness

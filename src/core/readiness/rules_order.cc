// Rules about the order of a recovery's steps, and the time that each is given.

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "core/readiness/rule_tools.h"

namespace lifeboat::readiness {
namespace {

using plan::DiagnosticLevel;

void proven_early(const Subject& subject, std::vector<Finding>& found) {
    for (const auto& [one, flaw] : flaws_of(subject, Flaw::Kind::looked_early))
        found.push_back({.at = flaw->at,
                         .message = fmt::format("{} looks whether {} is back before it can be",
                                                one->scenario, one->component),
                         .note = fmt::format("{} does not wait for {}", flaw->step, flaw->other),
                         .mend = fmt::format("needs: [{}], or the step after it", flaw->other),
                         .component = one->component,
                         .scenario = one->scenario});
}

void never_released(const Subject& subject, std::vector<Finding>& found) {
    for (const auto& [one, flaw] : flaws_of(subject, Flaw::Kind::held))
        found.push_back(
            {.at = flaw->at,
             .message = fmt::format("{} cuts {} off, and nothing takes that back", one->scenario,
                                    one->component),
             .note = flaw->other.empty()
                         ? std::string("no step releases or starts it afterwards")
                         : fmt::format("{} does not wait for {}", flaw->other, flaw->step),
             .mend = flaw->other.empty()
                         ? fmt::format("- release: {}", one->component)
                         : fmt::format("needs: [{}] on {}", flaw->step, flaw->other),
             .component = one->component,
             .scenario = one->scenario});
}

void points_elsewhere(const Subject& subject, std::vector<Finding>& found) {
    for (const auto& [one, flaw] : flaws_of(subject, Flaw::Kind::not_there))
        found.push_back({.at = flaw->at,
                         .message = fmt::format("{} brings {} back where none of its points is",
                                                one->scenario, one->component),
                         .note = flaw->detail,
                         .component = one->component,
                         .scenario = one->scenario});
}

/// By the plan's own account; of a step that watches, what it was told.
std::optional<Duration> declared_time(const plan::Step& step) {
    std::optional<Duration> time = step.estimate;
    if (step.verb == "monitor")
        if (const auto watched = parse_duration(string_or(step.arguments, "for", ""));
            watched.has_value())
            time = std::max(time.value_or(*watched), *watched);
    return time;
}

/// Of several kinds that the step is about, the slowest.
Duration usual_time(const Subject& subject, const plan::Step& step) {
    Duration time{};
    for (const std::string& target : step.targets)
        if (const plan::Component* component = subject.plan.component(target))
            if (const plan::VerbSpec* verb = subject.catalog.verb(component->kind, step.verb))
                time = std::max(time, verb->estimate);
    return time;
}

void timeout_too_short(const Subject& subject, std::vector<Finding>& found) {
    for_each_step(subject.plan, [&](const plan::Step& step, const Whereabouts& where) {
        const bool checks = step.verb == "wait" && step.arguments.contains("until");
        if (step.verb == "wait" && !checks) return;  // waits out its own time
        std::optional<Duration> limit = step.timeout;
        const char* key = "timeout";
        if (checks)
            if (const auto most = parse_duration(string_or(step.arguments, "for", ""));
                most.has_value() && (!limit || *most < *limit)) {
                limit = *most;
                key = "for";
            }
        if (!limit) return;
        const auto declared = declared_time(step);
        const Duration takes = declared.value_or(usual_time(subject, step));
        if (takes <= *limit) return;
        found.push_back(
            {.at = place_of(step, key),
             .message =
                 fmt::format("{} gives {} {}, and it takes {}", where.name(),
                             step.id.empty() ? step.verb : step.id, told(*limit), told(takes)),
             .note = declared ? "by the plan's own account" : "it usually takes that long",
             .doubtful = !declared,
             .scenario = where.scenario == nullptr ? std::string() : where.scenario->name});
    });
}

}  // namespace

std::vector<Rule> order_rules() {
    constexpr std::string_view theme = "Recovery";
    return {
        {.id = "proven-early",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "A step looks whether something is back before the step that brings it back.",
         .reason =
             "The look fails, and the run stops there; or it passes, and has proven the wrong "
             "one.",
         .mend = "the look after what brings it back.",
         .find = proven_early},
        {.id = "never-released",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "A scenario isolates or stops something, and no later step takes that back.",
         .reason = "What stands still is not back, whatever else was done for it.",
         .mend = "- release: COMPONENT, as one of the last steps.",
         .find = never_released},
        {.id = "points-elsewhere",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "Something is restored or promoted at a site where none of its points is.",
         .reason = "A restore reads what lies there: points of another site have to be copied, and "
                   "that takes its time on every ordinary day before.",
         .mend = "copy_to: that site, or no `site:` on the step.",
         .find = points_elsewhere},
        {.id = "timeout-too-short",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "A step has less time than it takes by the plan's own account.",
         .reason = "It is stopped before it is done, tried again, and stopped again. What only its "
                   "kind says is a warning.",
         .mend = "timeout: a few times what it takes.",
         .find = timeout_too_short},
    };
}

}  // namespace lifeboat::readiness

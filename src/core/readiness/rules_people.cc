// Rules about people: who is called, who decides, who notices.

#include <fmt/core.h>

#include <algorithm>

#include "core/readiness/reach.h"
#include "core/readiness/rule_tools.h"
#include "platform/base/text.h"

namespace lifeboat::readiness {
namespace {

using plan::DiagnosticLevel;

bool is_placeholder(std::string_view text) {
    text = trim(text);
    if (text.empty()) return false;
    const bool bracketed =
        (text.front() == '[' && text.back() == ']') || (text.front() == '<' && text.back() == '>');
    return bracketed || text.contains("XXX") || text == "-" || text == "TBD" || text == "TODO" ||
           text == "?";
}

bool is_given(const std::string& text) { return !text.empty() && !is_placeholder(text); }

bool is_reachable(const plan::Person& person) {
    return is_given(person.phone) || is_given(person.email);
}

bool holds(const plan::Person& person, const std::string& name) {
    return person.name == name || std::ranges::find(person.roles, name) != person.roles.end();
}

/// Who can be woken, and can prove who they are.
std::vector<std::string> approvers(const plan::Plan& plan, const std::string& name) {
    std::vector<std::string> people;
    for (const plan::Person& person : plan.people) {
        const bool proves = !person.os_user.empty() || !person.token.empty();
        if ((name.empty() || holds(person, name)) && proves && is_given(person.phone))
            people.push_back(person.name);
    }
    return people;
}

void placeholder_contact(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Person& person : subject.plan.people) {
        if (!person.placeholder || is_reachable(person)) continue;
        std::string shown;
        for (const std::string* text : {&person.full_name, &person.phone, &person.email})
            if (!text->empty()) shown += (shown.empty() ? "" : ", ") + *text;
        const std::string& title = person.title.empty() ? person.name : person.title;
        found.push_back({.at = place_of(person.key_at, "phone", person.at),
                         .message = fmt::format("nobody can be reached as {}: {}", title, shown),
                         .note = "a placeholder"});
    }
}

void judge_approval(const Subject& subject, const plan::Approval& approval, plan::Position at,
                    const std::string& where, std::vector<Finding>& found) {
    std::vector<std::string> names = approval.by;
    if (names.empty()) names.emplace_back();
    for (const std::string& name : names) {
        const std::vector<std::string> people = approvers(subject.plan, name);
        const std::string whom = name.empty() ? std::string("anybody") : name;
        if (people.size() >= 2) continue;
        found.push_back(
            {.at = at,
             .message =
                 people.empty()
                     ? fmt::format("{} waits for {}, whom nobody can wake or identify", where, whom)
                     : fmt::format("{} waits for {}: only {} can approve", where, whom,
                                   people.front()),
             .note = people.empty() ? "no person with a phone and a proof of who they are"
                                    : "asleep, ill or on a plane: then nobody can",
             .doubtful = !people.empty(),
             .scenario = where});
    }
}

/// Moving to another site takes a person's word, whether a step asks for it or not.
void judge_crossing(const Subject& subject, const plan::Scenario& scenario,
                    std::vector<Finding>& found) {
    const std::vector<plan::Person>& people = subject.plan.people;
    if (struck_by(scenario).sites.empty() || scenario.automatic || people.empty()) return;
    const std::vector<std::string> names = approvers(subject.plan, {});
    if (names.size() >= 2) return;
    const bool anybody = std::ranges::any_of(
        people, [](const plan::Person& person) { return is_given(person.phone); });
    Finding finding{.at = scenario.at, .doubtful = !names.empty(), .scenario = scenario.name};
    const std::string moves =
        fmt::format("{} moves to another site on a person's word, and", scenario.name);
    if (!names.empty()) {
        finding.message = fmt::format("{} only {} can give it", moves, names.front());
        finding.note = "asleep, ill or on a plane: then nobody can";
    } else if (anybody) {
        finding.message = fmt::format("{} nobody who can be woken can prove who they are", moves);
        finding.note = "no person of the plan has a phone and an `os_user:` or a `token:`";
    } else {
        finding.message = fmt::format("{} at night nobody can be asked", moves);
        finding.note = "no person of the plan has a phone";
    }
    found.push_back(std::move(finding));
}

void approval_unreachable(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Scenario& scenario : subject.plan.scenarios) {
        bool asks = false;
        const auto look = [&](const plan::Step& step) {
            if (!step.approve) return;
            asks = true;
            const plan::Position at = step.approve->at.line == 0 ? step.at : step.approve->at;
            judge_approval(subject, *step.approve, at, scenario.name, found);
        };
        for_each_step(scenario.steps, look);
        for_each_step(scenario.rollback, look);
        if (!asks) judge_crossing(subject, scenario, found);
    }
}

void severity_ambiguous(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Scenario& scenario : subject.plan.scenarios) {
        std::vector<std::string> names;
        plan::Position at = scenario.at;
        if (!scenario.severity.empty()) names.push_back(scenario.severity);
        for (const plan::Severity& severity : subject.plan.severities) {
            if (std::ranges::find(severity.scenarios, scenario.name) == severity.scenarios.end() ||
                severity.name == scenario.severity)
                continue;
            names.push_back(severity.name);
            if (names.size() > 1) at = place_of(severity.key_at, "scenarios", severity.at);
        }
        if (names.size() < 2) continue;
        found.push_back({.at = at,
                         .message = fmt::format("{} is {} at once", scenario.name, listed(names)),
                         .note = "each has another response",
                         .scenario = scenario.name});
    }
}

void no_severity(const Subject& subject, std::vector<Finding>& found) {
    if (subject.plan.severities.empty()) return;
    for (const plan::Scenario& scenario : subject.plan.scenarios) {
        const bool listed_one =
            std::ranges::any_of(subject.plan.severities, [&](const plan::Severity& severity) {
                return std::ranges::find(severity.scenarios, scenario.name) !=
                       severity.scenarios.end();
            });
        if (!scenario.severity.empty() || listed_one) continue;
        found.push_back({.at = scenario.at,
                         .message = fmt::format("nothing says how bad {} is", scenario.name),
                         .note = "no severity, so nobody knows whom to call",
                         .scenario = scenario.name});
    }
}

void signal_without_source(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Scenario& scenario : subject.plan.scenarios) {
        if (!scenario.detect) continue;
        for (const plan::Signal& signal : scenario.detect->signals) {
            const bool machine = signal.type != plan::Signal::Type::condition &&
                                 signal.type != plan::Signal::Type::report;
            if (!machine || has_source(subject.plan, signal)) continue;
            const bool alert = signal.type == plan::Signal::Type::alert;
            found.push_back(
                {.at = signal.at,
                 .message = alert ? fmt::format("{} waits for the alert {}, which no component "
                                                "emits",
                                                scenario.name, signal.name)
                                  : fmt::format("{} waits for {} to be unhealthy, and nothing "
                                                "looks at it",
                                                scenario.name, signal.name),
                 .note = alert ? "no `alerts:` names it" : "it has no `health:`",
                 .mend = alert ? fmt::format("alerts: [{}] on the component that it is about",
                                             signal.name)
                               : std::string("health: checks, so that it can be seen"),
                 .scenario = scenario.name});
        }
    }
}

void detected_by_eye(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Scenario& scenario : subject.plan.scenarios) {
        const bool strikes = !scenario.lost.empty() || !scenario.lost_sites.empty() ||
                             !scenario.corrupted.empty() || scenario.detect.has_value();
        if (!strikes) continue;
        const bool seen = scenario.detect &&
                          std::ranges::any_of(scenario.detect->signals, [&](const auto& signal) {
                              return has_source(subject.plan, signal);
                          });
        if (seen) continue;
        found.push_back(
            {.at = scenario.detect ? scenario.detect->at : scenario.at,
             .message = fmt::format("nothing but people can notice {}", scenario.name),
             .note = "the clock of the RTO runs from the disaster, not from the first look",
             .scenario = scenario.name});
    }
}

}  // namespace

std::vector<Rule> people_rules() {
    constexpr std::string_view theme = "People";
    return {
        {.id = "placeholder-contact",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "A contact has neither phone nor address, only placeholders.",
         .reason = "At three in the morning `[Phone]` does not answer.",
         .mend = "a real name, phone and address.",
         .find = placeholder_contact},
        {.id = "approval-unreachable",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "An approval that nobody, or only one person, could give at night.",
         .reason =
             "A run that waits for an approval waits inside the RTO. Moving to another site "
             "takes a person's word in any case, unless `automatic: true`. An approver needs a "
             "phone to be woken and an `os_user` or token to prove who they are. One "
             "person alone is a warning.",
         .mend = "at least two people in the role, each with `phone:` and `os_user:` or "
                 "`token:`.",
         .find = approval_unreachable},
        {.id = "severity-ambiguous",
         .level = DiagnosticLevel::warning,
         .theme = theme,
         .finds = "A scenario has two severities.",
         .reason = "Two people respond in two ways.",
         .mend = "one severity per scenario.",
         .find = severity_ambiguous},
        {.id = "no-severity",
         .level = DiagnosticLevel::warning,
         .theme = theme,
         .finds = "A scenario has no severity, while the plan has severities.",
         .reason = "Severity decides who is woken.",
         .mend = "severity: one of the plan's.",
         .find = no_severity},
        {.id = "signal-without-source",
         .level = DiagnosticLevel::warning,
         .theme = theme,
         .finds = "A scenario is detected by an alert that no component emits, or by the health "
                  "of something that has no health checks.",
         .reason = "The detection never fires, and nobody knows until the disaster.",
         .mend = "`alerts:` or `health:` on the component.",
         .find = signal_without_source},
        {.id = "detected-by-eye",
         .level = DiagnosticLevel::warning,
         .theme = theme,
         .finds = "A scenario that only people can notice.",
         .reason = "Detection is part of the time to recover, and of the loss when data is "
                   "wrong.",
         .mend = "a signal that something emits: an alert, a health check.",
         .find = detected_by_eye},
    };
}

}  // namespace lifeboat::readiness

// Rules about promises: what may be lost, and when it must be back.

#include <fmt/core.h>

#include <algorithm>

#include "core/readiness/loss.h"
#include "core/readiness/rule_tools.h"
#include "platform/base/text.h"

namespace lifeboat::readiness {
namespace {

using plan::DiagnosticLevel;

std::string another_site(const plan::Plan& plan, const plan::Component& component) {
    for (const plan::Site& site : plan.sites)
        if (site.name != component.site) return site.name;
    return {};
}

/// What would keep the promise, as far as the kind can do it.
std::string mend_of_loss(const Subject& subject, const plan::Component& component,
                         const Loss& loss) {
    const plan::KindSpec* kind = subject.catalog.kind(component.kind);
    std::vector<std::string> ways;
    if (!loss.worst) {
        if (loss.why.contains("account")) return "immutable: true, or account: another one";
        if (loss.why.contains("are kept for"))
            return "keep: 30d, longer than a corruption goes unseen";
        const std::string site = another_site(subject.plan, component);
        return site.empty() ? "a second site, and copy_to: it" : "copy_to: " + site;
    }
    Duration rest = *component.objectives.rpo;
    for (const Part& part : loss.parts)
        if (part.what != "interval") rest -= part.spread.p95;
    const Duration whole = std::chrono::floor<std::chrono::minutes>(rest);
    const Duration every = whole > Duration::zero() ? whole : rest;
    const bool periodic = !loss.parts.empty() && loss.parts.front().what == "interval";
    if (periodic && every > Duration::zero()) ways.push_back("every: " + format_duration(every));
    if (kind != nullptr)
        for (const char* method : {"continuous", "replica"})
            if (std::ranges::find(kind->methods, method) != kind->methods.end() &&
                !loss.by.starts_with(method))
                ways.push_back(
                    fmt::format("method: {}{}", method,
                                loss.by.contains('@') ? ", copied to where it is restored" : ""));
    if (ways.empty()) return "a longer rpo, or a kind that can protect it better";
    return join(ways, ", or ");
}

/// A step that takes points of a method, or a replica, that the component does not have.
struct Absent {
    const plan::Step* step = nullptr;
    std::string method;
};

Absent absent_of(const plan::Plan& plan, const Forecast& one) {
    const plan::Scenario* scenario = plan.scenario(one.scenario);
    if (scenario == nullptr || one.loss.worst) return {};
    const plan::Step* restore = nullptr;
    const plan::Step* promote = nullptr;
    for_each_step(scenario->steps, [&](const plan::Step& step) {
        if (!has_target(step, one.component)) return;
        if (step.verb == "restore") restore = &step;
        if (step.verb == "promote") promote = &step;
    });
    const auto has = [&](const auto& fits) {
        return std::ranges::any_of(plan.component(one.component)->protect, fits,
                                   &plan::Protection::method);
    };
    if (restore != nullptr) {
        const std::string from = string_or(restore->arguments, "from", "");
        if (from.empty() || has([&](const std::string& method) { return method == from; }))
            return {};
        return {.step = restore, .method = from};
    }
    if (promote == nullptr || has(is_replication)) return {};
    return {.step = promote, .method = "replica"};
}

/// Points at the step, and says what it would need.
void tell_absent(const Subject& subject, const plan::Component& component, const Absent& absent,
                 Finding& finding) {
    const bool restores = absent.step->verb == "restore";
    finding.at = restores ? place_of(*absent.step, "from") : absent.step->at;
    std::vector<std::string> ways;
    const plan::KindSpec* kind = subject.catalog.kind(component.kind);
    if (kind != nullptr && std::ranges::find(kind->methods, absent.method) != kind->methods.end()) {
        const std::string site = string_or(absent.step->arguments, "site", component.site);
        ways.push_back(fmt::format(
            "method: {}{}{}", absent.method,
            site == component.site ? "" : ", copy_to: ", site == component.site ? "" : site));
    }
    ways.push_back(restores ? fmt::format("from: {}", component.protect.front().method)
                            : fmt::format("- restore: {} instead", component.name));
    finding.mend = join(ways, ", or ");
}

/// Findings of one component at one protection: the worst scenario speaks for all.
void tell_loss(const Subject& subject, const std::vector<const Forecast*>& group,
               std::vector<Finding>& found) {
    const Forecast& worst = *group.front();
    const plan::Component& component = *subject.plan.component(worst.component);
    const Loss& loss = worst.loss;
    std::vector<std::string> others;
    for (const Forecast* other : group)
        if (other != &worst && !other->scenario.empty()) others.push_back(other->scenario);
    const std::string where = worst.scenario.empty() ? "" : " in " + worst.scenario;
    Finding finding{.at = loss.at,
                    .mend = mend_of_loss(subject, component, loss),
                    .component = component.name,
                    .scenario = worst.scenario};
    const std::string promised = told(*component.objectives.rpo);
    if (loss.worst) {
        finding.message =
            fmt::format("{} may lose at most {}, but can lose {}{}", component.name, promised,
                        told_over(*loss.worst, *component.objectives.rpo), where);
        finding.note = "worst case: " + explained(loss.parts);
        finding.doubtful = *loss.worst - assumed_share(loss.parts) <= *component.objectives.rpo;
    } else {
        finding.message = fmt::format("{} may lose at most {}, but can lose everything{}",
                                      component.name, promised, where);
        finding.note = loss.why;
        finding.doubtful = loss.assumed;
    }
    if (!others.empty()) finding.note += "; also in " + listed(others);
    if (const Absent absent = absent_of(subject.plan, worst); absent.step != nullptr)
        tell_absent(subject, component, absent, finding);
    found.push_back(std::move(finding));
}

void rpo_unreachable(const Subject& subject, std::vector<Finding>& found) {
    std::map<std::pair<std::string, std::pair<plan::Position, bool>>, std::vector<const Forecast*>>
        groups;
    const auto add = [&](const Forecast& one) {
        if (!one.hit || !one.rpo_kept || *one.rpo_kept) return;
        if (subject.plan.component(one.component)->protect.empty()) return;
        const Absent absent = absent_of(subject.plan, one);
        const plan::Position at = absent.step == nullptr ? one.loss.at : absent.step->at;
        groups[{one.component, {at, one.loss.worst.has_value()}}].push_back(&one);
    };
    for (const Forecast& one : subject.forecasts) add(one);
    for (const Forecast& one : subject.alone) add(one);
    for (auto& [key, group] : groups) {
        std::ranges::stable_sort(group, std::ranges::greater(), [](const Forecast* one) {
            return one->loss.worst.value_or(Duration::zero());
        });
        tell_loss(subject, group, found);
    }
}

void unprotected(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Component& component : subject.plan.components) {
        if (!component.objectives.rpo || !component.protect.empty()) continue;
        const plan::KindSpec* kind = subject.catalog.kind(component.kind);
        if (kind == nullptr || !kind->stateful) continue;
        found.push_back({.at = component.objectives.rpo_at,
                         .message = fmt::format("{} may lose at most {}, and nothing protects it",
                                                component.name, told(*component.objectives.rpo)),
                         .note = "no `protect:` at all: everything is lost",
                         .mend = kind->methods.empty()
                                     ? std::string()
                                     : fmt::format("protect: [{{method: {}, every: …}}]",
                                                   kind->methods.front()),
                         .component = component.name});
    }
}

void rto_unreachable(const Subject& subject, std::vector<Finding>& found) {
    std::map<std::string, const Forecast*> worst;
    for (const Forecast& one : subject.forecasts) {
        if (!one.rto_kept || *one.rto_kept || !one.time.recovers || one.time.by_account) continue;
        const Forecast*& known = worst[one.component];
        if (known == nullptr || one.time.total.p95 > known->time.total.p95) known = &one;
    }
    for (const auto& [name, one] : worst) {
        const plan::Component& component = *subject.plan.component(name);
        const Duration rto = *component.objectives.rto;
        found.push_back(
            {.at = component.objectives.rto_at,
             .message = fmt::format("{} must be back within {}, but {} takes {}", name, told(rto),
                                    one->scenario, told_over(one->time.total.p95, rto)),
             .note = explained(one->time.path),
             .doubtful = one->time.total.p95 - one->time.assumed <= rto,
             .component = name,
             .scenario = one->scenario});
    }
}

void stated_time(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Scenario& scenario : subject.plan.scenarios) {
        if (!scenario.stated_time) continue;
        std::vector<std::string> missed;
        Duration longest{};
        for (const Forecast& one : subject.forecasts) {
            if (one.scenario != scenario.name) continue;
            const auto& rto = subject.plan.component(one.component)->objectives.rto;
            const bool speaks = one.time.by_account || !one.time.recovers;
            if (!rto || *rto >= *scenario.stated_time || !speaks) continue;
            longest = std::max(longest, *rto);
            missed.push_back(fmt::format("{} {}", one.component, told(*rto)));
        }
        if (missed.empty()) continue;
        found.push_back(
            {.at = place_of(scenario.key_at, "stated_time", scenario.at),
             .message = fmt::format("{} takes {} by its own account, but an RTO is shorter: {}",
                                    scenario.name, told_over(*scenario.stated_time, longest),
                                    listed(missed)),
             .scenario = scenario.name});
    }
}

void needs_slower(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Component& component : subject.plan.components) {
        if (!component.objectives.rto) continue;
        std::vector<std::string> slower;
        for (const std::string& need : component.needs) {
            const plan::Component* other = subject.plan.component(need);
            if (other != nullptr && other->objectives.rto &&
                *other->objectives.rto > *component.objectives.rto)
                slower.push_back(fmt::format(
                    "{} ({})", need, told_over(*other->objectives.rto, *component.objectives.rto)));
        }
        if (slower.empty()) continue;
        found.push_back(
            {.at = component.objectives.rto_at,
             .message = fmt::format("{} must be back within {}, and needs {}", component.name,
                                    told(*component.objectives.rto), listed(slower)),
             .note = "it cannot be back before what it needs",
             .component = component.name});
    }
}

/// P0 before P1 …; nothing is after everything.
int rank(const std::string& priority) { return priority.empty() ? 10 : priority.back() - '0'; }

void priority_inversion(const Subject& subject, std::vector<Finding>& found) {
    for (const plan::Component& component : subject.plan.components) {
        if (component.priority.empty()) continue;
        std::vector<std::string> later;
        for (const std::string& need : component.needs)
            if (const plan::Component* other = subject.plan.component(need);
                other != nullptr && !other->priority.empty() &&
                rank(other->priority) > rank(component.priority))
                later.push_back(fmt::format("{} ({})", need, other->priority));
        if (later.empty()) continue;
        found.push_back({.at = place_of(component.setting_at, "needs", component.at),
                         .message = fmt::format("{} is {} and needs {}", component.name,
                                                component.priority, listed(later)),
                         .note = "what it needs is recovered after it",
                         .component = component.name});
    }
}

}  // namespace

std::vector<Rule> objective_rules() {
    constexpr std::string_view theme = "Objectives";
    return {
        {.id = "rpo-unreachable",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "The best point that a disaster leaves can be older than the RPO allows.",
         .reason = "The worst case is the interval between points, the time to make one, the time "
                   "to copy it where it is needed and, where data is wrong rather than gone, the "
                   "time until somebody notices, by when points may have been deleted. When even "
                   "this is a guess, it is a warning.",
         .mend = "make points more often, or continuously; copy them to where they are needed.",
         .find = rpo_unreachable},
        {.id = "unprotected",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "A component with an RPO has no protection at all.",
         .reason = "A promise about loss without anything that makes recovery points is empty.",
         .mend = "give it a `protect:`, or take the objective away.",
         .find = unprotected},
        {.id = "rto-unreachable",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "Detection, approvals and the steps take longer than the RTO allows.",
         .reason = "The time is that of the critical path over the scenario's steps, up to where "
                   "the component and all it needs are back: measured here, else as declared. "
                   "When it depends on assumptions, it is a warning.",
         .mend = "run steps in parallel, use a faster way, or promise less.",
         .find = rto_unreachable},
        {.id = "stated-time-over-rto",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "A scenario takes longer, by its own account, than an RTO in it allows.",
         .reason = "The plan contradicts itself: the objective was promised to the business, the "
                   "time was written by those who do the work.",
         .mend = "give the steps an `estimate:` each and shorten the way, or promise less.",
         .find = stated_time},
        {.id = "needs-slower",
         .level = DiagnosticLevel::error,
         .theme = theme,
         .finds = "A component must be back before something that it needs has to be.",
         .reason = "It is back only when all it needs is back, so the slower RTO is the real one.",
         .mend = "the shorter RTO for what it needs, the longer one for it, or no need.",
         .find = needs_slower},
        {.id = "priority-inversion",
         .level = DiagnosticLevel::warning,
         .theme = theme,
         .finds = "A component needs one of a lower priority.",
         .reason = "Priority decides who waits when steps compete: the important one waits for "
                   "the unimportant one.",
         .mend = "the same priority for what it needs, or no need.",
         .find = priority_inversion},
    };
}

}  // namespace lifeboat::readiness

#include "core/readiness/outlook.h"

#include <map>

#include "core/readiness/loss.h"
#include "core/readiness/rule_tools.h"

namespace lifeboat::readiness {
namespace {

/// Nothing is worse than any number.
bool is_worse(const std::optional<Duration>& one, const std::optional<Duration>& other) {
    return other && (!one || *one > *other);
}

std::optional<Duration> back_after(const Forecast& forecast) {
    if (!forecast.time.recovers) return std::nullopt;
    return forecast.time.total.p95;
}

/// The verbs of the path in order, each once in a row.
std::string verbs_of(const RecoveryTime& time) {
    std::string text;
    std::string last;
    for (const Part& part : time.path) {
        if (part.verb.empty() || part.verb == last) continue;
        text += (text.empty() ? "" : "→") + part.verb;
        last = part.verb;
    }
    return text.empty() ? std::string("what it needs") : text;
}

void weigh_loss(Outlook& row, const Forecast* worst) {
    if (worst == nullptr) {
        row.kept = true;  // nothing in the plan ever takes its data
        row.at_best = Duration::zero();
        return;
    }
    row.decides = worst;
    row.at_best = worst->loss.worst;
    row.by = worst->loss.worst ? worst->loss.by : worst->loss.why;
    row.scenario = worst->scenario;
    row.kept = worst->rpo_kept.value_or(false);
    row.doubtful =
        !row.kept &&
        (worst->loss.worst ? *worst->loss.worst - assumed_share(worst->loss.parts) <= row.promised
                           : worst->loss.assumed);
}

void weigh_time(Outlook& row, const Forecast* worst) {
    if (worst == nullptr) {
        row.by = "no scenario recovers it";
        return;
    }
    row.decides = worst;
    row.at_best = back_after(*worst);
    row.by = worst->time.recovers ? verbs_of(worst->time) : worst->time.why;
    row.scenario = worst->scenario;
    row.kept = worst->rto_kept.value_or(false);
    row.doubtful = !row.kept && worst->time.recovers &&
                   worst->time.total.p95 - worst->time.assumed <= row.promised;
}

}  // namespace

std::string explained_path(const RecoveryTime& time) { return explained(time.path); }

std::vector<Outlook> outlook(const plan::Plan& plan, const std::vector<Forecast>& forecasts,
                             const std::vector<Forecast>& alone) {
    std::map<std::string_view, const Forecast*> losses, times;
    for (const Forecast& one : forecasts) {
        if (one.rpo_kept && one.hit) {
            const Forecast*& known = losses[one.component];
            if (known == nullptr || is_worse(one.loss.worst, known->loss.worst)) known = &one;
        }
        if (one.rto_kept) {
            const Forecast*& known = times[one.component];
            if (known == nullptr || is_worse(back_after(one), back_after(*known))) known = &one;
        }
    }
    for (const Forecast& one : alone) {
        const Forecast*& known = losses[one.component];
        if (known == nullptr || is_worse(one.loss.worst, known->loss.worst)) known = &one;
    }
    std::vector<Outlook> rows;
    for (const plan::Component& component : plan.components) {
        const auto find = [&](const auto& worst) {
            const auto found = worst.find(component.name);
            return found == worst.end() ? nullptr : found->second;
        };
        if (component.objectives.rpo) {
            rows.push_back({.component = &component,
                            .objective = Objective::rpo,
                            .promised = *component.objectives.rpo});
            weigh_loss(rows.back(), find(losses));
        }
        if (component.objectives.rto) {
            rows.push_back({.component = &component,
                            .objective = Objective::rto,
                            .promised = *component.objectives.rto});
            weigh_time(rows.back(), find(times));
        }
    }
    return rows;
}

}  // namespace lifeboat::readiness

#include "core/readiness/durations.h"

#include <algorithm>
#include <array>

#include "core/readiness/reach.h"

namespace lifeboat::readiness {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// How long nobody notices, where the plan does not say.
constexpr Duration watched = seconds(60);  // a probe or an alert, with a few looks before it counts
constexpr Duration seen = minutes(15);     // somebody looks at the right page
constexpr Duration told = minutes(30);     // users complain, and somebody believes them
constexpr Duration approval_assumed = minutes(15);

/// By the price lists of object stores: the standard tier of each class, at its slow end.
constexpr std::array<std::pair<std::string_view, Duration>, 2> cold{{
    {"GLACIER", hours(5)},
    {"DEEP_ARCHIVE", hours(12)},
}};

Duration assumed_for(plan::Signal::Type type) {
    switch (type) {
        case plan::Signal::Type::condition:
            return seen;
        case plan::Signal::Type::report:
            return told;
        default:
            return watched;
    }
}

bool has_target(const plan::Step& step, const std::string& component) {
    if (component.empty()) return step.targets.empty();
    return std::ranges::find(step.targets, component) != step.targets.end();
}

/// As the run's compiler names the nodes of a step; see expand.cc.
bool is_named(const plan::Step& step, const runbook::Node& node) {
    if (node.id.value == step.id) return true;
    if (step.targets.size() < 2) return false;
    return node.id.value == step.verb + "-" + node.component ||
           node.id.value == step.id + "-" + node.component;
}

/// Resolvers keep the old answer that long after a name was redirected.
Duration kept_by_resolvers(const plan::Plan& plan, const runbook::Node& node) {
    const plan::Component* component = plan.component(node.component);
    if (component == nullptr || node.verb != "redirect") return {};
    const auto ttl = parse_duration(string_or(component->settings, "ttl", ""));
    return ttl.has_value() ? *ttl : Duration::zero();
}

std::optional<Duration> duration_of(const Json& arguments, const char* name) {
    const auto given = parse_duration(string_or(arguments, name, ""));
    return given.has_value() ? std::optional(*given) : std::nullopt;
}

/// Without what happens outside of the step.
StepTime own_time_of(const plan::Plan& plan, const History& history, const runbook::Node& node,
                     const plan::Step* step) {
    if (!history.empty()) {
        const plan::Component* component = plan.component(node.component);
        const bool at_home = component == nullptr || component->site == node.site;
        const History::Key key{.verb = node.verb,
                               .component = node.component,
                               .site = at_home ? std::string() : node.site};
        const auto* samples = history.find(key);
        // A longer watch than was ever kept is not over sooner for it.
        const bool speaks = samples != nullptr && spread_of(*samples).p50 >= fixed_time(node);
        if (speaks) return {.spread = spread_of(*samples), .own_account = true};
    }
    if (const auto fixed = fixed_time(node)) {
        const Duration least = step != nullptr ? step->estimate.value_or(*fixed) : *fixed;
        return {.spread = exactly(std::max(*fixed, least), Basis::estimate), .own_account = true};
    }
    if (step != nullptr && step->estimate)
        return {.spread = exactly(*step->estimate, Basis::estimate), .own_account = true};
    if (node.verb == "approve" || node.verb == "notify")
        return {.spread = exactly({}, Basis::estimate), .own_account = true};
    const Basis basis = node.estimate > Duration::zero() ? Basis::estimate : Basis::assumed;
    return {.spread = exactly(node.estimate, basis)};
}

}  // namespace

Spread exactly(Duration value, Basis basis) {
    return {.p5 = value, .p50 = value, .p95 = value, .basis = basis};
}

Spread& operator+=(Spread& total, const Spread& part) {
    total.p5 += part.p5;
    total.p50 += part.p50;
    total.p95 += part.p95;
    total.basis = std::max(total.basis, part.basis);  // the weakest decides
    // The thinnest of those that were measured; what takes no time at all was never counted.
    if (total.samples == 0 || part.samples == 0)
        total.samples = std::max(total.samples, part.samples);
    else
        total.samples = std::min(total.samples, part.samples);
    return total;
}

const plan::Step* step_of(const std::vector<plan::Step>& steps, const runbook::Node& node) {
    for (const plan::Step& step : steps) {
        if (step.verb == node.verb && has_target(step, node.component) && is_named(step, node))
            return &step;
        if (const plan::Step* inner = step_of(step.parallel, node)) return inner;
    }
    return nullptr;
}

StepTime time_of(const plan::Plan& plan, const History& history, const runbook::Node& node,
                 const plan::Step* step) {
    StepTime time = own_time_of(plan, history, node, step);
    if (const Duration kept = kept_by_resolvers(plan, node); kept > Duration::zero()) {
        time.spread.p5 += kept;
        time.spread.p50 += kept;
        time.spread.p95 += kept;
    }
    return time;
}

std::optional<Duration> fixed_time(const runbook::Node& node) {
    if (node.verb != "wait" && node.verb != "monitor") return std::nullopt;
    if (node.arguments.contains("until")) return std::nullopt;  // then it is the most, not the time
    return duration_of(node.arguments, "for");
}

std::optional<Duration> too_short_limit(const runbook::Node& node, bool measured) {
    if (measured) return std::nullopt;
    const Duration takes = std::max(node.estimate, fixed_time(node).value_or(Duration::zero()));
    const bool waits = node.verb == "wait" && !node.arguments.contains("until");
    std::optional<Duration> limit;
    if (node.timeout > Duration::zero() && !waits) limit = node.timeout;
    if (node.arguments.contains("until"))
        if (const auto most = duration_of(node.arguments, "for"))
            limit = std::min(limit.value_or(*most), *most);
    return limit && *limit < takes ? limit : std::nullopt;
}

Spread approval_of(const History& history, const runbook::Node& node) {
    if (!node.approve) return exactly({}, Basis::measured);
    const Spread own = node.approve->within ? exactly(*node.approve->within, Basis::estimate)
                                            : exactly(approval_assumed, Basis::assumed);
    return measured_or(history.approvals(node.approve->by), own);
}

Duration retrieval_time(const plan::Protection& protection) {
    const std::string stored = string_or(protection.settings, "storage_class", "");
    for (const auto& [name, time] : cold)
        if (stored == name) return time;
    return {};
}

namespace {

/// As the plan itself has it. A signal that nothing gives never comes: of any, it is left out; of
/// all, people have to find out.
Spread declared_detection(const plan::Plan& plan, const plan::Scenario& scenario) {
    if (!scenario.detect) return exactly(told, Basis::assumed);
    std::optional<Spread> decides;
    for (const plan::Signal& signal : scenario.detect->signals) {
        if (!can_be_seen(plan, signal)) {
            if (scenario.detect->all) return exactly(told, Basis::assumed);
            continue;
        }
        const Spread one = signal.lasting ? exactly(*signal.lasting, Basis::estimate)
                                          : exactly(assumed_for(signal.type), Basis::assumed);
        const bool better =
            !decides || (scenario.detect->all ? one.p95 > decides->p95 : one.p95 < decides->p95);
        if (better) decides = one;
    }
    return decides.value_or(exactly(told, Basis::assumed));
}

}  // namespace

Spread detection_of(const plan::Plan& plan, const plan::Scenario& scenario,
                    const History& history) {
    return measured_or(history.detections(scenario.name), declared_detection(plan, scenario));
}

}  // namespace lifeboat::readiness

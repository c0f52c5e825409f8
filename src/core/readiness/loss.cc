#include "core/readiness/loss.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/readiness/durations.h"
#include "core/readiness/outlook.h"

namespace lifeboat::readiness {
namespace {

bool has_verb(const std::vector<plan::Step>& steps, std::string_view verb) {
    return std::ranges::any_of(steps, [&](const plan::Step& step) {
        return step.verb == verb || has_verb(step.parallel, verb);
    });
}

/// How long a point takes to make: measured, declared by its kind, or assumed.
Spread make_spread(const plan::Catalog& catalog, const History& history,
                   const plan::Component& component, const WayBack& way) {
    if (const auto* samples = history.find({"backup", component.name, ""}))
        return spread_of(*samples);
    const plan::VerbSpec* backup = catalog.verb(component.kind, "backup");
    const bool declared = backup != nullptr && backup->estimate > Duration::zero();
    return exactly(way.make, declared ? Basis::estimate : Basis::assumed);
}

void add(Loss& loss, std::string what, Spread spread, plan::Position at) {
    if (spread.p95 == Duration::zero()) return;
    loss.worst = *loss.worst + spread.p95;
    loss.parts.push_back({.what = std::move(what), .spread = spread, .at = at});
}

std::string name_of(const WayBack& way, const plan::Component& component) {
    if (way.place == component.site || way.place.empty()) return way.protection->method;
    return fmt::format("{} @{}", way.protection->method, way.place);
}

Loss measure(const plan::Catalog& catalog, const History& history, const Damage& damage,
             const Spread& detection, const plan::Component& component, const WayBack& way) {
    const plan::Protection& protection = *way.protection;
    Loss loss{.worst = Duration::zero(), .by = name_of(way, component), .at = protection.at};
    const bool declared = protection.every.has_value();
    add(loss, declared ? "interval" : "lag",
        exactly(way.interval, declared ? Basis::estimate : Basis::assumed), protection.at);
    if (way.make > Duration::zero()) {
        const Spread make = make_spread(catalog, history, component, way);
        add(loss, protection.method, make, protection.at);
        if (way.copy > Duration::zero())
            add(loss, fmt::format("copy to {}", way.place),
                exactly(way.copy == way.make ? make.p95 : way.copy, Basis::assumed), protection.at);
    }
    if (damage.corrupted.contains(component.name)) add(loss, "detection", detection, protection.at);
    return loss;
}

/// Points are deleted by their age: when it is noticed that data is wrong, the newest that is right
/// is as old as that, and up to one interval older. What was kept for less is gone by then.
void forget(const Damage& damage, const Spread& detection, const plan::Component& component,
            const WayBack& way, Loss& loss) {
    const plan::Protection& protection = *way.protection;
    if (!protection.keep || is_replication(protection.method)) return;
    const bool wrong = damage.corrupted.contains(component.name);
    const Duration oldest = way.interval + (wrong ? detection.p95 : Duration::zero());
    if (!has_gap(protection) && *protection.keep >= oldest) return;
    const bool gap = has_gap(protection) || *protection.keep < way.interval;
    loss.worst.reset();
    loss.parts.clear();
    // How far a stream lags, and when somebody looks, may be guesses.
    loss.assumed = !has_gap(protection) &&
                   (gap ? !protection.every.has_value() : detection.basis == Basis::assumed);
    loss.why =
        gap ? fmt::format("its points are kept for {} only, so that now and then there is none",
                          told(*protection.keep))
            : fmt::format(
                  "its points are kept for {}, and when it is noticed the newest good "
                  "one may be {} old",
                  told(*protection.keep), told(oldest));
}

}  // namespace

bool has_gap(const plan::Protection& protection) {
    if (!protection.keep || is_replication(protection.method)) return false;
    return *protection.keep == Duration::zero() ||
           *protection.keep < protection.every.value_or(Duration::zero());
}

bool is_attack(const plan::Scenario& scenario) {
    return !scenario.corrupted.empty() &&
           (has_verb(scenario.steps, "isolate") || has_verb(scenario.steps, "preserve"));
}

std::string account_of(const plan::Plan& plan, const plan::Catalog& catalog,
                       const plan::Component& component) {
    const plan::KindSpec* kind = catalog.kind(component.kind);
    const plan::Site* site = plan.site(component.site);
    if (kind == nullptr || site == nullptr || kind->platform.empty()) return {};
    const auto platform = site->platforms.find(kind->platform);
    return platform == site->platforms.end() ? std::string() : string_or(*platform, "account", "");
}

bool survives_account(const plan::Plan& plan, const plan::Catalog& catalog,
                      const plan::Component& component, const plan::Protection& protection) {
    const plan::KindSpec* kind = catalog.kind(component.kind);
    // Lifeboat's own vault has a key of its own, and nothing of what it protects can open it.
    if (kind != nullptr && kind->platform == "local") return plan.vault.has_value();
    if (bool_or(protection.settings, "immutable", false)) return true;
    const std::string own = account_of(plan, catalog, component);
    const std::string other = string_or(protection.settings, "account", "");
    if (!other.empty() && other != own) return true;
    if (!protection.copy_to || own.empty()) return false;
    plan::Component there = component;
    there.site = *protection.copy_to;
    const std::string copied = account_of(plan, catalog, there);
    return !copied.empty() && copied != own;
}

std::vector<Option> options_of(const plan::Plan& plan, const plan::Catalog& catalog,
                               const History& history, const Damage& damage, bool attack,
                               const Spread& detection, const plan::Component& component,
                               std::string_view where) {
    std::vector<Option> options;
    for (const WayBack& way : sources_of(plan, catalog, damage, component, where)) {
        Option option{.protection = way.protection, .loss = {}};
        const bool gone = damage.lost.contains(component.name);
        if (!way.left) {
            option.loss.why = way.why;
        } else if (way.protection->method == "versioning" && gone) {
            option.loss.why = "old versions are lost with what holds them";
        } else if (attack && !survives_account(plan, catalog, component, *way.protection)) {
            option.loss.why = "who holds the account can delete its points, too";
        } else {
            option.loss = measure(catalog, history, damage, detection, component, way);
            forget(damage, detection, component, way, option.loss);
        }
        option.loss.at = way.protection->at;
        options.push_back(std::move(option));
    }
    return options;
}

Loss best_of(const std::vector<Option>& options, const plan::Component& component,
             const Choice& choice) {
    Loss best{.worst = {}, .at = component.at};
    std::string why;
    for (const Option& option : options) {
        const std::string& method = option.protection->method;
        if (!choice.from.empty() && method != choice.from) continue;
        if (choice.way == Choice::Way::replica && !is_replication(method)) continue;
        if (choice.way == Choice::Way::points && is_replication(method)) continue;
        if (!option.loss.worst) {
            if (why.empty() && !best.worst) best.at = option.loss.at;
            why += fmt::format("{}{}: {}", why.empty() ? "" : "; ", method, option.loss.why);
            if (!best.worst) best.assumed = best.assumed || option.loss.assumed;
        } else if (!best.worst || *option.loss.worst < *best.worst) {
            best = option.loss;
        }
    }
    if (best.worst) return best;
    best.why = component.protect.empty() ? "nothing protects it"
               : !why.empty()            ? why
                                         : fmt::format("it has no protection '{}'",
                                            choice.from.empty() ? "replica" : choice.from);
    return best;
}

Duration assumed_share(const std::vector<Part>& parts) {
    Duration share{};
    for (const Part& part : parts)
        if (part.spread.basis == Basis::assumed) share += part.spread.p95;
    return share;
}

}  // namespace lifeboat::readiness

#include "core/readiness/evidence.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>

namespace lifeboat::readiness {
namespace {

/// How long a proof counts where the plan does not say.
constexpr Duration valid_default = std::chrono::hours(24 * 30);

constexpr std::array<std::string_view, 4> sources{"run", "drill", "verification", "backup"};
constexpr std::array<std::string_view, 3> objectives{"rto", "rpo", "restorable"};
constexpr std::array<std::string_view, 9> standings{"none",     "proven",       "missed",
                                                    "expired",  "plan_changed", "versions_changed",
                                                    "emulated", "from_future",  "clock_in_doubt"};

template <class E, std::size_t N>
Result<E> named(const std::array<std::string_view, N>& names, const std::string& name,
                std::string_view what) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return invalid(fmt::format("{}: unknown value '{}'", what, name));
    return static_cast<E>(found - names.begin());
}

/// A version that is named on both sides and differs.
bool versions_differ(const Json& then, const Json& now) {
    if (!then.is_object() || !now.is_object()) return false;
    for (const auto& [name, version] : now.items())
        if (const auto old = then.find(name); old != then.end() && *old != version) return true;
    return false;
}

/// A copy that was made proves that copies are made, not that one can go back to them.
bool can_prove(const Fact& fact) { return fact.source != Source::backup; }

/// Weighs facts one by one; the plan's parts are digested once each.
class Scale {
public:
    Scale(const plan::Plan& plan, const Json& versions, Instant now)
        : plan_(plan),
          versions_(versions),
          now_(now),
          valid_(plan.evidence_valid.value_or(valid_default)) {}

    /// `latest`: the latest moment that was recorded after the fact. A clock that went back since
    /// does not make the fact younger than that.
    Proof weigh(const Fact& fact, Instant latest) {
        return Proof{.standing = standing(fact, std::max(now_, latest)),
                     .fact = fact,
                     .age = std::max(Duration::zero(), Duration(now_ - fact.at))};
    }

private:
    Standing standing(const Fact& fact, Instant reference) {
        if (fact.environment != "real") return Standing::emulated;
        if (fact.at > now_) return Standing::from_future;
        if (now_ - fact.at > valid_) return Standing::expired;
        if (reference - fact.at > valid_) return Standing::clock_in_doubt;
        if (fact.part_digest != digest_for(fact)) return Standing::plan_changed;
        if (versions_differ(fact.versions, versions_)) return Standing::versions_changed;
        return fact.met ? Standing::proven : Standing::missed;
    }

    const std::string& digest_for(const Fact& fact) {
        std::string& digest = digests_[{fact.component, fact.scenario}];
        if (digest.empty()) digest = part_digest(plan_, fact.component, fact.scenario);
        return digest;
    }

    const plan::Plan& plan_;
    const Json& versions_;
    const Instant now_;
    const Duration valid_;
    std::map<std::pair<std::string, std::string>, std::string> digests_;
};

bool counts(Standing standing) {
    return standing == Standing::proven || standing == Standing::missed;
}

/// Up to when the state that was looked at goes: for ever where the fact does not say.
Instant as_of(const Fact& fact) {
    return parse_instant(string_or(fact.conditions, "as_of", "")).value_or(Instant::max());
}

/// Of one scenario: the newest fact that counts, but for a miss that no later one takes back; and
/// the newest of the others.
struct Record {
    std::optional<Proof> counting, newest;
    Instant reached{};  ///< by what was proven later: a point found bad stays so before it

    /// Requires: from the newest to the oldest.
    void add(Proof proof) {
        const Fact& fact = *proof.fact;
        if (!counts(proof.standing)) {
            if (!newest) newest = std::move(proof);
            return;
        }
        const bool proven = proof.standing == Standing::proven;
        const bool stands = counting && counting->standing == Standing::proven && !proven &&
                            fact.objective == Objective::restorable && as_of(fact) > reached;
        if (proven) reached = std::max(reached, as_of(fact));
        if (!counting || stands) counting = std::move(proof);
    }
};

}  // namespace

std::string_view to_string(Source source) { return sources[static_cast<std::size_t>(source)]; }
std::string_view to_string(Objective objective) {
    return objectives[static_cast<std::size_t>(objective)];
}
std::string_view to_string(Standing standing) {
    return standings[static_cast<std::size_t>(standing)];
}

Proof weigh(const plan::Plan& plan, std::span<const Fact> facts, std::string_view component,
            Objective objective, std::string_view scenario, const Json& versions, Instant now) {
    Scale scale(plan, versions, now);
    std::vector<Proof> proofs;
    Instant latest{};
    // From the last that was recorded back to the first: what was recorded later bounds the age.
    for (std::size_t i = facts.size(); i-- > 0;) {
        const Fact& fact = facts[i];
        const Instant after = latest;
        latest = std::max(latest, fact.at);
        const bool asked = fact.component == component && fact.objective == objective &&
                           (scenario.empty() || fact.scenario == scenario);
        if (asked && can_prove(fact)) proofs.push_back(scale.weigh(fact, after));
    }
    std::ranges::stable_sort(proofs, std::ranges::greater(),
                             [](const Proof& proof) { return proof.fact->at; });
    std::map<std::string, Record> records;
    for (Proof& proof : proofs) {
        Record& record = records[proof.fact->scenario];
        record.add(std::move(proof));
    }
    std::optional<Proof> counting, newest;
    for (auto& [name, record] : records) {
        if (record.counting) {
            const bool missed = record.counting->standing == Standing::missed;
            const bool worse = !counting || (missed && counting->standing != Standing::missed);
            const bool same = counting && record.counting->standing == counting->standing;
            if (worse || (same && record.counting->fact->at > counting->fact->at))
                counting = std::move(record.counting);
        }
        if (record.newest && (!newest || record.newest->fact->at > newest->fact->at))
            newest = std::move(record.newest);
    }
    if (counting) return *std::move(counting);
    return newest ? *std::move(newest) : Proof{};
}

Json to_json(const Fact& fact) {
    Json json{{"at", format_instant(fact.at)}, {"source", to_string(fact.source)},
              {"subject", fact.subject},       {"component", fact.component},
              {"scenario", fact.scenario},     {"objective", to_string(fact.objective)}};
    json["value"] = fact.value ? Json(format_duration(*fact.value)) : Json(nullptr);
    json["met"] = fact.met;
    json["environment"] = fact.environment;
    json["plan_digest"] = fact.plan_digest;
    json["part_digest"] = fact.part_digest;
    json["versions"] = fact.versions;
    json["conditions"] = fact.conditions;
    return json;
}

namespace {

Result<Fact> read_fact(const Json& json) {
    Fact fact;
    fact.at = TRY(get_instant(json, "at"));
    const std::string source = TRY(get_string(json, "source"));
    fact.source = TRY(named<Source>(sources, source, "source"));
    fact.subject = TRY(get_string(json, "subject"));
    fact.component = TRY(get_string(json, "component"));
    fact.scenario = string_or(json, "scenario", "");
    const std::string objective = TRY(get_string(json, "objective"));
    fact.objective = TRY(named<Objective>(objectives, objective, "objective"));
    if (const auto value = json.find("value"); value != json.end() && !value->is_null()) {
        const std::string text = TRY(get_string(json, "value"));
        fact.value = TRY(parse_duration(text));
    }
    fact.met = TRY(get_bool(json, "met"));
    fact.environment = TRY(get_string(json, "environment"));
    fact.plan_digest = TRY(get_string(json, "plan_digest"));
    fact.part_digest = TRY(get_string(json, "part_digest"));
    if (json.contains("versions")) fact.versions = json["versions"];
    if (json.contains("conditions")) fact.conditions = json["conditions"];
    return fact;
}

}  // namespace

Result<Fact> fact_from_json(const Json& json) {
    if (!json.is_object()) return invalid("a fact is no object");
    auto fact = read_fact(json);
    if (fact.has_value()) return fact;
    Error error = std::move(fact).error().in("a fact");
    error.kind = ErrorKind::invalid;
    return error;
}

}  // namespace lifeboat::readiness

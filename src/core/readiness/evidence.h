#pragma once
/// Measured facts about the plan's objectives, and what they are still worth.
///
/// A fact is written once and never altered; what it proves today is decided here, from its age,
/// the plan as it now reads and the versions now in use. A clock that went back makes evidence come
/// from the future: that is never fresh. Pure.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/plan/model.h"

namespace lifeboat::readiness {

enum class Source { run, drill, verification, backup };
enum class Objective { rto, rpo, restorable };  ///< restorable: a point was started and checked

struct Fact {
    Instant at{};
    Source source = Source::run;
    std::string subject;  ///< id of the run, drill run or point that it was measured on
    std::string component;
    std::string scenario;  ///< "" where it belongs to none
    Objective objective = Objective::rto;
    std::optional<Duration> value;  ///< measured; absent for restorable
    bool met = false;               ///< against the objective as it read then; restorable: passed
    std::string environment;        ///< "real", or "emulated" when any endpoint is overridden
    std::string plan_digest;        ///< of the whole plan
    std::string part_digest;        ///< of the part it rests on: part_digest()
    /// Of the program and of the servers, by component: {"lifeboat": "0.1.0", "database": "15.18"}.
    Json versions = Json::object();
    Json conditions =
        Json::object();  ///< size, site, point, what was checked, what could not be seen
};

enum class Standing {
    none,              ///< no fact at all
    proven,            ///< fresh, real, and the objective was met
    missed,            ///< fresh and real, and it was not met
    expired,           ///< older than `evidence: {valid: …}`
    plan_changed,      ///< the part of the plan that it rests on reads differently now
    versions_changed,  ///< servers or program are not those it was measured with
    emulated,          ///< shown, never green
    from_future,       ///< dated after now
    clock_in_doubt     ///< fresh by this clock, and too old by what was recorded after it
};

struct Proof {
    Standing standing = Standing::none;
    std::optional<Fact>
        fact;        ///< the one that decided; the newest that would count, else the newest
    Duration age{};  ///< of the fact, by the clock as it stands; 0 when dated after now
};

/// Digest (hex) of what a fact about this component in this scenario ("" = none) rests on: the
/// component with its objectives and what it needs, their sites, the scenario's steps, what it
/// loses and how that is seen, and the looks at what stands on the component that end it. Texts for
/// people, places in the file and other components do not count.
std::string part_digest(const plan::Plan& plan, std::string_view component,
                        std::string_view scenario);

/// What the facts prove now about one objective of one component, in one scenario. With "", over
/// all: it is proven only while the newest that counts of every scenario met it, whichever was
/// measured last. That a point was found bad is not taken back by proving an earlier state.
/// `facts` in the order in which they were recorded: what was recorded later bounds the age of
/// what was recorded before, so that a clock set back makes nothing fresh again. A backup proves
/// nothing by itself. `versions`: those now in use; members that are absent are not compared.
Proof weigh(const plan::Plan& plan, std::span<const Fact> facts, std::string_view component,
            Objective objective, std::string_view scenario, const Json& versions, Instant now);

std::string_view to_string(Source source);
std::string_view to_string(Objective objective);
std::string_view to_string(Standing standing);
Json to_json(const Fact& fact);
/// Errors: invalid (names the member).
Result<Fact> fact_from_json(const Json& json);

}  // namespace lifeboat::readiness

#pragma once
/// What verifications have found out about recovery points: sealed documents in the vault, beside
/// the points.
///
/// Document "proof/<point>/<verification>" of the component. Written once; the newest that speaks
/// of a restore decides what the point is worth for it. A point restored further goes bad where a
/// verification found a difference, not before. Functions; thread-safe.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "providers/contract/provider.h"

namespace lifeboat::providers {

struct Verdict {
    std::string id;     ///< of the verification: "verify-20261123-142733-7f3a"
    std::string point;  ///< that was restored
    bool bad = false;
    Instant at{};                  ///< when it was verified
    std::string position;          ///< up to where it had been restored
    std::optional<Instant> as_of;  ///< what was there is as of this moment
    std::string why;               ///< "amcheck: table public.orders: 3 rows"
};

/// Everything that is known of a component's points, newest last, by point.
using Verdicts = std::map<std::string, std::vector<Verdict>>;

/// About these points of the component. Errors: those of the vault. A document that cannot be read
/// is left out and logged.
Result<Verdicts> load_verdicts(vault::Vault& vault, const std::string& component,
                               const std::vector<vault::Point>& points);

/// Durable. `document` is to_json(proof) with "id", "at", "verdict" and whatever else is worth
/// keeping.
Result<void> keep_proof(vault::Vault& vault, const std::string& component, const Json& document);

/// The newest one for a point; nothing when there is none.
const Verdict* newest_verdict(const Verdicts& verdicts, const std::string& point);

Json to_json(const Exam& exam);
Json to_json(const Proof& proof);
std::string_view to_string(Exam::Outcome outcome);

/// "proven", "bad", or "undecided".
std::string_view verdict_of(const Proof& proof);
/// The first that did not pass, for one line: "amcheck: index public.orders_pkey". "" when all did.
std::string trouble_of(const Proof& proof);

}  // namespace lifeboat::providers

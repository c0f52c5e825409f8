#pragma once
/// Inside of parse(): checks, as they stand under health, verify and `wait: {until: …}`.

#include "core/plan/reader.h"

namespace lifeboat::plan {

struct CheckContext {
    std::string_view label;          ///< for messages: "health"
    const KindSpec* kind = nullptr;  ///< what its kind understands; nullptr: anything
    bool steps = false;              ///< also what makes sense between steps only: `healthy`
};

/// Nothing after saying what is wrong.
std::optional<Check> read_check(Reader& reader, const yaml::Node& node,
                                const CheckContext& context);
/// Every check of a list; a single mapping counts as a list of one.
std::vector<Check> read_checks(Reader& reader, const yaml::Node& node, const CheckContext& context);
/// {"type", "value", options…, "expect", "timeout"}: a check as an argument of a step.
Json to_json(const Check& check);

}  // namespace lifeboat::plan

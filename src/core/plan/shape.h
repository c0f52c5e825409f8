#pragma once
/// The shape of the plan file as data: which keys each section has, what they hold, what they mean.
///
/// The parser, the JSON Schema and docs/plan.md are all made from these tables and from the
/// catalog, so that none of them can say something else than the others. Constant; thread-safe.

#include <string_view>
#include <vector>

#include "core/plan/catalog.h"

namespace lifeboat::plan {

enum class Holds {
    one,   ///< a value
    list,  ///< a list; of scalars also a single one
    map,   ///< names with values
};

/// What a text names.
enum class Refers { nothing, site, component, scenario, severity, channel, role, contact };

struct Key {
    std::string_view name;
    SettingType type = SettingType::text;
    std::string_view summary;
    bool required = false;
    Holds holds = Holds::one;
    std::string_view section;  ///< the value is a mapping of this shape; `type` says nothing then
    Refers refers = Refers::nothing;
    std::vector<std::string> choices;
};

struct Section {
    std::string_view name;
    std::string_view title;    ///< as a heading
    std::string_view summary;  ///< a sentence or two for the reference
    std::vector<Key> keys;
    std::string_view brief;  ///< the key that a plain value or list stands for; "" = none

    const Key* key(std::string_view key) const;
};

const std::vector<Section>& sections();
/// Requires: there is such a section.
const Section& section(std::string_view name);

/// The looks that health, verify and `wait: {until: …}` know: the key names the type.
const std::vector<SettingSpec>& check_types();

/// Names that templates use themselves: no component may be called so.
bool is_reserved(std::string_view name);

}  // namespace lifeboat::plan

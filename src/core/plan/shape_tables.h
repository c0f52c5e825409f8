#pragma once
/// The tables of shape.h, by subject. Inside of core/plan.

#include "core/plan/shape.h"

namespace lifeboat::plan {

std::vector<Section> plan_sections();
std::vector<Section> component_sections();
std::vector<Section> step_sections();
std::vector<Section> people_sections();

/// A key with a plain value.
inline Key value(std::string_view name, SettingType type, std::string_view summary) {
    return {.name = name, .type = type, .summary = summary};
}
inline Key names(std::string_view name, Refers refers, Holds holds, std::string_view summary) {
    return {.name = name, .summary = summary, .holds = holds, .refers = refers};
}
inline Key nested(std::string_view name, std::string_view section, Holds holds,
                  std::string_view summary) {
    return {.name = name, .summary = summary, .holds = holds, .section = section};
}
inline Key words(std::string_view name, std::vector<std::string> choices,
                 std::string_view summary) {
    return {.name = name, .summary = summary, .choices = std::move(choices)};
}
inline Key required(Key key) {
    key.required = true;
    return key;
}

}  // namespace lifeboat::plan

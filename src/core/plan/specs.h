#pragma once
/// Short ways to write the catalog's tables. Inside of core/plan, and for tests.

#include <initializer_list>
#include <utility>

#include "core/plan/catalog.h"

namespace lifeboat::plan::specs {

inline SettingSpec optional(std::string name, SettingType type, std::string summary,
                            Json fallback = {}) {
    return {.name = std::move(name),
            .type = type,
            .summary = std::move(summary),
            .fallback = std::move(fallback)};
}

inline SettingSpec required(std::string name, SettingType type, std::string summary) {
    return {.name = std::move(name), .type = type, .required = true, .summary = std::move(summary)};
}

inline SettingSpec choice(std::string name, std::vector<std::string> choices, std::string summary,
                          Json fallback = {}) {
    return {.name = std::move(name),
            .type = SettingType::text,
            .summary = std::move(summary),
            .choices = std::move(choices),
            .fallback = std::move(fallback)};
}

/// Looks, and changes nothing.
inline VerbSpec looks(std::string name, std::string summary,
                      std::vector<SettingSpec> arguments = {}) {
    return {.name = std::move(name),
            .summary = std::move(summary),
            .safety = Safety::idempotent,
            .mutating = false,
            .arguments = std::move(arguments)};
}

/// Acts, and can be asked afterwards whether it did.
inline VerbSpec acts(std::string name, std::string summary,
                     std::vector<SettingSpec> arguments = {}) {
    return {
        .name = std::move(name), .summary = std::move(summary), .arguments = std::move(arguments)};
}

}  // namespace lifeboat::plan::specs

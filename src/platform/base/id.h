#pragma once
/// Distinct types for names, so that a run's id cannot be passed where a step's is meant.

#include <compare>
#include <functional>
#include <string>
#include <utility>

namespace lifeboat {

template <class Tag>
struct Id {
    std::string value;

    Id() = default;
    explicit Id(std::string text) : value(std::move(text)) {}
    bool empty() const { return value.empty(); }
    auto operator<=>(const Id&) const = default;
};

using RunId = Id<struct RunTag>;  ///< one execution of a scenario: "run-20261123-110643-7f3a"
using StepId =
    Id<struct StepTag>;  ///< a step of a run, stable across attempts: "s03-restore-database"
using PointId = Id<struct PointTag>;  ///< a recovery point: "database-20261123T110643Z-1a2b3c"

}  // namespace lifeboat

template <class Tag>
struct std::hash<lifeboat::Id<Tag>> {
    std::size_t operator()(const lifeboat::Id<Tag>& id) const noexcept {
        return std::hash<std::string>{}(id.value);
    }
};

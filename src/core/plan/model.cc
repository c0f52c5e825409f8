#include "core/plan/model.h"

#include <algorithm>

namespace lifeboat::plan {
namespace {

template <class T>
const T* find_named(const std::vector<T>& items, std::string_view name) {
    const auto found = std::ranges::find(items, name, &T::name);
    return found == items.end() ? nullptr : &*found;
}

}  // namespace

const Site* Plan::site(std::string_view wanted) const { return find_named(sites, wanted); }

const Component* Plan::component(std::string_view wanted) const {
    // A plan that was made by hand, in a test, has no index.
    if (const auto found = component_index.find(wanted); found != component_index.end() &&
                                                         found->second < components.size() &&
                                                         components[found->second].name == wanted)
        return &components[found->second];
    return find_named(components, wanted);
}

const Scenario* Plan::scenario(std::string_view wanted) const {
    return find_named(scenarios, wanted);
}
const Person* Plan::person(std::string_view wanted) const { return find_named(people, wanted); }
const Severity* Plan::severity(std::string_view wanted) const {
    return find_named(severities, wanted);
}

}  // namespace lifeboat::plan

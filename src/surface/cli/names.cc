#include "surface/cli/names.h"

#include <fmt/core.h>

#include "platform/base/text.h"

namespace lifeboat::cli {

Result<void> require_components(const plan::Plan& plan, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        if (plan.component(name) != nullptr) continue;
        std::vector<std::string> known;
        for (const plan::Component& component : plan.components) known.push_back(component.name);
        const auto close = nearest(name, known);
        return not_found(fmt::format("no component '{}' in the plan", name),
                         close ? fmt::format("Did you mean '{}'?", *close)
                               : fmt::format("The plan has: {}.", join(known, ", ")));
    }
    return ok();
}

}  // namespace lifeboat::cli

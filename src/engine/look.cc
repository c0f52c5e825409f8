#include "engine/look.h"

#include <fmt/core.h>

#include "platform/task/mutex.h"
#include "platform/task/scope.h"

namespace lifeboat::engine {
namespace {

using providers::Instance;
using providers::Observation;

Observation observe_one(const Context& context, Workspace& workspace,
                        const plan::Component& component, const Instance& instance) {
    Observation unknown_one;
    providers::Provider* provider = workspace.registry.find(component.kind);
    if (provider == nullptr) {
        unknown_one.why = fmt::format("no provider for kind {} in this build", component.kind);
        return unknown_one;
    }
    auto seen = provider->observe(
        context, providers::Target{workspace.plan, component, instance});
    if (seen.has_value()) return *std::move(seen);
    unknown_one.why = seen.error().message;
    return unknown_one;
}

bool is_wanted(const std::vector<std::string>& names, const std::string& name) {
    return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Look look(const Context& context, Workspace& workspace, Instances& instances,
          const std::vector<std::string>& components, Duration limit) {
    Look result;
    Mutex mutex;
    TaskScope scope(context);
    for (const plan::Component& component : workspace.plan.components) {
        if (!is_wanted(components, component.name)) continue;
        auto instance = instances.current(component.name);
        if (!instance.has_value()) {
            result.observations[component.name].why = instance.error().message;
            continue;
        }
        {
            MutexLock lock(mutex);
            result.instances.emplace(component.name, *instance);
        }
        scope.spawn([&, &component = component, instance = *instance](const Context& task) {
            Observation seen = observe_one(task.within(limit), workspace, component, instance);
            MutexLock lock(mutex);
            result.observations[component.name] = std::move(seen);
            return ok();
        });
    }
    (void)scope.wait();  // Ignored: the tasks above do not fail; what is unseen is unknown.
    result.sight.at = workspace.now();
    for (const auto& [name, seen] : result.observations) {
        watch::Seen one{.health = seen.health, .why = seen.why, .since = std::nullopt};
        if (seen.health == watch::Health::unhealthy) one.since = result.sight.at;
        result.sight.components.emplace(name, std::move(one));
    }
    return result;
}

}  // namespace lifeboat::engine

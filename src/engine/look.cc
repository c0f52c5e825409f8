#include "engine/look.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>

#include "platform/task/mutex.h"
#include "platform/task/scope.h"

namespace lifeboat::engine {
namespace {

using providers::Instance;
using providers::Observation;

constexpr std::size_t threads_max = 32;

Observation observe_one(const Context& context, Workspace& workspace,
                        const plan::Component& component, const Instance& instance) {
    Observation unknown_one;
    providers::Provider* provider = workspace.registry.find(component.kind);
    if (provider == nullptr) {
        unknown_one.why = fmt::format("no provider for kind {} in this build", component.kind);
        return unknown_one;
    }
    auto seen = provider->observe(context, providers::Target{workspace.plan, component, instance});
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
    struct Job {
        const plan::Component* component;
        Instance instance;
    };
    std::vector<Job> jobs;
    for (const plan::Component& component : workspace.plan.components) {
        if (!is_wanted(components, component.name)) continue;
        auto instance = instances.current(component.name);
        if (!instance.has_value()) {
            result.observations[component.name].why = instance.error().message;
            continue;
        }
        result.instances.emplace(component.name, *instance);
        jobs.push_back({&component, *std::move(instance)});
    }
    Mutex mutex;
    std::atomic<std::size_t> next = 0;
    TaskScope scope(context);
    for (std::size_t i = 0; i < std::min(jobs.size(), threads_max); ++i) {
        scope.spawn([&](const Context& task) {
            for (std::size_t at = next++; at < jobs.size(); at = next++) {
                Observation seen = observe_one(task.within(limit), workspace, *jobs[at].component,
                                               jobs[at].instance);
                MutexLock lock(mutex);
                result.observations[jobs[at].component->name] = std::move(seen);
            }
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

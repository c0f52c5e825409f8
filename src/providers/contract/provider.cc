#include "providers/contract/provider.h"

#include <fmt/core.h>

namespace lifeboat::providers {

Json to_json(const Instance& instance) {
    return Json{{"component", instance.component}, {"site", instance.site},
                {"name", instance.name},           {"settings", instance.settings},
                {"identity", instance.identity},   {"endpoint", instance.endpoint},
                {"made_by", instance.made_by}};
}

Result<Instance> instance_from_json(const Json& value) {
    Instance instance;
    instance.component = TRY(get_string(value, "component"));
    instance.site = TRY(get_string(value, "site"));
    instance.name = string_or(value, "name", instance.component);
    instance.settings = value.value("settings", Json::object());
    instance.identity = value.value("identity", Json::object());
    instance.endpoint = string_or(value, "endpoint", "");
    instance.made_by = string_or(value, "made_by", "");
    return instance;
}

Result<Polled> Provider::poll(const Context&, const VerbCall& call, const std::string& operation) {
    return unsupported(fmt::format("{} has no long operation '{}'", call.verb, operation));
}

Result<void> Provider::cancel(const Context&, const VerbCall& call, const std::string& operation) {
    return unsupported(fmt::format("{} cannot cancel operation '{}'", call.verb, operation));
}

Result<void> Provider::protect(const Context&, const Target& target,
                               const plan::Protection& protection, const StreamSink&) {
    return unsupported(fmt::format("component '{}' of kind '{}' has no continuous protection '{}'",
                                   target.component.name, target.component.kind,
                                   protection.method));
}

Result<std::vector<RecoveryPoint>> Provider::points(const Context&, const Target&) {
    return std::vector<RecoveryPoint>();
}

Result<Proof> Provider::prove(const Context&, const ProofCall& call, const ProofSink&) {
    return unsupported(fmt::format("a recovery point of kind '{}' cannot be proven in this build",
                                   call.component.kind));
}

Result<void> Provider::discard(const Context&, const ProofCall&) { return ok(); }

}  // namespace lifeboat::providers

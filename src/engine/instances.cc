#include "engine/instances.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "platform/base/text.h"
#include "platform/observe/log.h"

namespace lifeboat::engine {
namespace {

using providers::Instance;

std::string record_key(const std::string& component) { return "instance/" + component; }

std::string endpoint_of(const Json& settings) {
    if (!settings.contains("port")) return {};
    const Json& port = settings["port"];
    return fmt::format("{}:{}", string_or(settings, "host", "127.0.0.1"),
                       port.is_string() ? port.get<std::string>() : dump(port));
}

Json record_of(const Instance& instance, std::uint64_t generation, const std::string& run,
               const std::string& since) {
    Json record{{"generation", generation}, {"run", run}, {"instance", to_json(instance)}};
    if (!since.empty()) record["since"] = since;
    return record;
}

Result<Instance> instance_of(const Json& record) {
    if (!record.contains("instance")) return corrupt("an instance record without an instance");
    return providers::instance_from_json(record["instance"]);
}

std::uint64_t generation_of(const Json& record) {
    return static_cast<std::uint64_t>(integer_or(record, "generation", 0));
}

constexpr std::string_view document_prefix = "instance/";

/// Identities agree when every member that both name is equal; a restarted server has a new pid.
bool identities_agree(const Json& pinned, const Json& found) {
    for (const std::string_view key : {"system_identifier", "run_as_system", "data_id"}) {
        if (pinned.contains(key) && found.contains(key) && pinned[key] != found[key]) return false;
    }
    return true;
}

}  // namespace

Result<Instance> Instances::planned(const plan::Component& component, const std::string& site) {
    Instance instance;
    instance.component = component.name;
    instance.site = site.empty() ? component.site : site;
    instance.name = component.instance.empty() ? component.name : component.instance;
    instance.settings = component.settings;
    if (auto found = component.at_site.find(instance.site); found != component.at_site.end())
        instance.settings.update(found->second);
    instance.endpoint = endpoint_of(instance.settings);
    return instance;
}

Result<std::optional<Instance>> Instances::from_vault(const std::string& component,
                                                      std::uint64_t* generation,
                                                      std::string* since) {
    vault::Vault* vault = workspace_.services.vault;
    if (vault == nullptr) return std::optional<Instance>();
    std::string newest;
    const std::vector<std::string> names = TRY(vault->documents(component));
    for (const std::string& name : names)
        if (name.starts_with(document_prefix)) newest = std::max(newest, name);
    if (newest.empty()) return std::optional<Instance>();
    const Bytes bytes = TRY(vault->get_document(component, newest));
    const Json record = TRY(parse_json(as_text(bytes)));
    *generation = generation_of(record);
    *since = string_or(record, "since", "");
    return std::optional<Instance>(TRY(instance_of(record)));
}

Result<Instance> Instances::current(const std::string& component) {
    const plan::Component* declared = workspace_.plan.component(component);
    if (declared == nullptr)
        return not_found(fmt::format("no component '{}' in the plan", component));
    const Record record = TRY(workspace_.state.get(record_key(component)));
    if (record.version != 0) return instance_of(record.value);

    std::uint64_t generation = 0;
    std::string since;
    auto remembered = from_vault(component, &generation, &since);
    if (!remembered.has_value()) {
        log::warning("engine", "{}: the vault could not say which instance is current: {}",
                     component, remembered.error().message);
        return planned(*declared, "");
    }
    if (!remembered->has_value()) return planned(*declared, "");
    // The state directory is new or lost: the vault's memory becomes the record. A second process
    // that does the same at once wins or loses the compare-and-swap; both read the same instance.
    auto written = workspace_.state.put(
        record_key(component), 0, record_of(**remembered, generation, "from the vault", since));
    if (!written.has_value() && written.error().kind != ErrorKind::conflict) return written.error();
    return **remembered;
}

Result<void> Instances::switch_to(const Instance& instance, const std::string& run) {
    const std::string key = record_key(instance.component);
    std::uint64_t generation = 0;
    // What the vault remembers may be ahead of a state directory that is new: the next generation
    // is newer than both. Ignored: a vault that cannot be read; then the record alone counts.
    std::uint64_t remembered_generation = 0;
    std::string since;
    (void)from_vault(instance.component, &remembered_generation, &since);
    // What the plan names was always there; only what a step has made begins now.
    since = instance.made_by.empty() ? std::string() : format_instant(workspace_.now());
    for (int tries = 0; tries < 10; ++tries) {
        const Record record = TRY(workspace_.state.get(key));
        generation = std::max(generation_of(record.value), remembered_generation) + 1;
        if (record.version != 0) {
            const Instance known = TRY(instance_of(record.value));
            if (known.made_by == instance.made_by && known.identity == instance.identity)
                return ok();
            // The same one, only known better now.
            if (known.made_by == instance.made_by) since = string_or(record.value, "since", "");
        }
        auto written =
            workspace_.state.put(key, record.version, record_of(instance, generation, run, since));
        if (written.has_value()) break;
        if (written.error().kind != ErrorKind::conflict || tries == 9) return written.error();
    }
    if (workspace_.services.vault == nullptr) return ok();
    const std::string name = fmt::format("{}{:08}-{}", document_prefix, generation,
                                         instance.made_by.empty() ? "plan" : instance.made_by);
    auto remembered = workspace_.services.vault->put_document(
        instance.component, name, as_bytes(dump(record_of(instance, generation, run, since))));
    if (!remembered.has_value())
        log::error("engine", "{}: the switch is made but the vault does not know it: {}",
                   instance.component, remembered.error().message);
    return ok();
}

Result<std::optional<Instant>> Instances::since(const std::string& component) {
    const Record record = TRY(workspace_.state.get(record_key(component)));
    const auto since = parse_instant(string_or(record.value, "since", ""));
    return since.has_value() ? std::optional<Instant>(*since) : std::optional<Instant>();
}

Result<void> Instances::pin(const std::string& component, const Json& identity) {
    Instance instance = TRY(current(component));
    if (!identities_agree(instance.identity, identity)) {
        return conflict(
            fmt::format("{}: another identity is there than the one on record ({} instead of {})",
                        component, dump(identity), dump(instance.identity)),
            "Look at what listens there; if it is right, record the instance anew with a "
            "recovery.");
    }
    if (!instance.identity.empty()) return ok();
    instance.identity = identity;
    return switch_to(instance, "first adoption");
}

Result<std::map<std::string, Instance>> Instances::around(const plan::Component& component) {
    std::map<std::string, Instance> found;
    std::vector<std::string> open{component.name};
    while (!open.empty()) {
        const std::string name = open.back();
        open.pop_back();
        if (found.contains(name)) continue;
        found.emplace(name, TRY(current(name)));
        if (const plan::Component* declared = workspace_.plan.component(name))
            open.insert(open.end(), declared->needs.begin(), declared->needs.end());
    }
    return found;
}

std::map<std::string, std::string> Instances::sites() {
    std::map<std::string, std::string> sites;
    for (const plan::Component& component : workspace_.plan.components) {
        auto instance = current(component.name);
        sites[component.name] = instance.has_value() ? instance->site : component.site;
    }
    return sites;
}

plan::Plan as_it_stands(const plan::Plan& plan, Instances& instances) {
    plan::Plan now = plan;
    const auto sites = instances.sites();
    for (plan::Component& component : now.components)
        if (const auto at = sites.find(component.name); at != sites.end())
            component.site = at->second;
    return now;
}

}  // namespace lifeboat::engine

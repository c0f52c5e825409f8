#include "core/plan/shape.h"

#include <algorithm>
#include <array>

#include "core/plan/shape_tables.h"
#include "core/plan/specs.h"
#include "platform/base/result.h"

namespace lifeboat::plan {

const Key* Section::key(std::string_view wanted) const {
    const auto found = std::ranges::find(keys, wanted, &Key::name);
    return found == keys.end() ? nullptr : &*found;
}

const std::vector<Section>& sections() {
    static const std::vector<Section> all = [] {
        std::vector<Section> tables = plan_sections();
        for (auto make : {component_sections, step_sections, people_sections})
            for (Section& table : make()) tables.push_back(std::move(table));
        return tables;
    }();
    return all;
}

const Section& section(std::string_view name) {
    const auto found = std::ranges::find(sections(), name, &Section::name);
    CHECK(found != sections().end());
    return *found;
}

const std::vector<SettingSpec>& check_types() {
    using enum SettingType;
    static const std::vector<SettingSpec> types{
        specs::optional(
            "tcp", any,
            "Connects: `true` for the instance's own port, another port, or `host:port`."),
        specs::optional("http", text, "Requests a path of the instance, or a URL."),
        specs::optional("sql", text,
                        "Asks the database; the first column of the first row counts."),
        specs::optional("redis", text, "Sends a command to Redis."),
        specs::optional("process", boolean, "Its processes run."),
        specs::optional("ready", boolean, "Whoever runs it reports it ready: pods, nodes."),
        specs::optional("exec", command, "Runs a command; it succeeds with status 0."),
        specs::optional("dns", text, "Resolves a name."),
        specs::optional("healthy", component, "All health checks of that component pass."),
    };
    return types;
}

bool is_reserved(std::string_view name) {
    constexpr std::array<std::string_view, 6> reserved{"steps", "incident", "run",
                                                       "site",  "self",     "needs"};
    return std::ranges::find(reserved, name) != reserved.end();
}

}  // namespace lifeboat::plan

#include <fmt/core.h>

#include "platform/base/text.h"
#include "providers/contract/local_site.h"

namespace lifeboat::providers {
namespace {

constexpr std::string_view opening = "{{";
constexpr std::string_view closing = "}}";

std::optional<Json> find_address(const Instance& instance, std::string_view key) {
    if (key == "name") return Json(instance.name);
    if (key == "site") return Json(instance.site);
    if (instance.endpoint.empty()) return std::nullopt;
    if (key == "endpoint") return Json(instance.endpoint);
    auto endpoint = parse_endpoint(instance.endpoint);
    if (!endpoint.has_value()) return std::nullopt;
    if (key == "host") return Json(endpoint->host);
    if (key == "port") return Json(endpoint->port);
    return std::nullopt;
}

std::optional<Json> find_value(const Instance& instance, std::string_view key) {
    const std::string name(key);
    if (instance.settings.contains(name)) return instance.settings[name];
    if (auto found = find_address(instance, key)) return found;
    if (instance.identity.contains(name)) return instance.identity[name];
    if (key == "host" && !instance.settings.empty()) return Json("127.0.0.1");
    return std::nullopt;
}

std::string text_of(const Json& value) {
    return value.is_string() ? value.get<std::string>() : dump(value);
}

/// The text with every template filled; one that is the whole text keeps its value's type.
Result<Json> fill(const std::string& text, const std::map<std::string, Instance>& instances) {
    std::string filled;
    std::size_t at = 0;
    while (true) {
        const std::size_t begin = text.find(opening, at);
        if (begin == std::string::npos) break;
        const std::size_t end = text.find(closing, begin);
        if (end == std::string::npos)
            return invalid(fmt::format("the template in '{}' has no end", text),
                           "Close it with }}.");
        const std::string_view inner(text.data() + begin + 2, end - begin - 2);
        const Json value = TRY(template_value(trim(inner), instances));
        if (begin == 0 && end + closing.size() == text.size()) return value;
        filled.append(text, at, begin - at);
        filled += text_of(value);
        at = end + closing.size();
    }
    filled.append(text, at);
    return Json(std::move(filled));
}

}  // namespace

Instance template_scope(std::string name, Json values) {
    Instance instance;
    instance.component = name;
    instance.name = std::move(name);
    instance.settings = std::move(values);
    return instance;
}

Result<Json> template_value(std::string_view name,
                            const std::map<std::string, Instance>& instances) {
    // The longest component name that fits: names may hold dots, keys may not.
    const std::size_t dot = name.rfind('.');
    if (dot == std::string_view::npos || dot == 0 || dot + 1 == name.size())
        return invalid(fmt::format("'{}' is not of the form component.key", name),
                       "Write {{ component.key }}, for example {{ database.port }}.");
    const std::string component(name.substr(0, dot));
    const std::string_view key = name.substr(dot + 1);
    const auto found = instances.find(component);
    if (found == instances.end())
        return invalid(fmt::format("'{{{{ {} }}}}' names '{}', which is not among what it needs",
                                   name, component),
                       "Add the component to `needs:`, or correct the name.");
    auto value = find_value(found->second, key);
    if (!value)
        return invalid(fmt::format("'{{{{ {} }}}}': {} has no '{}'", name, component, key),
                       "Give that component the setting, or name another one.");
    return *std::move(value);
}

Result<Json> resolve_settings(const Json& settings,
                              const std::map<std::string, Instance>& instances) {
    if (settings.is_string()) return fill(settings.get<std::string>(), instances);
    if (settings.is_array()) {
        Json filled = Json::array();
        for (const Json& item : settings) {
            Json value = TRY(resolve_settings(item, instances));
            filled.push_back(std::move(value));
        }
        return filled;
    }
    if (settings.is_object()) {
        Json filled = Json::object();
        for (const auto& [key, value] : settings.items()) {
            auto resolved = resolve_settings(value, instances);
            if (!resolved.has_value()) return std::move(resolved).error().in(key);
            filled[key] = *std::move(resolved);
        }
        return filled;
    }
    return settings;
}

}  // namespace lifeboat::providers

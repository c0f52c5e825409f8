#include <fmt/core.h>

#include <optional>
#include <string_view>

#include "core/runbook/machine.h"
#include "core/runbook/names.h"
#include "platform/base/text.h"

namespace lifeboat::runbook {
namespace {

constexpr int nesting_max = 64;

/// `path` ("a.b.0") below `value`.
const Json* descend(const Json* value, std::string_view path) {
    if (path.empty()) return value;
    for (const std::string_view part : split(path, '.')) {
        if (value->is_object()) {
            const auto found = value->find(std::string(part));
            if (found == value->end()) return nullptr;
            value = &*found;
        } else if (value->is_array()) {
            const auto index = parse_integer(part);
            if (!index || *index < 0 || static_cast<std::size_t>(*index) >= value->size())
                return nullptr;
            value = &(*value)[static_cast<std::size_t>(*index)];
        } else {
            return nullptr;
        }
    }
    return value;
}

class Resolver {
public:
    explicit Resolver(const RunState& state) : state_(state) {}

    Result<Json> resolve(const Json& value, int depth = 0) const {
        if (depth > nesting_max) return invalid("arguments are nested too deeply");
        if (value.is_string()) return text(value.get_ref<const std::string&>());
        if (value.is_array()) {
            Json out = Json::array();
            for (const Json& item : value) {
                Json filled = TRY(resolve(item, depth + 1));
                out.push_back(std::move(filled));
            }
            return out;
        }
        if (value.is_object()) {
            Json out = Json::object();
            for (const auto& [key, item] : value.items()) {
                Json filled = TRY(resolve(item, depth + 1));
                out[key] = std::move(filled);
            }
            return out;
        }
        return value;
    }

private:
    /// A text that is one template keeps the type of its value: a port stays a number.
    Result<Json> text(const std::string& text) const {
        std::string out;
        std::size_t at = 0;
        while (true) {
            const std::size_t begin = text.find("{{", at);
            if (begin == std::string::npos) break;
            const std::size_t end = text.find("}}", begin);
            if (end == std::string::npos)
                return invalid(fmt::format("template '{}' is not closed", text.substr(begin)));
            const std::string_view name =
                trim(std::string_view(text).substr(begin + 2, end - begin - 2));
            Json value = TRY(look_up(name));
            if (begin == 0 && end + 2 == text.size()) return value;
            out.append(text, at, begin - at);
            out += value.is_string() ? value.get<std::string>() : dump(value);
            at = end + 2;
        }
        if (at == 0) return Json(text);
        out.append(text, at);
        return Json(std::move(out));
    }

    Result<Json> look_up(std::string_view name) const {
        if (name.starts_with("steps.")) return of_step(name, name.substr(6));
        if (name == "run.id") return Json(state_.start.run.value);
        if (name == "run.scenario") return Json(state_.start.scenario);
        if (name == "run.mode") return Json(to_string(state_.start.mode));
        // `incident.last_known_good` is the parameter `incident`, or the one with that very name.
        const std::string_view path =
            name.starts_with("parameters.") ? name.substr(sizeof("parameters.") - 1) : name;
        const Json* value = path.empty() ? nullptr : descend(&state_.start.parameters, path);
        if (value != nullptr) return *value;
        return invalid(fmt::format("template '{{{{ {} }}}}' has no value in this run", name),
                       "Use steps.<step>.<output>, incident.<fact>, parameters.<name> or run.id.");
    }

    /// Step ids may hold dots: the longest one that fits is meant.
    Result<Json> of_step(std::string_view name, std::string_view rest) const {
        for (std::size_t end = rest.size(); end != std::string_view::npos && end > 0;
             end = rest.rfind('.', end - 1)) {
            const auto found = state_.steps.find(StepId(std::string(rest.substr(0, end))));
            if (found == state_.steps.end()) continue;
            const StepStatus status = found->second.status;
            if (status != StepStatus::done && status != StepStatus::bypassed)
                return invalid(
                    fmt::format("template '{{{{ {} }}}}': step '{}' is {} and has no outputs", name,
                                found->first.value, to_string(status)));
            const std::string_view path = end == rest.size() ? "" : rest.substr(end + 1);
            if (const Json* value = descend(&found->second.outputs, path)) return *value;
            return invalid(fmt::format("template '{{{{ {} }}}}': step '{}' has no such output",
                                       name, found->first.value));
        }
        return invalid(fmt::format("template '{{{{ {} }}}}' names no step of this run", name));
    }

    const RunState& state_;
};

}  // namespace

Result<Json> resolve_templates(const RunState& state, const Json& arguments) {
    return Resolver(state).resolve(arguments);
}

}  // namespace lifeboat::runbook

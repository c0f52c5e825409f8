#include "core/plan/templates.h"

#include <fmt/core.h>

#include "platform/base/text.h"

namespace lifeboat::plan {

bool has_template(std::string_view text) { return text.contains("{{"); }

Result<std::vector<std::string>> template_names(std::string_view text) {
    std::vector<std::string> names;
    for (std::size_t at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at)) {
        const std::size_t end = text.find("}}", at);
        if (end == std::string_view::npos)
            return invalid("a template has no end", "Close it with }}.");
        const std::string_view inner = trim(text.substr(at + 2, end - at - 2));
        if (inner.empty())
            return invalid("a template names nothing", "Write, for example, {{ database.port }}.");
        names.emplace_back(inner);
        at = end + 2;
    }
    return names;
}

}  // namespace lifeboat::plan

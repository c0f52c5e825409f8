#include "providers/postgres/history.h"

#include <fmt/core.h>

#include "platform/base/text.h"

namespace lifeboat::postgres {

std::optional<Lsn> History::end_of(Timeline branch) const {
    if (branch == timeline) return ~Lsn{0};
    for (const Ancestor& ancestor : ancestors)
        if (ancestor.timeline == branch) return ancestor.end;
    return std::nullopt;
}

std::vector<Timeline> History::path() const {
    std::vector<Timeline> all;
    for (const Ancestor& ancestor : ancestors) all.push_back(ancestor.timeline);
    all.push_back(timeline);
    return all;
}

Result<History> parse_history(Timeline timeline, std::string_view text) {
    History history{timeline, {}};
    const auto bad = [&](std::string_view line) {
        return corrupt(fmt::format("history of timeline {}: unreadable line '{}'", timeline, line));
    };
    for (const std::string_view line : split(text, '\n')) {
        const std::string_view content = trim(line);
        if (content.empty() || content.front() == '#') continue;
        const auto first = content.find_first_of(" \t");
        if (first == std::string_view::npos) return bad(content);
        const auto branch = parse_integer(content.substr(0, first));
        const std::string_view rest = trim(content.substr(first));
        const auto end = parse_lsn(rest.substr(0, rest.find_first_of(" \t")));
        if (!branch || *branch <= 0 || *branch >= timeline || !end.has_value()) return bad(content);
        if (!history.ancestors.empty()) {
            const Ancestor& before = history.ancestors.back();
            if (*branch <= before.timeline || *end < before.end) return bad(content);
        }
        history.ancestors.push_back({static_cast<Timeline>(*branch), *end});
    }
    if (history.ancestors.empty() && timeline != 1)
        return corrupt(fmt::format("history of timeline {} names no ancestor", timeline));
    return history;
}

}  // namespace lifeboat::postgres

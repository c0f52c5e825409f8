#include "providers/contract/marks.h"

#include "platform/base/text.h"

namespace lifeboat::providers {
namespace {

constexpr std::size_t environ_max = std::size_t{4} << 20U;

/// A variable of an environment in the form of /proc: entries end in a zero byte.
std::string value_of(std::string_view environ, std::string_view name) {
    for (const std::string_view entry : split(environ, '\0'))
        if (entry.starts_with(name) && entry.substr(name.size()).starts_with('='))
            return std::string(entry.substr(name.size() + 1));
    return {};
}

bool is_older(const ProcessIdentity& left, const ProcessIdentity& right) {
    return std::pair(left.start_ticks, left.pid) < std::pair(right.start_ticks, right.pid);
}

}  // namespace

Result<std::vector<MarkedProcess>> marked_processes(Environment& environment) {
    std::map<std::pair<std::string, std::string>, ProcessIdentity> leaders;
    const std::vector<std::string> names = TRY(environment.files.list("/proc"));
    for (const std::string& name : names) {
        const auto pid = parse_integer(name);
        if (!pid) continue;
        const auto bytes =
            read_file(environment.files, Path("/proc") / name / "environ", environ_max);
        if (!bytes.has_value()) continue;  // gone, or somebody else's
        std::string token = value_of(as_text(*bytes), mark_token);
        if (token.empty()) continue;
        const auto identity = environment.processes.identify(*pid);
        if (!identity.has_value()) continue;  // ended meanwhile
        auto [known, added] = leaders.emplace(
            std::pair(std::move(token), value_of(as_text(*bytes), mark_service)), *identity);
        if (!added && is_older(*identity, known->second)) known->second = *identity;
    }
    std::vector<MarkedProcess> found;
    for (const auto& [marks, identity] : leaders)
        found.push_back({.identity = identity, .token = marks.first, .service = marks.second});
    return found;
}

}  // namespace lifeboat::providers

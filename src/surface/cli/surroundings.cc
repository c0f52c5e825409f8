#include "surface/cli/surroundings.h"

#include <deque>

namespace lifeboat::cli {
namespace {

constexpr unsigned links_max = 40;  // as the system counts them: more are a circle

Path absolute_of(const Path& path) {
    std::error_code problem;
    Path absolute = std::filesystem::absolute(path, problem);
    return problem ? path : absolute;
}

}  // namespace

Path without_links(Files& files, const Path& path) {
    std::deque<Path> rest(path.begin(), path.end());
    Path found = "/";
    unsigned links = 0;
    while (!rest.empty()) {
        const Path part = rest.front();
        rest.pop_front();
        if (part.empty() || part == "." || part == "/") continue;
        if (part == "..") {
            found = found.parent_path();
            continue;
        }
        const Path here = found / part;
        const auto status = files.status(here);
        const bool is_link = status.has_value() && status->type == FileType::symlink;
        if (is_link && ++links <= links_max) {
            if (const auto target = files.read_symlink(here); target.has_value()) {
                if (target->is_absolute()) found = "/";
                rest.insert(rest.begin(), target->begin(), target->end());
                continue;
            }
        }
        found = here;
    }
    return found;
}

readiness::Surroundings surroundings_of(Session& session, const plan::Plan& plan) {
    Files& files = session.environment().files;
    readiness::Surroundings around;
    around.state = without_links(files, absolute_of(session.state_path())).string();
    const auto add = [&](const std::string& path) {
        if (path.empty()) return;
        const Path full = Path(path).is_absolute() ? Path(path) : Path(plan.directory) / path;
        around.paths.emplace(path, without_links(files, absolute_of(full)).string());
    };
    if (plan.vault) {
        add(plan.vault->directory);
        add(plan.vault->key);
    }
    for (const plan::Site& site : plan.sites)
        if (const auto local = site.platforms.find("local"); local != site.platforms.end())
            add(string_or(*local, "directory", ""));
    for (const plan::Component& component : plan.components)
        add(string_or(component.settings, "data_directory", ""));
    return around;
}

}  // namespace lifeboat::cli

// Rules about what a recovery lives on, and what it must not be lost together with.

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>

#include "core/readiness/rule_tools.h"
#include "platform/base/text.h"

namespace lifeboat::readiness {
namespace {

using plan::DiagnosticLevel;

// --- names

/// The host of a URL, of an address of mail, or of a name with or without a port.
std::string_view host_of(std::string_view url) {
    if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos)
        url.remove_prefix(scheme + 3);
    url = url.substr(0, url.find_first_of("/?#"));
    if (const std::size_t user = url.rfind('@'); user != std::string_view::npos)
        url.remove_prefix(user + 1);
    url = url.substr(0, url.find(':'));
    while (url.ends_with('.')) url.remove_suffix(1);
    return url;
}

/// What is registered, of a URL's host or a name: "example.com", "example.co.uk".
std::string domain_of(std::string_view url) {
    constexpr std::array<std::string_view, 7> seconds{"co", "com", "org", "net",
                                                      "ac", "gov", "edu"};
    const std::string host = to_lower(host_of(url));
    if (host.find_first_not_of("0123456789.") == std::string::npos) return {};
    const std::vector<std::string_view> labels = split(host, '.');
    if (labels.size() < 2 || std::ranges::any_of(labels, &std::string_view::empty)) return {};
    const std::size_t size = labels.size();
    const bool of_country = labels[size - 1].size() == 2 && size > 2 &&
                            std::ranges::find(seconds, labels[size - 2]) != seconds.end();
    const std::size_t kept = of_country ? 3 : 2;
    return join(
        std::vector<std::string>(labels.end() - static_cast<std::ptrdiff_t>(kept), labels.end()),
        ".");
}

/// Names that stand under one domain, with the place of the first.
struct Under {
    std::vector<std::string> names;
    plan::Position at;

    void add(const std::string& name, plan::Position place) {
        if (std::ranges::find(names, name) == names.end()) names.push_back(name);
        if (at.line == 0) at = place;
    }
};

/// What people look at or are reached by during a disaster, under a name that it takes down.
class Domains {
public:
    Domains(const plan::Plan& plan, std::vector<Finding>& found) : plan_(plan), found_(found) {}

    void find() {
        protect();
        if (whose_.empty()) return;
        look_at_pages();
        look_at_people();
        for (const std::string& domain : order_) tell(domain);
    }

private:
    void protect() {
        for (const plan::Component& component : plan_.components) {
            if (component.kind == "git") continue;  // fetched from, not protected
            for (const char* key : {"url", "record", "zone"}) {
                const std::string domain = domain_of(string_or(component.settings, key, ""));
                if (!domain.empty() && whose_.emplace(domain, component.name).second)
                    order_.push_back(domain);
            }
        }
    }

    void look(std::map<std::string, Under>& list, const std::string& name, const std::string& url,
              plan::Position place) const {
        const std::string domain = domain_of(url);
        if (whose_.contains(domain)) list[domain].add(name, place);
    }

    void look_at_pages() {
        for (const plan::Channel& channel : plan_.channels)
            for (const char* key : {"url", "server"})
                look(pages_, channel.name, string_or(channel.settings, key, ""), channel.at);
        look(pages_, "status-page", string_or(plan_.status_page, "url", ""),
             place_of(plan_.key_at, "status_page", {}));
        for (const plan::Link& link : plan_.links) look(pages_, link.name, link.url, link.at);
    }

    void look_at_people() {
        for (const plan::Person& person : plan_.people)
            if (person.email.contains('@'))
                look(people_, person.name, person.email,
                     place_of(person.key_at, "email", person.at));
        for (const plan::Channel& channel : plan_.channels) {
            const auto to = channel.settings.find("to");
            if (to == channel.settings.end() || !to->is_array()) continue;
            for (const Json& address : *to)
                if (address.is_string())
                    look(people_, channel.name, address.get<std::string>(), channel.at);
        }
    }

    void tell(const std::string& domain) {
        const std::string& whose = whose_.at(domain);
        if (const auto found = pages_.find(domain); found != pages_.end())
            found_.push_back(
                {.at = found->second.at,
                 .message = fmt::format("{} {} under {}, like {}, which is protected here",
                                        listed(found->second.names),
                                        found->second.names.size() == 1 ? "stands" : "stand",
                                        domain, whose),
                 .note = "when that name does not resolve, neither do these"});
        if (const auto found = people_.find(domain); found != people_.end())
            found_.push_back(
                {.at = found->second.at,
                 .message = fmt::format("mail to {} goes to {}, like {}, which is protected here",
                                        listed(found->second.names), domain, whose),
                 .note = "when that name does not resolve, it does not arrive",
                 .mend = "an address of another provider, and a phone."});
    }

    const plan::Plan& plan_;
    std::vector<Finding>& found_;
    std::map<std::string, std::string> whose_;  ///< domain -> component
    std::vector<std::string> order_;            ///< of domains, as the plan names them
    std::map<std::string, Under> pages_, people_;
};

// --- folders

/// Without ".", "..", and what stands twice: one folder has one name.
std::string normal(std::string_view path) {
    std::vector<std::string> parts;
    for (const std::string_view part : split(path, '/')) {
        if (part.empty() || part == ".") continue;
        if (part == ".." && !parts.empty() && parts.back() != "..")
            parts.pop_back();
        else if (part != ".." || !path.starts_with('/'))
            parts.emplace_back(part);
    }
    return (path.starts_with('/') ? "/" : "") + join(parts, "/");
}

bool lies_in(const std::string& path, const std::string& folder) {
    if (folder == "/") return path.starts_with('/');
    if (folder.empty()) return !path.starts_with('/') && !path.starts_with("..");
    return path == folder || path.starts_with(folder + "/");
}

struct Thing {
    std::string what;
    std::string path;
    plan::Position at;  ///< no line: nowhere in the plan
    /// The innermost of what it lies in; "" = in nothing that is protected here.
    std::string owner{}, folder{};
    plan::Position owner_at{};
};

/// Vault, key and state, seen from the folders of what they are for.
void inside_folders(const Subject& subject, std::vector<Finding>& found) {
    const plan::Plan& plan = subject.plan;
    const auto real = [&](const std::string& path) {
        const auto known = subject.around.paths.find(path);
        return known == subject.around.paths.end() ? normal(path) : normal(known->second);
    };
    std::vector<Thing> things;
    if (plan.vault && !plan.vault->directory.empty())
        things.push_back({"the vault", real(plan.vault->directory), plan.vault->at});
    if (plan.vault && !plan.vault->key.empty())
        things.push_back({"the vault's key", real(plan.vault->key), plan.vault->at});
    if (!subject.around.state.empty())
        things.push_back({"Lifeboat's own state", normal(subject.around.state), {}});
    const auto look = [&](const std::string& written, const std::string& owner, plan::Position at) {
        if (written.empty()) return;
        const std::string folder = real(written);
        for (Thing& thing : things) {
            const bool closer = thing.owner.empty() || folder.size() > thing.folder.size();
            if (!closer || !lies_in(thing.path, folder)) continue;
            thing.owner = owner;
            thing.folder = folder;
            thing.owner_at = at;
        }
    };
    for (const plan::Site& site : plan.sites)
        if (const auto local = site.platforms.find("local"); local != site.platforms.end())
            look(string_or(*local, "directory", ""), "site " + site.name, site.at);
    for (const plan::Component& component : plan.components)
        look(string_or(component.settings, "data_directory", ""), component.name,
             place_of(component.setting_at, "data_directory", component.at));
    for (const Thing& thing : things) {
        if (thing.owner.empty()) continue;
        const bool planned = thing.at.line != 0;
        found.push_back({.at = planned ? thing.at : thing.owner_at,
                         .message = fmt::format("{} lies inside {}", thing.what, thing.owner),
                         .note = "it is lost together with what it is for",
                         .mend = planned ? "another disk, better another machine."
                                         : "--state on another disk, better another machine."});
    }
    if (plan.vault && !plan.vault->directory.empty() && !plan.vault->key.empty() &&
        lies_in(real(plan.vault->key), real(plan.vault->directory)))
        found.push_back({.at = plan.vault->at,
                         .message = "the vault's key lies inside the vault",
                         .note = "who takes the vault can open it; who loses it has lost both",
                         .mend = "another disk, better another machine."});
}

void lifeline_inside(const Subject& subject, std::vector<Finding>& found) {
    inside_folders(subject, found);
    Domains(subject.plan, found).find();
}

}  // namespace

std::vector<Rule> lifeline_rules() {
    return {
        {.id = "lifeline-inside",
         .level = DiagnosticLevel::warning,
         .theme = "Upkeep",
         .finds = "What a recovery needs (vault, key, Lifeboat's state, status page, runbooks, "
                  "contacts) lives inside what it protects.",
         .reason = "It is lost by the same disaster, at the moment when it is needed. Folders are "
                   "compared by where they lead, through links, too; names by the domain.",
         .mend = "another domain, provider, disk or machine.",
         .find = lifeline_inside},
    };
}

}  // namespace lifeboat::readiness

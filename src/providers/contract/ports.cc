#include <fmt/core.h>

#include "platform/base/text.h"
#include "providers/contract/local_site.h"

namespace lifeboat::providers {
namespace {

constexpr std::size_t holders_shown = 8;

Path ports_directory(const LocalSite& site) { return site.directory / "ports"; }

/// Who holds which port, from the reservation files: one line each, the token.
Result<std::map<std::uint16_t, std::string>> reservations(Environment& environment,
                                                          const LocalSite& site) {
    std::map<std::uint16_t, std::string> held;
    auto names = environment.files.list(ports_directory(site));
    if (!names.has_value()) {
        if (names.error().kind == ErrorKind::not_found) return held;
        return std::move(names).error();
    }
    for (const std::string& name : *names) {
        const auto port = parse_integer(name);
        if (!port || *port < 1 || *port > 65535) continue;
        auto text = read_file(environment.files, ports_directory(site) / name, 4096);
        if (!text.has_value()) {
            if (text.error().kind == ErrorKind::not_found) continue;  // released meanwhile
            return std::move(text).error();
        }
        held[static_cast<std::uint16_t>(*port)] = std::string(trim(as_text(*text)));
    }
    return held;
}

std::optional<std::uint16_t> port_of(const std::map<std::uint16_t, std::string>& held,
                                     const std::string& token) {
    for (const auto& [port, holder] : held)
        if (holder == token) return port;
    return std::nullopt;
}

/// Writes the reservation under another name and links it: it is there whole or not at all.
/// False when somebody else was quicker.
Result<bool> take(Environment& environment, const LocalSite& site, std::uint16_t port,
                  const std::string& token) {
    Files& files = environment.files;
    const Path directory = ports_directory(site);
    const Path draft = directory / ("." + environment.random.hex(8));
    auto file = TRY(files.open(draft, OpenMode::create));
    TRY(file->append(as_bytes(token + "\n")));
    TRY(file->sync());
    file.reset();
    auto linked = files.link(draft, directory / std::to_string(port));
    TRY(files.remove(draft));
    if (!linked.has_value()) {
        if (linked.error().kind == ErrorKind::conflict) return false;
        return std::move(linked).error();
    }
    TRY(files.sync_directory(directory));
    return true;
}

Error all_taken(const LocalSite& site, const std::map<std::uint16_t, std::string>& held) {
    std::vector<std::string> shown;
    for (const auto& [port, holder] : held) {
        if (shown.size() == holders_shown) break;
        shown.push_back(fmt::format("{} by {}", port, holder));
    }
    const std::string who =
        shown.empty() ? "no reservation; others listen there" : "reserved: " + join(shown, ", ");
    return exhausted(fmt::format("site '{}' has no free port from {} to {} ({})", site.name,
                                 site.port_first, site.port_last, who),
                     fmt::format("Widen the range `ports:` of the site, or remove reservations "
                                 "that nobody needs from {}.",
                                 ports_directory(site).string()));
}

}  // namespace

Result<std::optional<std::uint16_t>> reserved_port(Environment& environment, const LocalSite& site,
                                                   const std::string& token) {
    const auto held = TRY(reservations(environment, site));
    return port_of(held, token);
}

Result<std::uint16_t> reserve_port(Environment& environment, const LocalSite& site,
                                   const std::string& token) {
    TRY(make_site_directory(environment, site));
    TRY(make_durable_directory(environment.files, ports_directory(site)));
    const auto held = TRY(reservations(environment, site));
    if (const auto own = port_of(held, token)) {
        // A crash may have come between the link and its sync.
        TRY(environment.files.sync_directory(ports_directory(site)));
        return *own;
    }
    for (unsigned number = site.port_first; number <= site.port_last; ++number) {
        const auto port = static_cast<std::uint16_t>(number);
        if (held.contains(port) || site.planned.contains(port)) continue;
        const bool free = TRY(environment.network.is_free(Endpoint{"127.0.0.1", port}));
        if (!free) continue;
        const bool taken = TRY(take(environment, site, port, token));
        if (taken) return port;
    }
    return all_taken(site, held);
}

Result<std::uint16_t> reserve_free_port(Environment& environment, const LocalSite& site,
                                        const std::string& token) {
    const auto own = TRY(reserved_port(environment, site, token));
    if (own && !TRY(environment.network.is_free(Endpoint{"127.0.0.1", *own})))
        TRY(release_port(environment, site, token));
    return reserve_port(environment, site, token);
}

Result<void> release_port(Environment& environment, const LocalSite& site,
                          const std::string& token) {
    const auto port = TRY(reserved_port(environment, site, token));
    if (!port) return ok();
    auto removed = environment.files.remove(ports_directory(site) / std::to_string(*port));
    if (!removed.has_value() && removed.error().kind != ErrorKind::not_found)
        return std::move(removed).error();
    return environment.files.sync_directory(ports_directory(site));
}

}  // namespace lifeboat::providers

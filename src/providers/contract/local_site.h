#pragma once
/// A site on this machine: a directory and a range of ports. Shared by the providers that run
/// servers and services here.

#include <string>

#include "platform/env/environment.h"
#include "providers/contract/provider.h"

namespace lifeboat::providers {

struct LocalSite {
    std::string name;
    Path directory;  ///< absolute
    std::uint16_t port_first = 0, port_last = 0;
    std::string run_as;  ///< user for servers that refuse root; "" = default ("postgres" when root)
};

/// The `local:` platform of a site. Errors: invalid (none, or wrong), naming site and setting.
Result<LocalSite> local_site(const plan::Plan& plan, const std::string& site,
                             const Path& plan_directory);

/// A free port of the site's range for whoever holds `token`. Durable and stable: a second call
/// with the same token gives the same port while its reservation file stands in <directory>/ports/.
/// The preferred port is taken when free. Errors: exhausted (names range and who holds what).
Result<std::uint16_t> reserve_port(Environment& environment, const LocalSite& site,
                                   const std::string& token);
Result<void> release_port(Environment& environment, const LocalSite& site,
                          const std::string& token);

/// `settings` with "{{ component.key }}" filled from the instances (settings, identity, host,
/// port). Errors: invalid, naming the template.
Result<Json> resolve_settings(const Json& settings,
                              const std::map<std::string, Instance>& instances);

}  // namespace lifeboat::providers

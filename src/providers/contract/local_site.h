#pragma once
/// A site on this machine: a directory and a range of ports. Shared by the providers that run
/// servers and services here.
///
/// In the plan: `local: {directory: primary, ports: 15500-15599, run_as: postgres}`; a relative
/// directory stands in the plan's folder. Thread-safe; several processes may reserve at once.

#include <set>
#include <string>

#include "platform/env/environment.h"
#include "providers/contract/provider.h"

namespace lifeboat::providers {

struct LocalSite {
    std::string name;
    Path directory;  ///< absolute
    std::uint16_t port_first = 0, port_last = 0;
    std::string run_as;  ///< user for servers that refuse root; "" = default ("postgres" when root)
    /// Ports that the plan itself gives to components here: never reserved for others, so that a
    /// restored instance does not stand where the old one would come back.
    std::set<std::uint16_t> planned;
};

/// The `local:` platform of a site. Errors: invalid (none, or wrong), naming site and setting.
Result<LocalSite> local_site(const plan::Plan& plan, const std::string& site,
                             const Path& plan_directory);

/// Makes a directory and its missing parents. Durable: each name in its parent.
Result<void> make_durable_directory(Files& files, const Path& directory,
                                    std::uint32_t permissions = 0755);

/// Makes the site's directory, open to be passed through by the users that servers run as.
Result<void> make_site_directory(Environment& environment, const LocalSite& site);

/// A free port of the site's range for whoever holds `token`: of those that nobody has reserved,
/// the plan gives to nobody, and nobody listens on. Durable and stable: a second call with the same
/// token gives the same port while its reservation file stands in <directory>/ports/.
/// Errors: exhausted (names range and who holds what).
Result<std::uint16_t> reserve_port(Environment& environment, const LocalSite& site,
                                   const std::string& token);
/// The same, for who does not listen there yet: a reserved port that somebody else has taken
/// meanwhile (a reservation binds only who looks at it) is given up for another one.
Result<std::uint16_t> reserve_free_port(Environment& environment, const LocalSite& site,
                                        const std::string& token);
/// The port that this token holds, if any. Changes nothing.
Result<std::optional<std::uint16_t>> reserved_port(Environment& environment, const LocalSite& site,
                                                   const std::string& token);
/// Success when the token holds none.
Result<void> release_port(Environment& environment, const LocalSite& site,
                          const std::string& token);

/// `settings` with "{{ component.key }}" filled, in texts at any depth: `host`, `port`, `endpoint`,
/// `name`, `site` of the instance, else a member of its settings, else of its identity. A text that
/// is nothing but one template takes over the value's type. Callers add what else may be named
/// (`self`, `site`, `run`) as instances of these names. Errors: invalid, naming the template.
Result<Json> resolve_settings(const Json& settings,
                              const std::map<std::string, Instance>& instances);

/// The value of one template without its braces: "database.host". Errors: invalid.
Result<Json> template_value(std::string_view name,
                            const std::map<std::string, Instance>& instances);

/// An instance that only carries values for templates: scope("run", {{"id", …}}).
Instance template_scope(std::string name, Json values);

/// Where a verb acts: at the `site:` that the step names, else where the subject stands.
std::string acting_site(const VerbCall& call);

/// What the component is set to at a site: its settings, with what differs there.
Json settings_at(const plan::Component& component, const std::string& site);

/// The plain text of a setting that may be a secret reference; what is none is taken as it stands.
/// Errors: those of SecretResolver.
Result<std::string> reveal(const SecretResolver& secrets, const std::string& value);

}  // namespace lifeboat::providers

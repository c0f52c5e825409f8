#pragma once
/// One service at one site as the plan wants it: where its records lie, what each replica runs.
///
/// Read from the plan, never from a recorded instance: a changed plan is in force at the next step.
/// Values: immutable after service_of().

#include <map>
#include <set>
#include <string>
#include <vector>

#include "providers/contract/local_site.h"

namespace lifeboat::providers::process {

struct Service {
    const plan::Component* component = nullptr;
    LocalSite site;
    std::string scope;  ///< of a drill; "" outside
    Path directory;     ///< its records: <site>/run/<component>, in a drill <component>@<scope>
    Path logs;          ///< <site>/log
    Json settings = Json::object();
    unsigned replicas = 1;
    bool ports_automatic = false;
    std::vector<std::uint16_t> ports;  ///< as written; by replica
    Duration stop_timeout{}, ready_within{};
    std::uint64_t log_limit = 0;
    std::string unit;                        ///< systemd's, then nothing below applies
    std::map<std::string, Instance> values;  ///< for templates, without `self`

    std::string name() const;  ///< "shop at dr", for messages
    /// Who holds the port of a replica in the site's reservations.
    std::string port_token(unsigned replica) const;
    Path log(unsigned replica) const;
};

/// Errors: invalid (site or settings).
Result<Service> service_of(const Services& services, const VerbCall& call);
Result<Service> service_of(const Services& services, const Target& target);

/// Templates filled for one replica: `self.port`, `self.replica` and the rest.
Result<Json> fill(const Service& service, const Json& value, unsigned replica, std::uint16_t port);

/// What one replica runs, secrets resolved: only ever handed to the kernel.
struct Launch {
    Command command;
    std::string configuration;  ///< canonical text of all that matters, for a digest; holds secrets
};
/// Errors: invalid, not_found or denied (secret, user).
Result<Launch> launch_of(const Services& services, const Service& service, unsigned replica,
                         std::uint16_t port);

/// The command and the environment as they may be shown: references instead of secrets.
std::string shown_command(const Service& service, unsigned replica, std::uint16_t port);

}  // namespace lifeboat::providers::process

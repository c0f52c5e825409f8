#pragma once
/// The verbs of the kind `http`. Functions; thread-safe.

#include "providers/contract/provider.h"
#include "providers/probe/check.h"

namespace lifeboat::providers::web {

/// Where the checks of a component look: its URL, and host and port of it.
probe::Place place_of(const Services& services, const Json& settings);
/// Its health (and verify) checks; when it has none, that its URL answers without a server error.
std::vector<plan::Check> checks_of(const plan::Component& component, bool verify);

/// Tries until all checks pass. Errors: unavailable (which did not, and why).
Result<Json> smoke(const Context& context, const Services& services, const VerbCall& call);

/// A proxy's targets as they shall be.
struct Redirection {
    std::string admin;  ///< the whole URL
    std::string site;
    std::vector<std::string> targets;

    bool is_in(const Json& state) const;  ///< the proxy's answer says exactly this
};
/// Errors: invalid, conflict (the component runs at another site).
Result<Redirection> redirection_of(const VerbCall& call);
/// What the proxy says now. Errors: those of http::send; denied, invalid by its status.
Result<Json> read_targets(const Context& context, const Services& services, const VerbCall& call,
                          const Redirection& wanted);
Result<Json> redirect(const Context& context, const Services& services, const VerbCall& call);

/// The verb `http`. Errors by status: denied, not_found, invalid, unavailable, unknown.
Result<Json> request(const Context& context, const Services& services, const VerbCall& call);
/// Sending it twice is the same as once.
bool is_repeatable(const VerbCall& call);

}  // namespace lifeboat::providers::web

#pragma once
/// Looking at a server: its health by the plan's checks, who it really is, and how its protection
/// does.

#include "providers/postgres/identity.h"
#include "providers/probe/check.h"

namespace lifeboat::postgres {

Result<providers::Observation> observe(const Context& context, const Services& services,
                                       const providers::Target& target);

/// `verify:` (or, without any, `health:`) against this instance. Errors: conflict (a check failed:
/// names it), unavailable (it does not answer).
Result<Json> verify(const Context& context, const Services& services, const plan::Plan& plan,
                    const plan::Component& component, const Instance& instance);

probe::Place place_of(const Server& server);

}  // namespace lifeboat::postgres

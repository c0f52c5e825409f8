#pragma once
/// What a look that brought no good answer says of the health of what was looked at. Pure.
///
/// Silence, a refusal to connect and a wrong answer mean that users fare no better: unhealthy. That
/// we were not let in, or could not ask, says nothing: unknown. No disaster is seen in it.

#include "core/watch/match.h"
#include "providers/probe/check.h"

namespace lifeboat::providers {

watch::Health health_of(const probe::CheckResult& result);
/// Of an error on the way to the server.
watch::Health health_of(const Error& error);

}  // namespace lifeboat::providers

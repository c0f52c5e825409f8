#pragma once
/// Processes that carry a mark of Lifeboat's in their environment: what finds a process whose pid
/// was never written down, because Lifeboat was killed right after it began.

#include <map>
#include <string>
#include <vector>

#include "platform/env/environment.h"

namespace lifeboat::providers {

/// The step or record that a process was started for; children inherit it.
constexpr const char* mark_token = "LIFEBOAT_TOKEN";
/// The service and replica that it is.
constexpr const char* mark_service = "LIFEBOAT_SERVICE";

struct MarkedProcess {
    ProcessIdentity identity;
    std::string token, service;
};

/// Live processes with a LIFEBOAT_TOKEN; of those with the same token and service the oldest, which
/// is their leader. Those whose environment is not ours to read are left out.
Result<std::vector<MarkedProcess>> marked_processes(Environment& environment);

}  // namespace lifeboat::providers

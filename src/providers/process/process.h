#pragma once
/// Kind `process`: services on this machine that outlive the command that started them.
///
/// Lifeboat starts and observes; it is no init: nothing restarts a service but a step. Each replica
/// leads a session of its own and is known by pid, start time and boot id, so a reused pid is a
/// stranger and a zombie is dead. Before a replica starts, its record is durable, and the process
/// carries the record's nonce in its environment: what a crash hides, /proc shows. Thread-safe.

#include <memory>

#include "providers/contract/provider.h"

namespace lifeboat::providers {

std::unique_ptr<Provider> make_process_provider(Services& services);

}  // namespace lifeboat::providers

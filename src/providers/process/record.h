#pragma once
/// What is known of a replica: a durable record, and the process that carries its nonce.
///
/// A record is written before its process starts and completed after. A process whose record was
/// not completed (a crash in between) or is lost is found by its environment: LIFEBOAT_SERVICE
/// names service and replica, LIFEBOAT_TOKEN the record's nonce. Values and functions; thread-safe.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "providers/process/service.h"

namespace lifeboat::providers::process {

struct Record {
    unsigned replica = 0;
    std::string nonce;         ///< the process carries it
    std::string token;         ///< of the step that started it
    std::string salt, digest;  ///< of the configuration: never its values
    std::uint16_t port = 0;    ///< 0 = none
    std::optional<ProcessIdentity> identity;
    Instant started{};
};

/// A record with what is true of it now.
struct Replica {
    Record record;
    std::optional<ProcessIdentity> alive;  ///< the process, when it lives
};

/// Records of all replicas, by number, with their processes. Errors: corrupt, denied.
Result<std::map<unsigned, Replica>> look_up(Environment& environment, const Service& service);

/// Live processes that say they are of this service, leaders of their sessions, though no record
/// names them: what a lost directory left behind.
Result<std::vector<ProcessIdentity>> strays(Environment& environment, const Service& service,
                                            const std::map<unsigned, Replica>& known);

/// Durable.
Result<void> save(Environment& environment, const Service& service, const Record& record);
Result<void> forget(Environment& environment, const Service& service, unsigned replica);

std::string digest_of(const Record& record, const std::string& configuration);
/// LIFEBOAT_SERVICE of a replica.
std::string mark_of(const Service& service, unsigned replica);

/// Why a service must not run: `isolated` or `fenced`; and how many replicas somebody scaled it to.
struct Standing {
    std::string kept_down;  ///< "isolated", "fenced", or ""
    std::string by;         ///< the token of the step that said so
    std::optional<unsigned> replicas;
};
Result<Standing> standing(Environment& environment, const Service& service);
Result<void> keep_down(Environment& environment, const Service& service, const std::string& how,
                       const std::string& token);
Result<void> let_up(Environment& environment, const Service& service);
Result<void> keep_replicas(Environment& environment, const Service& service, unsigned replicas);

}  // namespace lifeboat::providers::process

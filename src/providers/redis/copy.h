#pragma once
/// A verification's copy of a Redis server, as its exams see it. Internal to prove. Not
/// thread-safe.

#include "providers/redis/server.h"

namespace lifeboat::redis {

struct Copy {
    const providers::Services& services;
    const providers::ProofCall& call;
    Address address;
    vault::Point point;
    Client client;
    /// Keys by type, of each database; filled by the first exam.
    std::map<std::string, std::map<std::string, std::uint64_t>> types;
    std::map<std::string, std::uint64_t> expiring;  ///< keys with an expiry, by database
    std::uint64_t overdue = 0;                      ///< of these: beyond it, and still there
    std::string digest;
};

/// Counts the copy's keys and compares them with the point's.
Result<providers::Exam> examine_types(const Context& context, Copy& copy);
Result<providers::Exam> examine_expiries(const Context& context, Copy& copy);
/// The whole copy's digest, kept; a sample of its values against the source, if that stood still.
Result<providers::Exam> examine_digest(const Context& context, Copy& copy);

}  // namespace lifeboat::redis

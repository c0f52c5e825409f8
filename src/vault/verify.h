#pragma once
/// Verifying a vault (see Vault::verify).

#include "vault/history.h"
#include "vault/log.h"

namespace lifeboat::vault {

Result<VerifyReport> verify_vault(Access& access, History& history, LogCatalog& logs,
                                  const crypto::Key& root, const Context& context, bool deep,
                                  const Progress& progress);

/// The stretch of its component's log without which a point is no use, from its facts.
struct LogNeed {
    std::string lineage;
    std::uint32_t branch = 0;
    std::uint64_t from = 0, to = 0;
};
std::optional<LogNeed> log_need(const Point& point);

}  // namespace lifeboat::vault

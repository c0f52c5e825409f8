#pragma once
/// What the vault holds of one cluster: base backups, WAL per timeline, histories; and how far one
/// gets with them. Loading looks into the vault, the rest is pure.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "providers/contract/proofs.h"
#include "providers/postgres/history.h"
#include "vault/vault.h"

namespace lifeboat::postgres {

/// A base backup.
struct Base {
    vault::Point point;
    std::uint64_t system_identifier = 0;
    Timeline timeline = 0;
    Lsn start = 0, stop = 0;
    std::uint32_t segment_size = 0;
    std::vector<providers::Verdict> verdicts;  ///< of its verifications, oldest first

    /// The verification that speaks against restoring it up to `end`: a difference was found at or
    /// before that position, and no later verification went further without one.
    const providers::Verdict* against(Lsn end) const;
};

struct Holdings {
    std::string component;
    std::uint64_t system_identifier = 0;
    std::uint32_t segment_size = 16U << 20U;
    std::vector<Base> bases;                    ///< oldest first
    std::map<Timeline, vault::LogStatus> logs;  ///< per timeline
    std::map<Timeline, History> histories;      ///< of timelines above 1

    bool empty() const { return bases.empty() && logs.empty(); }
    /// The history of a timeline; that of timeline 1 is always known.
    std::optional<History> history(Timeline timeline) const;
    /// The newest timeline that holds anything and whose history is known.
    std::optional<History> tip() const;
};

/// How far WAL is unbroken.
struct Reach {
    Timeline timeline = 0;   ///< where it ends
    Lsn until = 0;           ///< unbroken up to here
    bool complete = false;   ///< it is the newest that the vault holds on this path
    std::string stopped_by;  ///< why it goes no further; "" when complete
};
/// Follows the WAL from `from` on `timeline` towards the end of `path`.
Reach reach(const Holdings& holdings, const History& path, Timeline timeline, Lsn from);

/// Name of the document that keeps a timeline's history: "pg/<system identifier>/00000002.history".
std::string history_document(std::uint64_t system_identifier, Timeline timeline);

/// What the vault holds of the component's cluster with this identifier; without one, of the
/// cluster with the newest backup or WAL. Errors: those of the vault.
Result<Holdings> load_holdings(vault::Vault& vault, const std::string& component,
                               std::optional<std::uint64_t> system_identifier);

}  // namespace lifeboat::postgres

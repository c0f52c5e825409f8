#pragma once
/// Where a restore goes: from "latest", a time, an LSN, a label or a point to one exact position,
/// the base backup to begin with, and the WAL in between, all of which the vault is known to hold.
/// Refuses otherwise, saying what is possible. Decides only; what it needs of the logs comes
/// through WalIndex.

#include <optional>
#include <string>
#include <vector>

#include "providers/contract/provider.h"
#include "providers/postgres/holdings.h"

namespace lifeboat::postgres {

/// Questions to the logs of one cluster.
class WalIndex {
public:
    virtual ~WalIndex() = default;
    /// The last mark at or before `time`.
    virtual Result<std::optional<vault::Mark>> mark_before(Timeline timeline, Instant time) = 0;
    virtual Result<std::optional<vault::Mark>> mark_with_label(Timeline timeline,
                                                               const std::string& label) = 0;
    /// The end of the last whole record that ends at or before `lsn`. Errors: not_found, corrupt.
    virtual Result<Lsn> boundary_at(Timeline timeline, Lsn lsn) = 0;
};

/// A timeline's part of the WAL that is replayed: everything before `end`.
struct Stretch {
    Timeline timeline = 0;
    Lsn end = 0;
    auto operator<=>(const Stretch&) const = default;
};

struct Choice {
    Base base;
    Timeline timeline = 0;           ///< that of the target
    Lsn until = 0;                   ///< replay ends exactly here
    std::optional<Instant> at;       ///< of the last transaction before it, as far as known
    std::vector<Stretch> stretches;  ///< oldest first; the last one ends at `until`
};

/// Whether a base backup may be taken that a verification found bad: only when it, or the exact
/// position, was named; or by another verification, when there is no other.
enum class Bad { refused, accepted };

/// Errors: invalid (`to` is nothing of these), not_found (nothing to restore, no such point),
/// conflict (a gap or a limit is in the way; the hint says what is possible).
Result<Choice> choose(const Holdings& holdings, WalIndex& index, const std::string& to, Instant now,
                      Bad bad = Bad::refused);

/// What one can go back to: every base backup, and the unbroken ranges; the newest range has the id
/// "latest".
Result<std::vector<providers::RecoveryPoint>> list_points(const Holdings& holdings,
                                                          WalIndex& index);

/// The logs in a vault.
class VaultWalIndex final : public WalIndex {
public:
    VaultWalIndex(vault::Vault& vault, const Holdings& holdings)
        : vault_(vault), holdings_(holdings) {}
    Result<std::optional<vault::Mark>> mark_before(Timeline timeline, Instant time) override;
    Result<std::optional<vault::Mark>> mark_with_label(Timeline timeline,
                                                       const std::string& label) override;
    Result<Lsn> boundary_at(Timeline timeline, Lsn lsn) override;

private:
    Result<vault::LogReader*> reader(Timeline timeline);

    vault::Vault& vault_;
    const Holdings& holdings_;
    std::map<Timeline, std::unique_ptr<vault::LogReader>> readers_;
};

}  // namespace lifeboat::postgres

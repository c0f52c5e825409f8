#pragma once
/// Evidence as one file that somebody else can check: every entry with its place in the chain of
/// hashes, and a signature over where the chain ends.
///
/// Format and a verifier of thirty lines: docs/evidence.md. Altering, leaving out, adding or
/// reordering entries breaks the chain or the signature. Pure but for what it reads from `state`.

#include <optional>
#include <string>

#include "core/plan/model.h"
#include "platform/codec/crypto.h"
#include "platform/state/state.h"

namespace lifeboat::engine {

/// The key that signs evidence: derived from the vault's, so that it outlives the state directory
/// and nobody has one more secret to keep. It does not tell the vault's key.
crypto::Key evidence_key(const crypto::Key& vault_key);

/// All evidence in `state`. Errors: corrupt.
Result<Json> export_evidence(State& state, const plan::Plan& plan, const crypto::Key& key,
                             Instant now);

/// What a file that holds together says about itself.
struct ExportSummary {
    std::string plan;
    Instant exported_at{};
    std::size_t entries = 0;
    std::string head;        ///< hash at which the chain ends, hex
    std::string public_key;  ///< hex; to be compared with what one was told
};
/// Checks chain and signature. `pinned`: the public key that it must be signed with. `earlier`: an
/// older export that this one must continue. Errors: corrupt (says what does not fit, and where).
Result<ExportSummary> verify_export(const Json& document,
                                    const std::optional<std::string>& pinned = {},
                                    const Json* earlier = nullptr);

}  // namespace lifeboat::engine

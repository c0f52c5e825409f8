#pragma once
/// Verifies recovery points: has a provider prove one aside, keeps the proof, leaves nothing else.
///
/// What is about to be made is recorded before it is made (record "verification/<component>"), so
/// that the next verification takes away what a killed one has left. Holds the lease
/// "verify/<component>"; `protect`, `backup` and `recover` work beside it. The proof goes, sealed,
/// into the vault beside the points, and as evidence into the state.

#include <string>
#include <vector>

#include "engine/instances.h"
#include "providers/contract/proofs.h"

namespace lifeboat::engine {

struct VerifyRequest {
    std::string component;
    std::string to = "latest";  ///< a point's id, a time, a position
    std::string damage;         ///< test hook, see ProofCall
};

struct Verification {
    std::string id;  ///< "verify-20261123-142733-7f3a"
    std::string component;
    std::string verdict;  ///< "proven", "bad", "undecided"
    std::string why;      ///< what was found; "" when proven
    providers::Proof proof;
    Instant at{};
    Duration took{};
    std::vector<std::string> warnings;  ///< what went wrong beside it
};
Json to_json(const Verification& verification);

/// Proves one point. Always takes away what it made, also when it is stopped.
/// Errors: conflict (somebody verifies this component), exhausted (the disk is too small), those of
/// the provider.
Result<Verification> verify(const Context& context, Workspace& workspace, Instances& instances,
                            const VerifyRequest& request, const providers::ProofSink& sink);

/// Takes away what killed verifications of the plan's components have left; those that are at work
/// are left alone. The components that had something.
Result<std::vector<std::string>> clear_leftovers(const Context& context, Workspace& workspace);

/// How long the last verification of the component took, from what is recorded.
std::optional<Duration> last_verification_took(Workspace& workspace, const std::string& component);

}  // namespace lifeboat::engine

#pragma once
/// The root of a Merkle tree (RFC 6962) over leaves that come one by one, in O(log n) memory. Pure.

#include <vector>

#include "platform/codec/crypto.h"

namespace lifeboat::vault {

class Merkle {
public:
    /// `leaf` is the hash of one leaf.
    void add(const crypto::Digest& leaf);
    crypto::Digest root() const;
    std::uint64_t count() const { return count_; }

private:
    struct Node {
        unsigned level = 0;
        crypto::Digest hash{};
    };
    std::vector<Node> open_;  ///< perfect subtrees, larger ones first
    std::uint64_t count_ = 0;
};

}  // namespace lifeboat::vault

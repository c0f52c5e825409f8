#include "vault/merkle.h"

namespace lifeboat::vault {
namespace {

crypto::Digest join(const crypto::Digest& left, const crypto::Digest& right) {
    Bytes both{std::byte{1}};
    append(both, left);
    append(both, right);
    return crypto::sha256(both);
}

}  // namespace

void Merkle::add(const crypto::Digest& leaf) {
    Node node{0, leaf};
    while (!open_.empty() && open_.back().level == node.level) {
        node = {node.level + 1, join(open_.back().hash, node.hash)};
        open_.pop_back();
    }
    open_.push_back(node);
    ++count_;
}

crypto::Digest Merkle::root() const {
    if (open_.empty()) return crypto::sha256({});
    crypto::Digest hash = open_.back().hash;
    for (auto node = open_.rbegin() + 1; node != open_.rend(); ++node)
        hash = join(node->hash, hash);
    return hash;
}

}  // namespace lifeboat::vault

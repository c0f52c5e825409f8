#pragma once
/// The chain of manifests as it lies in the store: which points there are, what was pruned, what
/// the next manifest must follow. Thread-safe.

#include <map>

#include "platform/task/mutex.h"
#include "vault/access.h"
#include "vault/manifest.h"

namespace lifeboat::vault {

/// What prune has taken out of the chain, so that a hole in it is told from a loss.
struct Pruned {
    std::uint64_t floor = 0;                ///< every sequence up to here is gone
    Digest floor_hash{};                    ///< of the manifest with this sequence
    std::map<std::uint64_t, Digest> above;  ///< those above, with the hash each had
    bool contains(std::uint64_t sequence) const {
        return sequence <= floor || above.contains(sequence);
    }
};

class History {
public:
    explicit History(Access& access) : access_(access) {}

    /// Sequences of the manifests that are there, ascending.
    Result<std::vector<std::uint64_t>> sequences();
    /// Every authentic point, oldest first. Heads are read once and remembered.
    Result<std::vector<Point>> points(std::vector<Finding>* damaged);
    /// The whole manifest, read anew. Errors: not_found, corrupt.
    Result<Manifest> manifest(std::uint64_t sequence);
    Result<Manifest> manifest(const PointId& id);

    /// Gives the manifest the next sequence and its predecessor's hash, and puts it: the point
    /// exists from then on. Errors: exhausted and those of the store; conflict after many lost
    /// races.
    Result<Point> commit(Manifest manifest);

    /// What was pruned. Errors: corrupt.
    Result<Pruned> pruned();
    /// Durable: the new record, which replaces those before.
    Result<void> put_pruned(const Pruned& pruned);

private:
    Result<Point> head(const ObjectInfo& object, std::uint64_t sequence);
    struct Last {
        std::uint64_t sequence = 0;
        Digest hash{};
    };
    Result<Last> last();

    Access& access_;
    Mutex mutex_;
    std::map<std::string, Point> heads_ GUARDED_BY(mutex_);
};

}  // namespace lifeboat::vault

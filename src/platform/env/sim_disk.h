#pragma once
/// The simulated disk below SimFiles: a tree as programs see it, and beside it what would be left
/// after a power cut. Internal to env; not thread-safe.
///
/// Bytes and names become durable apart from each other: a synced file under a name that was not is
/// lost, and so are the bytes of a file whose name alone was synced. A rename is never half done.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "platform/env/files.h"
#include "platform/env/sim_random.h"

namespace lifeboat {

/// A change to a file's bytes that was not synced: `bytes` at `offset`, or a cut at `offset`.
struct SimWrite {
    bool is_truncation = false;
    std::uint64_t offset = 0;
    Bytes bytes;
};

struct SimNode;
using SimNodePtr = std::shared_ptr<SimNode>;
using SimEntries = std::map<std::string, SimNodePtr>;

/// A file, directory or symlink, however many names it has.
struct SimNode {
    FileType type = FileType::regular;
    std::uint32_t mode = 0;
    std::uint32_t owner = 0;
    Instant modified{};
    Bytes bytes;                    ///< as programs see them
    Bytes durable;                  ///< as they are on the disk for certain
    std::vector<SimWrite> pending;  ///< what may or may not be on the disk
    Path target;                    ///< of a symlink
    SimEntries entries;
    SimEntries durable_entries;
    bool locked = false;
};

/// One entry of a directory set to a node, or removed when `node` is null.
struct NameChange {
    SimNodePtr directory;
    std::string name;
    SimNodePtr node;
};
using NameOperation = std::vector<NameChange>;  ///< all or nothing

/// What becomes of the unsynced at a power cut.
enum class Loss {
    seeded,      ///< any outcome that a disk may produce, chosen by the seed
    everything,  ///< nothing unsynced is left
    nothing,     ///< all of it happened to be on the disk
};

class SimDisk {
public:
    SimDisk();

    const SimNodePtr& root() const { return root_; }
    /// The node at `path`; a symlink at its end is followed if asked. Errors: not_found, invalid.
    Result<SimNodePtr> find(std::string_view verb, const Path& path, bool follow) const;
    /// The directory that holds `path`, and the name in it. Errors: as find; conflict for the root.
    struct Place {
        SimNodePtr directory;
        std::string name;
        SimNodePtr node;  ///< null when there is none
    };
    Result<Place> find_place(std::string_view verb, const Path& path, bool follow) const;

    void change_names(NameOperation operation);
    void write(SimNode& node, std::uint64_t offset, ByteView bytes);
    void truncate(SimNode& node, std::uint64_t size);
    void sync(SimNode& node);
    void sync_directory(const SimNodePtr& directory);
    void sync_all();
    /// Bytes of all files that have a name.
    std::uint64_t used() const;
    /// Power cut: the tree is what the disk holds. Every open node is forgotten.
    void lose_unsynced(Loss loss, SeededRandom& random);

private:
    Result<Place> walk(std::string_view verb, const Path& shown, const Path& path, bool follow,
                       int links_left) const;
    void settle_names(Loss loss, SeededRandom& random);

    SimNodePtr root_;
    std::vector<NameOperation> pending_names_;  ///< oldest first
};

}  // namespace lifeboat

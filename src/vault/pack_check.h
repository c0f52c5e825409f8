#pragma once
/// The part of verify that reads packs: each one that a point or the index refers to.
///
/// A damaged pack is read again by way of the points that need it, so that a finding names exactly
/// those that cannot be restored. Garbage of an interrupted backup is left alone. Not thread-safe.

#include <functional>
#include <map>

#include "platform/task/mutex.h"
#include "vault/access.h"
#include "vault/manifest.h"
#include "vault/point_reader.h"

namespace lifeboat::vault {

class PackCheck {
public:
    PackCheck(Access& access, const std::vector<Manifest>& manifests, const Context& context)
        : access_(access), manifests_(manifests), context_(context) {}

    /// `indexed`: packs that the index names. Not deep: only that the packs are there, and their
    /// sizes.
    Result<void> run(const std::map<Digest, PackRef>& indexed, bool deep,
                     const std::function<void(std::uint64_t)>& counted);
    std::vector<Finding> take_findings();
    /// Every writer is told what to avoid from now on, and what is whole again. Errors: of the
    /// store.
    Result<void> mark(bool deep);

private:
    /// Where a chunk really lies, to hold what the points say against.
    struct Place {
        std::uint64_t id = 0;
        std::uint32_t offset = 0;
    };

    Result<void> check_sizes();
    Result<void> read_packs(const std::function<void(std::uint64_t)>& counted);
    Result<void> read_pack(const PackRef& pack);
    Result<void> check_point(const Manifest& manifest, bool deep);
    Result<void> check_extent(const LoadedPoint& point, ChunkSource& source, const Extent& extent,
                              const std::string& path);
    bool uses_damaged(const Manifest& manifest) const;
    void note(const PackRef& pack, const std::string& what, const std::string& affected = "");

    Access& access_;
    const std::vector<Manifest>& manifests_;
    const Context& context_;
    std::map<Digest, PackRef> packs_;
    std::map<Digest, std::string>
        gone_;  ///< packs that are missing or cut off, and what to say of it
    Mutex mutex_;
    std::map<Digest, std::vector<Place>> places_;              ///< of whole packs
    std::map<Digest, std::map<std::string, Finding>> damage_;  ///< by pack and text
};

}  // namespace lifeboat::vault

#include "vault/pack_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>

#include "platform/task/scope.h"
#include "vault/avoid.h"

namespace lifeboat::vault {
namespace {

constexpr unsigned threads = 2;

std::uint64_t id_prefix(const ChunkId& id) { return load_le<std::uint64_t>(id, 0); }

}  // namespace

void PackCheck::note(const PackRef& pack, const std::string& what, const std::string& affected) {
    const MutexLock lock(mutex_);
    Finding& finding = damage_[pack.name][what];
    finding.object = pack_object(pack.name);
    finding.what = what;
    if (!affected.empty() && std::ranges::find(finding.affects, affected) == finding.affects.end())
        finding.affects.push_back(affected);
}

std::vector<Finding> PackCheck::take_findings() {
    std::vector<Finding> findings;
    for (auto& [pack, by_text] : damage_)
        for (auto& [what, finding] : by_text) findings.push_back(std::move(finding));
    return findings;
}

Result<void> PackCheck::run(const std::map<Digest, PackRef>& indexed, bool deep,
                            const std::function<void(std::uint64_t)>& counted) {
    packs_ = indexed;
    for (const Manifest& manifest : manifests_)
        for (const PackRef& pack : manifest.packs) packs_[pack.name] = pack;
    TRY(check_sizes());
    if (deep) TRY(read_packs(counted));
    for (const Manifest& manifest : manifests_) {
        TRY(context_.check("verifying the vault"));
        if (deep || uses_damaged(manifest)) TRY(check_point(manifest, deep));
    }
    return ok();
}

Result<void> PackCheck::check_sizes() {
    for (const auto& [name, pack] : packs_) {
        TRY(context_.check("verifying the vault"));
        const std::string object = pack_object(name);
        auto found = access_.store.status(object);
        if (!found.has_value() && found.error().kind != ErrorKind::not_found)
            return std::move(found).error();
        if (!found.has_value())
            gone_[name] = fmt::format("pack '{}': is missing", object);
        else if (found->size != pack.size)
            gone_[name] = fmt::format("pack '{}': has {} bytes where {} belong", object,
                                      found->size, pack.size);
        if (const auto gone = gone_.find(name); gone != gone_.end()) note(pack, gone->second);
    }
    return ok();
}

Result<void> PackCheck::read_packs(const std::function<void(std::uint64_t)>& counted) {
    std::vector<PackRef> whole;
    for (const auto& [name, pack] : packs_)
        if (!gone_.contains(name)) whole.push_back(pack);
    std::atomic<std::size_t> next = 0;
    TaskScope scope(context_);
    for (unsigned i = 0; i < threads; ++i)
        scope.spawn([&](const Context& context) -> Result<void> {
            for (std::size_t at = next++; at < whole.size(); at = next++) {
                TRY(context.check("verifying the vault"));
                TRY(read_pack(whole[at]));
                const MutexLock lock(mutex_);
                counted(whole[at].size);
            }
            return ok();
        });
    return scope.wait();
}

Result<void> PackCheck::read_pack(const PackRef& pack) {
    auto bytes = access_.store.get(pack_object(pack.name));
    if (!bytes.has_value()) return std::move(bytes).error();
    const bool whole = crypto::sha256(*bytes) == pack.name;
    const auto table = read_pack_table(access_.keys, pack.name, *bytes);
    bool named = false;
    if (table.has_value()) {
        const crypto::Key key = pack_key(access_.keys, pack.salt);
        std::vector<Place> places;
        for (const ChunkEntry& entry : table->entries) {
            const ByteView stored = ByteView(*bytes).subspan(entry.slot.offset, entry.slot.stored);
            auto plain = open_chunk(access_.keys, key, pack, entry, stored);
            if (!plain.has_value()) note(pack, plain.error().message);
            named = named || !plain.has_value();
            places.push_back({id_prefix(entry.id), entry.slot.offset});
        }
        const MutexLock lock(mutex_);
        places_[pack.name] = std::move(places);
    } else {
        note(pack, table.error().message);
        named = true;
    }
    if (!whole && !named)
        note(pack,
             fmt::format("pack '{}': its bytes do not match its name", pack_object(pack.name)));
    return ok();
}

Result<void> PackCheck::mark(bool deep) {
    if (!access_.read_only.empty()) return ok();
    for (const auto& [name, by_text] : damage_) TRY(quarantine(access_, name));
    const auto marked = TRY(access_.store.list("quarantine/"));
    for (const ObjectInfo& object : marked) {
        const auto name = digest_in_name(object.name);
        if (deep && name && packs_.contains(*name) && !damage_.contains(*name))
            TRY(release(access_, *name));
    }
    return ok();
}

bool PackCheck::uses_damaged(const Manifest& manifest) const {
    return std::ranges::any_of(manifest.packs,
                               [&](const PackRef& pack) { return damage_.contains(pack.name); });
}

Result<void> PackCheck::check_point(const Manifest& manifest, bool deep) {
    const std::string& id = manifest.point.id.value;
    auto loaded = load_point(access_, manifest);
    if (!loaded.has_value()) {
        if (loaded.error().kind != ErrorKind::corrupt) return std::move(loaded).error();
        // A tree chunk: found in its pack already, or the tree is wrong as a whole.
        for (const Extent& chunk : manifest.tree) {
            const PackRef& pack = manifest.packs[chunk.pack];
            if (const auto gone = gone_.find(pack.name); gone != gone_.end())
                note(pack, gone->second, id);
            else if (loaded.error().message.find(to_hex(pack.name)) != std::string::npos)
                note(pack, loaded.error().message, id);
            else if (&chunk == &manifest.tree.back() && !uses_damaged(manifest))
                note(pack, loaded.error().message, id);
        }
        return ok();
    }
    ChunkSource source(access_, loaded->manifest.packs);
    const Tree& tree = loaded->tree;
    for (std::size_t i = 0; i < tree.entries.size(); ++i)
        for (const Extent& extent : tree.extents_of(i)) {
            if (extent.zero) continue;
            const PackRef& pack = loaded->manifest.packs[extent.pack];
            if (deep || damage_.contains(pack.name))
                TRY(check_extent(*loaded, source, extent, tree.entries[i].path));
        }
    return ok();
}

Result<void> PackCheck::check_extent(const LoadedPoint& point, ChunkSource& source,
                                     const Extent& extent, const std::string& path) {
    const PackRef& pack = point.manifest.packs[extent.pack];
    const std::string& id = point.manifest.point.id.value;
    if (!damage_.contains(pack.name)) {
        // The pack is whole; then what it holds at that place must be what the point expects there.
        const auto& places = places_[pack.name];
        const std::uint32_t ordinal = extent.slot.ordinal;
        if (ordinal >= places.size() || places[ordinal].id != id_prefix(extent.id) ||
            places[ordinal].offset != extent.slot.offset)
            note(pack,
                 fmt::format("pack '{}': chunk {} is not what point '{}' expects for '{}'",
                             pack_object(pack.name), ordinal, id, path),
                 id);
        return ok();
    }
    auto read =
        source.read({&extent, 1}, ChunkType::data, [](const Extent&, ByteView) { return ok(); });
    if (read.has_value()) return ok();
    if (read.error().kind != ErrorKind::corrupt) return read;
    const auto gone = gone_.find(pack.name);
    note(pack, gone == gone_.end() ? read.error().message : gone->second, id);
    return ok();
}

}  // namespace lifeboat::vault

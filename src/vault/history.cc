#include "vault/history.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "vault/sealed.h"

namespace lifeboat::vault {
namespace {

constexpr std::size_t first_read = 8192;  // the head of a manifest is smaller, as a rule
constexpr int commit_attempts_max = 100;

Result<Digest> digest_from(const std::string& hex) {
    auto raw = from_hex(hex);
    if (!raw.has_value() || raw->size() != 32) return corrupt("not a digest");
    return Decoder(*raw).array<32>();
}

Result<Pruned> parse_pruned(ByteView plain) {
    const Json value = TRY(parse_json(as_text(plain)));
    Pruned pruned;
    pruned.floor = TRY(get_unsigned(value, "floor"));
    const std::string floor_hash = TRY(get_string(value, "floor_hash"));
    pruned.floor_hash = TRY(digest_from(floor_hash));
    const Json above = value.value("above", Json::array());
    for (const Json& item : above) {
        const std::uint64_t sequence = TRY(get_unsigned(item, "sequence"));
        const std::string hash = TRY(get_string(item, "hash"));
        pruned.above[sequence] = TRY(digest_from(hash));
    }
    return pruned;
}

}  // namespace

Result<std::vector<std::uint64_t>> History::sequences() {
    const auto objects = TRY(access_.store.list("manifests/"));
    std::vector<std::uint64_t> found;
    for (const ObjectInfo& object : objects)
        if (const auto sequence = manifest_sequence(object.name)) found.push_back(*sequence);
    return found;
}

Result<Point> History::head(const ObjectInfo& object, std::uint64_t sequence) {
    {
        const MutexLock lock(mutex_);
        const auto known = heads_.find(object.name);
        if (known != heads_.end()) return known->second;
    }
    Bytes bytes = TRY(
        access_.store.get_range(object.name, 0, std::min<std::uint64_t>(object.size, first_read)));
    const auto extent = manifest_extent(bytes);
    if (extent.has_value() && extent->total != object.size)
        return corrupt(fmt::format("manifest '{}': it has {} bytes where {} belong", object.name,
                                   object.size, extent->total));
    if (extent.has_value() && extent->head_end > bytes.size())
        bytes = TRY(access_.store.get_range(object.name, 0, extent->head_end));
    auto point = TRY(read_manifest_head(access_.keys, sequence, bytes));
    const MutexLock lock(mutex_);
    heads_[object.name] = point;
    return point;
}

Result<std::vector<Point>> History::points(std::vector<Finding>* damaged) {
    const auto objects = TRY(access_.store.list("manifests/"));
    std::vector<Point> found;
    for (const ObjectInfo& object : objects) {
        const auto sequence = manifest_sequence(object.name);
        if (!sequence) {
            if (damaged != nullptr)
                damaged->push_back({object.name, "a name that no manifest has", {}});
            continue;
        }
        auto point = head(object, *sequence);
        if (point.has_value()) {
            found.push_back(std::move(*point));
        } else if (point.error().kind == ErrorKind::corrupt) {
            if (damaged != nullptr)
                damaged->push_back({object.name,
                                    point.error().message,
                                    {fmt::format("the point with sequence {}", *sequence)}});
        } else if (point.error().kind != ErrorKind::not_found) {  // else: pruned meanwhile
            return std::move(point).error();
        }
    }
    return found;
}

Result<Manifest> History::manifest(std::uint64_t sequence) {
    const Bytes bytes = TRY(access_.store.get(manifest_object(sequence)));
    return read_manifest(access_.keys, sequence, bytes);
}

Result<Manifest> History::manifest(const PointId& id) {
    const auto known = TRY(points(nullptr));
    const auto found = std::ranges::find(known, id, &Point::id);
    if (found == known.end())
        return not_found(
            fmt::format("no point '{}' in {}", id.value, access_.store.describe()),
            "`lifeboat points` lists what there is; `lifeboat vault verify` what is damaged.");
    return manifest(found->sequence);
}

Result<History::Last> History::last() {
    const auto present = TRY(sequences());
    auto record = pruned();
    // A damaged record must not stop backups: verify names it, the chain goes on behind what is
    // there.
    if (!record.has_value() && record.error().kind != ErrorKind::corrupt)
        return std::move(record).error();
    const Pruned gone = record.has_value() ? std::move(*record) : Pruned{};
    Last last{gone.floor, gone.floor_hash};
    if (!gone.above.empty()) last = {gone.above.rbegin()->first, gone.above.rbegin()->second};
    if (!present.empty() && present.back() > last.sequence) {
        const Bytes bytes = TRY(access_.store.get(manifest_object(present.back())));
        last = {present.back(), crypto::sha256(bytes)};
    }
    return last;
}

Result<Point> History::commit(Manifest manifest) {
    for (int attempt = 0; attempt < commit_attempts_max; ++attempt) {
        auto before = last();
        if (!before.has_value()) {
            if (before.error().kind == ErrorKind::not_found) continue;  // pruned meanwhile
            return std::move(before).error();
        }
        manifest.point.sequence = before->sequence + 1;
        manifest.previous = before->hash;
        const Bytes bytes = write_manifest(access_.keys, manifest, access_.new_salt());
        auto put = access_.store.put(manifest_object(manifest.point.sequence), bytes);
        if (put.has_value()) return manifest.point;
        if (put.error().kind != ErrorKind::conflict) return std::move(put).error();
    }
    return conflict(
        fmt::format("{} other writers committed first, one after the other", commit_attempts_max),
        "Make the backup again.");
}

Result<Pruned> History::pruned() {
    auto objects = TRY(access_.store.list("prunes/"));
    if (objects.empty()) return Pruned{};
    // The newest says it all; older ones are left over from a crash.
    auto bytes = access_.store.get(objects.back().name);
    if (!bytes.has_value() && bytes.error().kind == ErrorKind::not_found) {
        objects = TRY(access_.store.list("prunes/"));  // a prune has just replaced it
        if (objects.empty()) return Pruned{};
        bytes = access_.store.get(objects.back().name);
    }
    if (!bytes.has_value()) return std::move(bytes).error();
    const std::string& object = objects.back().name;
    const Bytes plain = TRY(open_object(access_, object, *bytes));
    auto parsed = parse_pruned(plain);
    if (parsed.has_value()) return parsed;
    return corrupt(fmt::format("object '{}': {}", object, parsed.error().message));
}

Result<void> History::put_pruned(const Pruned& pruned) {
    Json value = Json::object();
    value["floor"] = pruned.floor;
    value["floor_hash"] = to_hex(pruned.floor_hash);
    value["above"] = Json::array();
    for (const auto& [sequence, hash] : pruned.above)
        value["above"].push_back({{"sequence", sequence}, {"hash", to_hex(hash)}});
    const auto older = TRY(access_.store.list("prunes/"));
    std::uint64_t number = 1;
    if (!older.empty()) {
        const std::string& name = older.back().name;
        const char* end = name.data() + name.size();
        std::from_chars(name.data() + name.rfind('/') + 1, end, number, 16);
        ++number;
    }
    const std::string object = fmt::format("prunes/{:016x}", number);
    TRY(access_.store.put(object, seal_object(access_, object, as_bytes(dump(value)))));
    for (const ObjectInfo& old : older) {
        auto removed = access_.store.remove(old.name);
        if (!removed.has_value() && removed.error().kind != ErrorKind::not_found) return removed;
    }
    return ok();
}

}  // namespace lifeboat::vault

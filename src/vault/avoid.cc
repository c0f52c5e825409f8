#include "vault/avoid.h"

#include <fmt/core.h>

#include "vault/pack.h"
#include "vault/sealed.h"

namespace lifeboat::vault {
namespace {

constexpr std::string_view folder = "quarantine/";

std::string object_of(const Digest& pack) { return fmt::format("{}{}", folder, to_hex(pack)); }

Result<void> read_condemned(Access& access, std::set<Digest>& packs) {
    const auto objects = TRY(access.store.list("condemned/"));
    for (const ObjectInfo& object : objects) {
        auto bytes = access.store.get(object.name);
        if (!bytes.has_value()) {
            if (bytes.error().kind == ErrorKind::not_found) continue;  // that prune is over
            return std::move(bytes).error();
        }
        const auto plain = open_object(access, object.name, *bytes);
        // A damaged list stops no backup: what it would have told is checked again before the
        // commit.
        for (std::size_t at = 0; plain.has_value() && at + 32 <= plain->size(); at += 32)
            packs.insert(Decoder(ByteView(*plain).subspan(at)).array<32>());
    }
    return ok();
}

}  // namespace

Result<std::set<Digest>> packs_to_avoid(Access& access) {
    std::set<Digest> packs;
    TRY(read_condemned(access, packs));
    // The name says it all, and to believe a forged one costs nothing but space.
    const auto objects = TRY(access.store.list(std::string(folder)));
    for (const ObjectInfo& object : objects)
        if (const auto name = digest_in_name(object.name)) packs.insert(*name);
    return packs;
}

Result<void> quarantine(Access& access, const Digest& pack) {
    TRY(access.may_write());
    const std::string object = object_of(pack);
    auto put = access.store.put(object, seal_object(access, object, {}));
    if (!put.has_value() && put.error().kind == ErrorKind::conflict) return ok();  // marked before
    return put;
}

Result<void> release(Access& access, const Digest& pack) {
    auto removed = access.store.remove(object_of(pack));
    if (!removed.has_value() && removed.error().kind == ErrorKind::not_found) return ok();
    return removed;
}

Result<std::string> put_condemned(Access& access, const std::set<Digest>& packs) {
    Bytes list;
    for (const Digest& pack : packs) append(list, pack);
    const std::string object = "condemned/" + access.environment.random.hex(8);
    TRY(access.store.put(object, seal_object(access, object, list)));
    return object;
}

}  // namespace lifeboat::vault

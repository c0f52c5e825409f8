#include "vault/sealed.h"

#include <fmt/core.h>

namespace lifeboat::vault {
namespace {

constexpr std::string_view magic = "LBSEAL01";
constexpr std::size_t header_size = 48;

Bytes associated(const Keys& keys, const std::string& object, ByteView header) {
    Bytes out;
    append(out, keys.vault);
    append(out, header);
    append(out, as_bytes(object));
    return out;
}

}  // namespace

Bytes seal_object(const Access& access, const std::string& object, ByteView plain) {
    const Salt salt = access.new_salt();
    Bytes out = to_bytes(as_bytes(magic));
    append_le(out, std::uint16_t{1});  // version
    append_le(out, std::uint16_t{0});  // flags
    append_le(out, std::uint32_t{0});  // reserved
    append(out, salt);
    CHECK(out.size() == header_size);
    append(out, crypto::seal(object_key(access.keys.document, salt, "document"),
                             nonce_of(0, Part::body), associated(access.keys, object, out), plain));
    return out;
}

Result<Bytes> open_object(const Access& access, const std::string& object, ByteView bytes) {
    if (bytes.size() < header_size || as_text(bytes.first(8)) != magic ||
        load_le<std::uint16_t>(bytes, 8) != 1)
        return corrupt(fmt::format(
            "object '{}': header at offset 0: not a sealed object of version 1", object));
    const ByteView header = bytes.first(header_size);
    const Salt salt = Decoder(header.subspan(16)).array<32>();
    auto plain =
        crypto::open(object_key(access.keys.document, salt, "document"), nonce_of(0, Part::body),
                     associated(access.keys, object, header), bytes.subspan(header_size));
    if (plain.has_value()) return plain;
    return corrupt(fmt::format("object '{}': authentication failed", object));
}

}  // namespace lifeboat::vault

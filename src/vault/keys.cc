#include "vault/keys.h"

#include <fmt/core.h>

namespace lifeboat::vault {

Keys derive_keys(const crypto::Key& root, const VaultId& vault) {
    const auto derive = [&](std::string_view purpose) {
        return crypto::hkdf_sha256(root, vault, fmt::format("lifeboat vault 1 {}", purpose));
    };
    const crypto::Key sign = derive("sign");
    return Keys{
        .vault = vault,
        .id = derive("id"),
        .index = derive("index"),
        .data = derive("data"),
        .manifest = derive("manifest"),
        .document = derive("document"),
        .log = derive("log"),
        .gear = derive("gear"),
        .format = derive("format"),
        .sign = sign,
        .verify = crypto::public_key(sign),
    };
}

crypto::Key object_key(const crypto::Key& key, const Salt& salt, std::string_view purpose) {
    return crypto::hkdf_sha256(key, salt, purpose);
}

crypto::Nonce nonce_of(std::uint64_t ordinal, Part part) {
    crypto::Nonce nonce{};
    for (std::size_t i = 0; i < 8; ++i)
        nonce[i] = static_cast<std::byte>((ordinal >> (8 * i)) & 0xffU);
    for (std::size_t i = 0; i < 4; ++i)
        nonce[8 + i] =
            static_cast<std::byte>((static_cast<std::uint32_t>(part) >> (8 * i)) & 0xffU);
    return nonce;
}

}  // namespace lifeboat::vault

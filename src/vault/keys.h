#pragma once
/// The keys of one vault, all derived from the root secret in the key file and the vault's id.
///
/// One purpose, one key. Within an object every sealed part has a nonce of its own (ordinal and
/// part), and every object a key of its own (random salt): no nonce is ever used twice. Pure.

#include <array>
#include <string>

#include "platform/codec/crypto.h"
#include "vault/wire.h"

namespace lifeboat::vault {

using VaultId = std::array<std::byte, 16>;
using Salt = Digest;  ///< 32 random bytes at the head of every object

struct Keys {
    VaultId vault{};
    crypto::Key id;        ///< chunk ids
    crypto::Key index;     ///< index segments
    crypto::Key data;      ///< packs
    crypto::Key manifest;  ///< manifests and prune records
    crypto::Key document;  ///< documents and sessions
    crypto::Key log;       ///< log files
    crypto::Key gear;      ///< the table of the content-defined chunker
    crypto::Key format;    ///< the format record
    crypto::Key sign;      ///< Ed25519 seed
    crypto::PublicKey verify{};
};

Keys derive_keys(const crypto::Key& root, const VaultId& vault);

/// The key of one object, or of one purpose within it.
crypto::Key object_key(const crypto::Key& key, const Salt& salt, std::string_view purpose);

/// Which part of an object is sealed under a nonce.
enum class Part : std::uint32_t { body = 0, table = 1, head = 2 };

/// 64 bits of ordinal, 32 bits of part, little-endian.
crypto::Nonce nonce_of(std::uint64_t ordinal, Part part);

}  // namespace lifeboat::vault

#pragma once
/// The cryptography that the vault and the journal use, over OpenSSL. Keys are wiped when
/// destroyed.

#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include "platform/base/bytes.h"
#include "platform/base/result.h"

namespace lifeboat::crypto {

using Digest = std::array<std::byte, 32>;
/// 32 secret bytes. Never formatted, compared in constant time, wiped on destruction.
class Key {
public:
    Key() = default;
    explicit Key(const Digest& bytes) : bytes_(bytes) {}
    ~Key();
    Key(const Key&) = default;
    Key& operator=(const Key&) = default;
    ByteView view() const { return bytes_; }
    bool operator==(const Key& other) const;

private:
    Digest bytes_{};
};

Digest sha256(ByteView bytes);
Digest hmac_sha256(const Key& key, ByteView bytes);
/// RFC 5869 with SHA-256. `info` separates uses.
Key hkdf_sha256(const Key& key, ByteView salt, std::string_view info);
std::uint32_t crc32c(ByteView bytes, std::uint32_t seed = 0);

class Sha256 {  ///< incremental
public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    void update(ByteView bytes);
    Digest finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;
using Nonce = std::array<std::byte, nonce_size>;

/// AES-256-GCM: ciphertext followed by the 16-byte tag.
Bytes seal(const Key& key, const Nonce& nonce, ByteView associated, ByteView plain);
/// Errors: corrupt (the tag does not match: other key, other slot, or changed bytes).
Result<Bytes> open(const Key& key, const Nonce& nonce, ByteView associated, ByteView sealed);

/// Ed25519 with a 32-byte seed.
using Signature = std::array<std::byte, 64>;
using PublicKey = std::array<std::byte, 32>;
PublicKey public_key(const Key& seed);
Signature sign(const Key& seed, ByteView message);
/// False also for a key of low order, with which anybody can sign anything.
bool verify(const PublicKey& key, ByteView message, const Signature& signature);

}  // namespace lifeboat::crypto

#include "platform/codec/crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace lifeboat::crypto {
namespace {

// OpenSSL's calls fail for want of memory or with a broken installation; neither has a way on,
// hence CHECK. Algorithms are fetched once (a fetch costs more than a small hash) and live until
// exit.

struct Free {
    void operator()(EVP_MD_CTX* it) const { EVP_MD_CTX_free(it); }
    void operator()(EVP_MAC_CTX* it) const { EVP_MAC_CTX_free(it); }
    void operator()(EVP_KDF_CTX* it) const { EVP_KDF_CTX_free(it); }
    void operator()(EVP_CIPHER_CTX* it) const { EVP_CIPHER_CTX_free(it); }
    void operator()(EVP_PKEY* it) const { EVP_PKEY_free(it); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

const unsigned char* raw(ByteView bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* writable(std::span<std::byte> bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

const EVP_MD* sha256_algorithm() {
    static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    CHECK(algorithm != nullptr);
    return algorithm;
}

EVP_MAC* hmac_algorithm() {
    static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    CHECK(algorithm != nullptr);
    return algorithm;
}

EVP_KDF* hkdf_algorithm() {
    static EVP_KDF* const algorithm = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
    CHECK(algorithm != nullptr);
    return algorithm;
}

const EVP_CIPHER* gcm_algorithm() {
    static const EVP_CIPHER* const algorithm = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    CHECK(algorithm != nullptr);
    return algorithm;
}

OSSL_PARAM digest_parameter() {
    static char name[] = "SHA256";
    return OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0);
}

// OpenSSL counts in int.
constexpr std::size_t piece_max = std::size_t{1} << 30U;

using Update = int (*)(EVP_CIPHER_CTX*, unsigned char*, int*, const unsigned char*, int);

void update_all(EVP_CIPHER_CTX* context, Update update, unsigned char* out, ByteView in) {
    for (std::size_t at = 0; at < in.size();) {
        const std::size_t size = std::min(piece_max, in.size() - at);
        int written = 0;
        CHECK(update(context, out == nullptr ? nullptr : out + at, &written, raw(in.subspan(at)),
                     static_cast<int>(size)) == 1);
        at += size;
    }
}

Owned<EVP_PKEY> private_key(const Key& seed) {
    Owned<EVP_PKEY> key(EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr,
                                                        raw(seed.view()), seed.view().size()));
    CHECK(key != nullptr);
    return key;
}

}  // namespace

Key::~Key() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

bool Key::operator==(const Key& other) const {
    return CRYPTO_memcmp(bytes_.data(), other.bytes_.data(), bytes_.size()) == 0;
}

struct Sha256::State {
    Owned<EVP_MD_CTX> context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
    CHECK(EVP_DigestInit_ex2(state_->context.get(), sha256_algorithm(), nullptr) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(ByteView bytes) {
    CHECK(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1);
}

Digest Sha256::finish() {
    Digest digest{};
    CHECK(EVP_DigestFinal_ex(state_->context.get(), writable(digest), nullptr) == 1);
    return digest;
}

Digest sha256(ByteView bytes) {
    Digest digest{};
    CHECK(EVP_Digest(bytes.data(), bytes.size(), writable(digest), nullptr, sha256_algorithm(),
                     nullptr) == 1);
    return digest;
}

Digest hmac_sha256(const Key& key, ByteView bytes) {
    const Owned<EVP_MAC_CTX> context(EVP_MAC_CTX_new(hmac_algorithm()));
    CHECK(context != nullptr);
    const OSSL_PARAM parameters[] = {digest_parameter(), OSSL_PARAM_construct_end()};
    CHECK(EVP_MAC_init(context.get(), raw(key.view()), key.view().size(), parameters) == 1);
    CHECK(EVP_MAC_update(context.get(), raw(bytes), bytes.size()) == 1);
    Digest digest{};
    std::size_t size = 0;
    CHECK(EVP_MAC_final(context.get(), writable(digest), &size, digest.size()) == 1);
    CHECK(size == digest.size());
    return digest;
}

Key hkdf_sha256(const Key& key, ByteView salt, std::string_view info) {
    const Owned<EVP_KDF_CTX> context(EVP_KDF_CTX_new(hkdf_algorithm()));
    CHECK(context != nullptr);
    // The parameters take pointers to mutable bytes and only read them.
    const auto octets = [](const char* name, const void* bytes, std::size_t size) {
        return OSSL_PARAM_construct_octet_string(name, const_cast<void*>(bytes), size);
    };
    std::vector<OSSL_PARAM> parameters{
        digest_parameter(), octets(OSSL_KDF_PARAM_KEY, key.view().data(), key.view().size())};
    if (!salt.empty()) parameters.push_back(octets(OSSL_KDF_PARAM_SALT, salt.data(), salt.size()));
    if (!info.empty()) parameters.push_back(octets(OSSL_KDF_PARAM_INFO, info.data(), info.size()));
    parameters.push_back(OSSL_PARAM_construct_end());

    Digest derived{};
    CHECK(EVP_KDF_derive(context.get(), writable(derived), derived.size(), parameters.data()) == 1);
    Key result(derived);
    OPENSSL_cleanse(derived.data(), derived.size());
    return result;
}

Bytes seal(const Key& key, const Nonce& nonce, ByteView associated, ByteView plain) {
    const Owned<EVP_CIPHER_CTX> context(EVP_CIPHER_CTX_new());
    CHECK(context != nullptr);
    CHECK(EVP_EncryptInit_ex2(context.get(), gcm_algorithm(), raw(key.view()), raw(nonce),
                              nullptr) == 1);
    update_all(context.get(), EVP_EncryptUpdate, nullptr, associated);
    Bytes sealed(plain.size() + tag_size);
    update_all(context.get(), EVP_EncryptUpdate, writable(sealed), plain);
    unsigned char* tag = writable(sealed) + plain.size();
    int written = 0;
    CHECK(EVP_EncryptFinal_ex(context.get(), tag, &written) == 1 && written == 0);
    CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_size, tag) == 1);
    return sealed;
}

Result<Bytes> open(const Key& key, const Nonce& nonce, ByteView associated, ByteView sealed) {
    if (sealed.size() < tag_size) return corrupt("sealed bytes are shorter than their tag");
    const ByteView body = sealed.first(sealed.size() - tag_size);
    Bytes tag = to_bytes(sealed.last(tag_size));

    const Owned<EVP_CIPHER_CTX> context(EVP_CIPHER_CTX_new());
    CHECK(context != nullptr);
    CHECK(EVP_DecryptInit_ex2(context.get(), gcm_algorithm(), raw(key.view()), raw(nonce),
                              nullptr) == 1);
    update_all(context.get(), EVP_DecryptUpdate, nullptr, associated);
    Bytes plain(body.size());
    update_all(context.get(), EVP_DecryptUpdate, writable(plain), body);
    CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_size, writable(tag)) == 1);
    int written = 0;
    unsigned char end = 0;  // GCM writes nothing here, but wants an address
    if (EVP_DecryptFinal_ex(context.get(), &end, &written) != 1) {
        OPENSSL_cleanse(plain.data(), plain.size());
        return corrupt("sealed bytes do not match their tag",
                       "They were changed, or sealed with another key or for another place.");
    }
    return plain;
}

PublicKey public_key(const Key& seed) {
    const Owned<EVP_PKEY> key = private_key(seed);
    PublicKey bytes{};
    std::size_t size = bytes.size();
    CHECK(EVP_PKEY_get_raw_public_key(key.get(), writable(bytes), &size) == 1);
    CHECK(size == bytes.size());
    return bytes;
}

Signature sign(const Key& seed, ByteView message) {
    const Owned<EVP_PKEY> key = private_key(seed);
    const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
    CHECK(context != nullptr);
    CHECK(EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key.get(),
                                nullptr) == 1);
    Signature signature{};
    std::size_t size = signature.size();
    CHECK(EVP_DigestSign(context.get(), writable(signature), &size, raw(message), message.size()) ==
          1);
    CHECK(size == signature.size());
    return signature;
}

namespace {

/// A point of the curve whose order divides 8: with it as a key, one signature fits every message,
/// and OpenSSL does not object. The heights of all of them, written in full and (beyond the prime)
/// once more; the sign of the other coordinate is the last bit, and does not matter.
bool is_of_low_order(PublicKey key) {
    constexpr std::array<std::string_view, 7> heights{
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    key.back() &= std::byte{0x7f};
    return std::ranges::find(heights, to_hex(key)) != heights.end();
}

}  // namespace

bool verify(const PublicKey& key, ByteView message, const Signature& signature) {
    if (is_of_low_order(key)) return false;
    const Owned<EVP_PKEY> point(
        EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, raw(key), key.size()));
    if (point == nullptr) return false;
    const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
    CHECK(context != nullptr);
    CHECK(EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, point.get(),
                                  nullptr) == 1);
    return EVP_DigestVerify(context.get(), raw(signature), signature.size(), raw(message),
                            message.size()) == 1;
}

}  // namespace lifeboat::crypto

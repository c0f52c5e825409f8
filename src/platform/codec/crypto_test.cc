#include "platform/codec/crypto.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "platform/codec/crc32c.h"

namespace lifeboat::crypto {
namespace {

Bytes hex(std::string_view text) { return from_hex(text).value(); }

template <std::size_t size = 32>
std::array<std::byte, size> array(std::string_view text) {
    std::array<std::byte, size> out{};
    const Bytes bytes = hex(text);
    EXPECT_EQ(bytes.size(), size);
    std::ranges::copy(bytes, out.begin());
    return out;
}

/// Bytes without a pattern that repeats within a vector's width.
Bytes some_bytes(std::size_t size) {
    Bytes bytes(size);
    std::uint32_t state = 1;
    for (std::byte& byte : bytes) {
        state = state * 1664525U + 1013904223U;
        byte = static_cast<std::byte>(state >> 24U);
    }
    return bytes;
}

TEST(Sha256, agrees_with_fips_180_4) {
    EXPECT_EQ(to_hex(sha256({})),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(to_hex(sha256(as_bytes("abc"))),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, is_the_same_in_pieces) {
    const Bytes bytes = some_bytes(1000);
    Sha256 pieces;
    for (std::size_t at = 0; at < bytes.size(); at += 7)
        pieces.update(ByteView(bytes).subspan(at, std::min<std::size_t>(7, bytes.size() - at)));
    Sha256 moved = std::move(pieces);
    EXPECT_EQ(moved.finish(), sha256(bytes));
}

TEST(Hmac, agrees_with_rfc_4231) {
    // Keys there are shorter than 32 bytes; HMAC pads them with zeros, so these are the same keys.
    EXPECT_EQ(to_hex(hmac_sha256(Key(array("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"
                                           "000000000000000000000000")),
                                 as_bytes("Hi There"))),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(to_hex(hmac_sha256(Key(array("4a656665"
                                           "00000000000000000000000000000000000000000000000000000"
                                           "000")),
                                 as_bytes("what do ya want for nothing?"))),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Hkdf, follows_rfc_5869) {
    // The vectors there have keys of other lengths; so extract and expand are written out, and the
    // answer was computed by another implementation, too.
    const Key key(array("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"));
    const auto salt = array("606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f");
    const Key derived = hkdf_sha256(key, salt, "lifeboat pack");

    const Key extracted(hmac_sha256(Key(salt), key.view()));
    Bytes expand = to_bytes(as_bytes("lifeboat pack"));
    expand.push_back(std::byte{1});
    EXPECT_EQ(derived, Key(hmac_sha256(extracted, expand)));
    EXPECT_EQ(to_hex(derived.view()),
              "165e924a56dfc7c22e5f657fa15854862a8e44ac24c831d69ae39c01777c7574");
}

TEST(Hkdf, separates_uses_and_salts) {
    const Key key(sha256(as_bytes("key")));
    const Bytes salt = some_bytes(16);
    EXPECT_FALSE(hkdf_sha256(key, salt, "a") == hkdf_sha256(key, salt, "b"));
    EXPECT_FALSE(hkdf_sha256(key, salt, "a") == hkdf_sha256(key, {}, "a"));
    EXPECT_TRUE(hkdf_sha256(key, {}, "") == hkdf_sha256(key, {}, ""));
}

TEST(Crc32c, agrees_with_rfc_3720) {
    EXPECT_EQ(crc32c(Bytes(32, std::byte{0})), 0x8A9136AAU);
    EXPECT_EQ(crc32c(Bytes(32, std::byte{0xff})), 0x62A8AB43U);
    EXPECT_EQ(crc32c(as_bytes("123456789")), 0xE3069283U);
    EXPECT_EQ(crc32c({}), 0U);
}

TEST(Crc32c, is_the_same_by_table_by_instruction_and_in_pieces) {
    const Bytes bytes = some_bytes(300);
    for (std::size_t begin = 0; begin < 9; ++begin)
        for (std::size_t size = 0; begin + size <= bytes.size(); ++size) {
            const ByteView part = ByteView(bytes).subspan(begin, size);
            const std::uint32_t expected = detail::crc32c_by_table(part, 7);
            if (detail::has_crc32c_instruction()) {
                ASSERT_EQ(detail::crc32c_by_instruction(part, 7), expected);
            }
            const std::uint32_t first = crc32c(part.first(size / 3), 7);
            ASSERT_EQ(crc32c(part.subspan(size / 3), first), expected);
        }
}

TEST(Seal, agrees_with_the_vectors_of_gcm) {
    // McGrew and Viega, test cases 13, 14 and 16.
    const Key zero{};
    EXPECT_EQ(to_hex(seal(zero, {}, {}, {})), "530f8afbc74536b9a963b4f1c4cb738b");
    EXPECT_EQ(to_hex(seal(zero, {}, {}, Bytes(16))),
              "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
    const Key key(array("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"));
    const Bytes plain =
        hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
            "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
    const Bytes associated = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    const auto nonce = array<nonce_size>("cafebabefacedbaddecaf888");
    const Bytes sealed = seal(key, nonce, associated, plain);
    EXPECT_EQ(to_hex(sealed),
              "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
              "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
              "76fc6ece0f4e1768cddf8853bb2d551b");
    EXPECT_EQ(open(key, nonce, associated, sealed).value(), plain);
}

TEST(Seal, opens_only_what_was_sealed_for_this_place) {
    const Key key(sha256(as_bytes("key")));
    const Nonce nonce{std::byte{1}};
    const Bytes plain = some_bytes(100);
    const Bytes associated = some_bytes(8);
    const Bytes sealed = seal(key, nonce, associated, plain);
    ASSERT_EQ(open(key, nonce, associated, sealed).value(), plain);
    EXPECT_EQ(open(Key{}, nonce, associated, sealed).error().kind, ErrorKind::corrupt);
    EXPECT_FALSE(open(key, Nonce{}, associated, sealed));
    EXPECT_FALSE(open(key, nonce, {}, sealed));
    EXPECT_FALSE(open(key, nonce, associated, ByteView(sealed).first(sealed.size() - 1)));
    EXPECT_FALSE(open(key, nonce, associated, ByteView(sealed).first(15)));
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        Bytes flipped = sealed;
        flipped[i] ^= std::byte{1};
        EXPECT_FALSE(open(key, nonce, associated, flipped)) << i;
    }
}

TEST(Ed25519, agrees_with_rfc_8032) {
    struct Vector {
        std::string_view seed, key, message, signature;
    };
    const Vector vectors[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701"
         "c"
         "f9b46bd25bf5f0595bbe24655141438e7a100b"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d"
         "0"
         "f11d8c387b2eaeb4302aeeb00d291612bb0c00"}};
    for (const Vector& v : vectors) {
        const Key seed(array(v.seed));
        const Bytes message = hex(v.message);
        EXPECT_EQ(to_hex(public_key(seed)), v.key);
        const Signature signature = sign(seed, message);
        EXPECT_EQ(to_hex(signature), v.signature);
        EXPECT_TRUE(verify(public_key(seed), message, signature));
    }
}

TEST(Ed25519, refuses_another_message_key_or_signature) {
    const Key seed(sha256(as_bytes("seed")));
    Signature signature = sign(seed, as_bytes("message"));
    EXPECT_FALSE(verify(public_key(seed), as_bytes("other"), signature));
    EXPECT_FALSE(verify(public_key(Key{}), as_bytes("message"), signature));
    EXPECT_FALSE(verify(PublicKey{}, as_bytes("message"), signature));
    signature[3] ^= std::byte{1};
    EXPECT_FALSE(verify(public_key(seed), as_bytes("message"), signature));
}

TEST(Key, compares_by_value) {
    EXPECT_TRUE(Key(sha256({})) == Key(sha256({})));
    EXPECT_FALSE(Key(sha256({})) == Key{});
}

}  // namespace
}  // namespace lifeboat::crypto

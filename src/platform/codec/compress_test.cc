#include "platform/codec/compress.h"

#include <gtest/gtest.h>

#include <thread>

namespace lifeboat {
namespace {

Bytes text_bytes(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>((i * i / 7) % 61);
    return bytes;
}

TEST(Compress, gives_back_what_went_in) {
    for (const std::size_t size : {0U, 1U, 100U, 65'536U, 1'000'000U})
        for (const int level : {1, 3, 9}) {
            const Bytes plain = text_bytes(size);
            EXPECT_EQ(decompress(compress(plain, level), size).value(), plain);
        }
}

TEST(Compress, makes_zeros_small_and_back) {
    const Bytes zeros(8U << 20U);
    const Bytes frame = compress(zeros);
    EXPECT_LT(frame.size(), 2000U);
    EXPECT_EQ(decompress(frame, zeros.size()).value(), zeros);
}

TEST(Compress, refuses_another_size_than_the_frame_holds) {
    const Bytes frame = compress(text_bytes(1000));
    for (const std::size_t size : {0U, 999U, 1001U})
        EXPECT_EQ(decompress(frame, size).error().kind, ErrorKind::corrupt);
}

TEST(Compress, refuses_torn_extended_and_foreign_bytes) {
    const Bytes frame = compress(text_bytes(1000));
    for (std::size_t size = 0; size < frame.size(); ++size)
        EXPECT_FALSE(decompress(ByteView(frame).first(size), 1000)) << size;
    Bytes longer = frame;
    longer.push_back(std::byte{0});
    EXPECT_FALSE(decompress(longer, 1000));
    Bytes twice = frame;
    append(twice, frame);
    EXPECT_FALSE(decompress(twice, 2000));
    EXPECT_FALSE(decompress(as_bytes("not a frame at all"), 1000));
}

TEST(Compress, survives_every_flipped_byte) {
    const Bytes plain = text_bytes(3000);
    const Bytes frame = compress(plain);
    for (std::size_t i = 0; i < frame.size(); ++i) {
        Bytes flipped = frame;
        flipped[i] ^= std::byte{0x20};
        const auto opened = decompress(flipped, plain.size());  // content is the seal's business
        EXPECT_EQ(opened ? opened->size() : plain.size(), plain.size());
    }
}

TEST(Compress, allocates_nothing_for_a_size_that_cannot_be_true) {
    // A frame header that claims 2^62 bytes, as damage or malice may write it.
    Bytes frame = {std::byte{0x28}, std::byte{0xb5}, std::byte{0x2f}, std::byte{0xfd},
                   std::byte{0xe0}};
    append_le(frame, std::uint64_t{1} << 62U);
    append(frame, Bytes(16));
    EXPECT_EQ(decompress(frame, std::size_t{1} << 62U).error().kind, ErrorKind::corrupt);
}

TEST(Compress, works_in_several_threads_at_once) {
    std::vector<std::thread> threads;
    for (std::size_t t = 1; t <= 4; ++t)
        threads.emplace_back([t] {
            for (int i = 0; i < 50; ++i) {
                const Bytes plain = text_bytes(t * 1000);
                EXPECT_EQ(decompress(compress(plain), plain.size()).value(), plain);
            }
        });
    for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace lifeboat

#include "platform/codec/compress.h"

#include <fmt/core.h>
#include <zstd.h>

#include <memory>

namespace lifeboat {
namespace {

// An RLE block, the densest there is, makes 128 KiB of 4 bytes.
constexpr std::size_t expansion_max = 32 * 1024;

struct FreeContext {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

// A context costs a megabyte and its set-up: one per thread, used again.
ZSTD_CCtx* compressor() {
    thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
    CHECK(context != nullptr);
    return context.get();
}

ZSTD_DCtx* decompressor() {
    thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
    CHECK(context != nullptr);
    return context.get();
}

}  // namespace

Bytes compress(ByteView plain, int level) {
    Bytes frame(ZSTD_compressBound(plain.size()));
    const std::size_t size = ZSTD_compressCCtx(compressor(), frame.data(), frame.size(),
                                               plain.data(), plain.size(), level);
    CHECK(ZSTD_isError(size) == 0U);  // the bound is enough by definition
    frame.resize(size);
    return frame;
}

Result<Bytes> decompress(ByteView frame, std::size_t plain_size) {
    // The header first: a damaged size must not become an allocation.
    const unsigned long long claimed = ZSTD_getFrameContentSize(frame.data(), frame.size());
    if (claimed == ZSTD_CONTENTSIZE_ERROR) return corrupt("not a zstd frame");
    if (claimed != plain_size)
        return corrupt(
            claimed == ZSTD_CONTENTSIZE_UNKNOWN
                ? "a zstd frame of unknown size"
                : fmt::format("a zstd frame of {} bytes where {} belong", claimed, plain_size));
    if (plain_size / expansion_max > frame.size())
        return corrupt(fmt::format("a zstd frame of {} bytes that claims to hold {}", frame.size(),
                                   plain_size));
    if (ZSTD_findFrameCompressedSize(frame.data(), frame.size()) != frame.size())
        return corrupt("a zstd frame that is torn, or has bytes behind its end");

    Bytes plain(plain_size);
    const std::size_t size =
        ZSTD_decompressDCtx(decompressor(), plain.data(), plain.size(), frame.data(), frame.size());
    if (ZSTD_isError(size) != 0U)
        return corrupt(fmt::format("a damaged zstd frame: {}", ZSTD_getErrorName(size)));
    if (size != plain_size)
        return corrupt(fmt::format("a zstd frame of {} bytes where {} belong", size, plain_size));
    return plain;
}

}  // namespace lifeboat

// A snapshot of Redis is read through without a crash, and no byte of it is lost or made up.

#include "providers/redis/rdb.h"

#include "test/fuzz/input.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace lifeboat;
    const ByteView input = fuzz::bytes_of(data, size);
    std::size_t given = 0;
    Bytes seen;
    redis::RdbScanner scanner(
        [&]() -> Result<Bytes> {
            const std::size_t count = std::min<std::size_t>(13, input.size() - given);
            const ByteView piece = input.subspan(given, count);
            given += count;
            return to_bytes(piece);
        },
        [&](ByteView piece) {
            append(seen, piece);
            return ok();
        });
    const auto summary = scanner.scan();
    if (summary.has_value()) CHECK(summary->size == seen.size());
    append(seen, scanner.rest());
    CHECK(seen.size() <= given);
    CHECK(std::ranges::equal(seen, input.first(seen.size())));
    return 0;
}

// Any bytes as a tar archive: no path leaves the archive, and no file has more bytes than it said.

#include "platform/base/text.h"
#include "providers/postgres/tar_reader.h"
#include "test/fuzz/input.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace lifeboat;
    std::uint64_t left = 0;
    postgres::TarReader reader({
        .entry = [&left](const postgres::TarEntry& entry) -> Result<void> {
            CHECK(!entry.path.starts_with('/') && !entry.path.starts_with("../"));
            CHECK(!entry.path.contains("/../") && !entry.path.ends_with("/.."));
            left = entry.size;
            return ok();
        },
        .data = [&left](ByteView bytes) -> Result<void> {
            CHECK(bytes.size() <= left);
            left -= bytes.size();
            return ok();
        },
        .end = [] { return ok(); },
    });
    if (reader.feed(fuzz::bytes_of(data, size)).has_value()) (void)reader.finish();
    return 0;
}

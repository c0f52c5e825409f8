// Any bytes as WAL: the parser accepts only what it has checked, and its end never passes its
// input.

#include <vector>

#include "providers/postgres/wal_parser.h"
#include "test/fuzz/input.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace lifeboat;
    constexpr postgres::Lsn begin = 16U << 20U;
    auto parser = postgres::WalParser::at_page({}, begin);
    std::vector<vault::Mark> marks;
    ByteView left = fuzz::bytes_of(data, size);
    while (!left.empty()) {
        const ByteView piece = left.first(std::min<std::size_t>(left.size(), 3000));
        if (!parser.feed(piece, marks).has_value()) return 0;
        left = left.subspan(piece.size());
    }
    CHECK(parser.position() == begin + size);
    CHECK(parser.boundary() <= parser.position());
    return 0;
}

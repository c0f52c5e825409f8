// Whatever is read as JSON is written as text that reads back as the same value.

#include "platform/codec/json.h"

#include "test/fuzz/input.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace lifeboat;
    const auto value = parse_json(fuzz::text_of(data, size));
    if (!value.has_value()) return 0;
    const auto again = parse_json(dump_canonical(*value));
    CHECK(again.has_value());
    CHECK(dump_canonical(*again) == dump_canonical(*value));
    CHECK(parse_json(dump_pretty(*value)).has_value());
    return 0;
}

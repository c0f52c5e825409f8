// Durations, instants, sizes and encodings: what is read is written so that it reads back the same.

#include "platform/base/size.h"
#include "platform/base/time.h"
#include "test/fuzz/input.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace lifeboat;
    const std::string_view text = fuzz::text_of(data, size);
    if (const auto duration = parse_duration(text); duration.has_value()) {
        const auto again = parse_duration(format_duration(*duration));
        CHECK(again.has_value() && *again == *duration);
    }
    if (const auto instant = parse_instant(text); instant.has_value()) {
        const auto again = parse_instant(format_instant(*instant));
        CHECK(again.has_value() && *again == *instant);
    }
    (void)parse_size(text);
    (void)parse_rate(text);
    if (const auto bytes = from_hex(text); bytes.has_value()) {
        const auto again = from_hex(to_hex(*bytes));
        CHECK(again.has_value() && *again == *bytes);
    }
    if (const auto bytes = from_base64(text); bytes.has_value()) {
        const auto again = from_base64(to_base64(*bytes));
        CHECK(again.has_value() && *again == *bytes);
    }
    return 0;
}
